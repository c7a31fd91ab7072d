"""Prometheus metrics of the reviews, and since when packets have been waiting for a worker."""

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
    """The metric families of the reviews."""
    packets = Packet.objects.order_by()
    printed = AuditEvent.objects.filter(kind="packet.ready", details__render_ms__gt=0)
    render_s = Cast(KT("details__render_ms"), FloatField()) / 1000.0
    return [
        counted("weighbridge_requests", "Review requests by state.", ReviewRequest.objects.all(), "state"),
        counted("weighbridge_authorizations", "Authorizations by state.", Authorization.objects.all(), "state"),
        counted("weighbridge_tickets", "Tickets by state.", Ticket.objects.all(), "state"),
        counted("weighbridge_packets", "Review packets by state.", packets, "state"),
        ages(
            "weighbridge_packet_oldest_due_seconds",
            "Age of the oldest packet that is due and waits for a worker.",
            packets.filter(Packet.claimable(now=now)),
            since="next_attempt_at",
            now=now,
        ),
        spread("weighbridge_packet_render_seconds", "Time to print a packet.", printed, taken_s=render_s),
    ]


def undrawn_since(*, now: datetime) -> datetime | None:
    """The time when the oldest waiting packet became due; None if none waits."""
    due = Packet.objects.filter(Packet.claimable(now=now)).order_by("next_attempt_at")
    return due.values_list("next_attempt_at", flat=True).first()
