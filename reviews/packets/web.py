"""Downloads of packets, for pages and API. What was changed after it was frozen or printed is never sent."""

from typing import Any, Protocol

from django.http import FileResponse, HttpResponse
from django.utils import timezone

from governance.exports.web import json_answer
from governance.inventory.actions import stored_files
from governance.inventory.web import file_answer
from weighbridge.core.canonical import canonical_bytes
from weighbridge.core.errors import WrongState

PDF = "application/pdf"


class RenderedPacket(Protocol):
    """What packets of requests and of quarters have in common."""

    number: int
    state: str
    stored_as: str
    pdf_digest: str
    document: Any
    document_digest: str


def pdf_answer(packet: RenderedPacket, *, subject: str) -> FileResponse:
    """The PDF of a packet of this request or quarter. Raises WrongState before it is rendered."""
    if not packet.stored_as:
        raise WrongState(f"Packet {packet.number} is {packet.state}; its PDF is not ready yet.")
    name = f"{subject}-packet-{packet.number}.pdf"
    return file_answer(packet.pdf_digest, name=name, kind=PDF)


def document_answer(packet: RenderedPacket, *, subject: str) -> HttpResponse:
    """The frozen data of a packet as JSON. The PDF prints the digest of this document."""
    stored_files.check_frozen(packet=packet, now=timezone.now())
    name = f"{subject}-packet-{packet.number}.json"
    return json_answer(canonical_bytes(packet.document), name=name, digest=packet.document_digest)
