"""Mail that invites people to a quarterly meeting."""

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from governance.jobs.mail import post
from governance.jobs.queries import message_id_of
from reviews.quarterly.domain.packet import read_quarterly_packet
from reviews.quarterly.models import CyclePacket

SHOWN_MAX = 10


def send_invitation(packet: CyclePacket, *, user: User, key: str) -> None:
    """Invite one person, with the agenda and a link to the pre-read. The same `key` is the same mail again.

    Raises NeedsPerson or TryLater, as all mail does.
    """
    subject, text = _invitation(packet)
    post(EmailMessage(subject=subject, body=text), to=user, message_id=message_id_of(key))


def _invitation(packet: CyclePacket) -> tuple[str, str]:
    """(subject, text): the first items of the agenda, and links to agenda, pre-read and packet."""
    content, base = read_quarterly_packet(packet.document), settings.WEIGHBRIDGE["BASE_URL"]
    lines = [f"{row.position}. {row.kind}: {' '.join(row.title.split())}" for row in content.agenda[:SHOWN_MAX]]
    more = len(content.agenda) - len(lines)
    text = [
        f"The packet of the Model Performance & Cost Review {content.quarter} is issued.",
        "",
        f"Agenda ({len(content.agenda)} item{'' if len(content.agenda) == 1 else 's'}):",
        *(lines or ["Nothing yet."]),
        *([f"and {more} more"] if more > 0 else []),
        "",
        f"Agenda and meeting: {base}/cycles/{content.quarter}/",
        f"Pre-read: {base}/cycles/{content.quarter}/packets/{packet.number}/",
        f"Packet as PDF: {base}/cycles/{content.quarter}/packets/{packet.number}/pdf/",
        "",
        f"The packet's digest is {packet.document_digest}.",
    ]
    return f"Performance & Cost Review {content.quarter}: agenda and pre-read", "\n".join(text) + "\n"
