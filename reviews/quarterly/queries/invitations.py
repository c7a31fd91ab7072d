"""Who is invited to a quarterly meeting, and what the letter says."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from governance.people.domain.roles import Role
from reviews.quarterly.domain.document import read_quarterly_packet
from reviews.quarterly.models import CyclePacket, ReviewCycle

SHOWN_MAX = 10


def invited_to(cycle: ReviewCycle) -> list[User]:
    """Platform and product leads, and whoever is noted as attending, with an open account and an address."""
    leads = Q(role_grants__role__in=[Role.PLATFORM_LEAD.value, Role.PRODUCT_LEAD.value])
    there = Q(pk__in=cycle.attendances.values("person"))
    return list(User.objects.filter(leads | there, is_active=True).exclude(email="").distinct().order_by("username"))


def letter(packet: CyclePacket) -> tuple[str, str]:
    """(subject, text): the first items of the agenda, and where agenda, pre-read and packet are."""
    said, base = read_quarterly_packet(packet.document), settings.WEIGHBRIDGE["BASE_URL"]
    lines = [f"{row.place}. {row.kind}: {' '.join(row.title.split())}" for row in said.agenda[:SHOWN_MAX]]
    more = len(said.agenda) - len(lines)
    text = [
        f"The packet of the Model Performance & Cost Review {said.quarter} is issued.",
        "",
        f"Agenda ({len(said.agenda)} items):",
        *(lines or ["Nothing yet."]),
        *([f"and {more} more"] if more > 0 else []),
        "",
        f"Agenda and meeting: {base}/cycles/{said.quarter}/",
        f"Pre-read: {base}/cycles/{said.quarter}/packets/{packet.number}/",
        f"Packet as PDF: {base}/cycles/{said.quarter}/packets/{packet.number}/pdf/",
        "",
        f"The packet's digest is {packet.document_digest}.",
    ]
    return f"Performance & Cost Review {said.quarter}: agenda and pre-read", "\n".join(text) + "\n"
