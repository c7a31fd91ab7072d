"""Metric values of the reviews for Prometheus, and whether anybody draws the packets that wait."""

from datetime import datetime

from django.db.models import FloatField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from prometheus_client.core import Metric

from governance.audit.models import AuditEvent
from governance.operations.queries import ages, counted, spread
from reviews.authorizations.models import Authorization
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket

PACKETS = "packets"


def families(*, now: datetime) -> list[Metric]:
    """Everything the reviews can say."""
    packets = Packet.objects.order_by()
    due = packets.filter(Packet.claimable(now=now))
    drawn = AuditEvent.objects.filter(kind="packet.ready", details__render_ms__gt=0)
    took_s = Cast(KT("details__render_ms"), FloatField()) / 1000.0
    return [
        counted("weighbridge_requests", "Review requests by state.", ReviewRequest.objects.all(), "state"),
        counted("weighbridge_authorizations", "By state.", Authorization.objects.all(), "state"),
        counted("weighbridge_tickets", "Tickets by state.", Ticket.objects.all(), "state"),
        counted("weighbridge_packets", "Review packets by state.", packets, "state"),
        ages(
            "weighbridge_packet_oldest_due_seconds",
            "How long the oldest due packet has been left lying.",
            due,
            since="next_attempt_at",
            now=now,
        ),
        spread("weighbridge_packet_render_seconds", "What drawing a packet took.", drawn, taken_s=took_s),
    ]


def undrawn_since(*, now: datetime) -> datetime | None:
    """When the oldest packet that waits should have been drawn; None while none waits."""
    due = Packet.objects.filter(Packet.claimable(now=now)).order_by("next_attempt_at")
    return due.values_list("next_attempt_at", flat=True).first()
