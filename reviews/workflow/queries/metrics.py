"""Figures of the reviews for Prometheus, and whether anybody draws the packets that wait."""

from datetime import datetime

from django.db.models import FloatField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from governance.audit.models import AuditEvent
from governance.operations.domain.exposition import Family, family, histogram
from governance.operations.queries import ages, counted, spread
from reviews.authorizations.models import Authorisation
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket

PACKETS = "packets"


def families(*, now: datetime) -> list[Family]:
    """Everything the reviews can say."""
    packets = Packet.objects.order_by()
    due = packets.filter(Packet.claimable(now=now))
    drawn = AuditEvent.objects.filter(kind="packet.ready", details__render_ms__gt=0)
    took_s = Cast(KT("details__render_ms"), FloatField()) / 1000.0
    name = "weighbridge"
    return [
        family(f"{name}_requests", "gauge", "Review requests by state.", counted(ReviewRequest.objects.all(), "state")),
        family(f"{name}_authorisations", "gauge", "By state.", counted(Authorisation.objects.all(), "state")),
        family(f"{name}_tickets", "gauge", "Tickets by state.", counted(Ticket.objects.all(), "state")),
        family(f"{name}_packets", "gauge", "Review packets by state.", counted(packets, "state")),
        family(
            f"{name}_packet_oldest_due_seconds",
            "gauge",
            "How long the oldest due packet has been left lying.",
            ages(due, since="next_attempt_at", now=now),
        ),
        histogram(f"{name}_packet_render_seconds", "What drawing a packet took.", spread(drawn, taken_s=took_s)),
    ]


def undrawn_since(*, now: datetime) -> datetime | None:
    """When the oldest packet that waits should have been drawn; None while none waits."""
    due = Packet.objects.filter(Packet.claimable(now=now)).order_by("next_attempt_at")
    return due.values_list("next_attempt_at", flat=True).first()
