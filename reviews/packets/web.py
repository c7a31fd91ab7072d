"""The download of a packet, for pages and API."""

from typing import Protocol

from django.http import FileResponse

from governance.exports.web import file_answer
from weighbridge.core.errors import WrongState

PDF = "application/pdf"


class RenderedPacket(Protocol):
    """What packets of requests and of quarters have in common."""

    number: int
    state: str
    stored_as: str
    pdf_digest: str


def pdf_answer(packet: RenderedPacket, *, subject: str) -> FileResponse:
    """The PDF of a packet of this request or quarter. Raises WrongState before it is rendered."""
    if not packet.stored_as:
        raise WrongState(f"Packet {packet.number} is {packet.state}; its PDF is not ready yet.")
    name = f"{subject}-packet-{packet.number}.pdf"
    return file_answer(packet.stored_as, name=name, digest=packet.pdf_digest, kind=PDF)
