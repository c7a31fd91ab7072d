"""The metric values on record for an artifact: those of every submitted request for it, by any team."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from reviews.evidence.domain.claims import OF_DEPLOYMENT, TRAVELING, RecordedValue, values_on_record
from reviews.evidence.domain.plausibility import PEERS_MIN
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.evidence import metric_value_of
from reviews.requests.enums import REJECTED
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics import MetricValue


def on_record(request: ReviewRequest, *, own: Sequence[MetricRecord], now: datetime) -> tuple[MetricValue, ...]:
    """The values that the claims of the request must not fall below, from one query.

    Values that depend on the deployment are compared within the environment of the request.
    """
    others = MetricRecord.objects.filter(
        Q(request__environment=request.environment) | ~Q(name__in=OF_DEPLOYMENT),
        request__model_version__digest=request.model_version.digest,
        request__submitted_at__isnull=False,
        name__in=TRAVELING,
    ).exclude(request=request)
    rows = [*others.select_related("request__decision").order_by("pk")]
    if request.submitted_at is not None:
        rows += [row for row in own if row.name in TRAVELING]
    return values_on_record([_recorded(row, request) for row in rows], now=now)


def peers_of(request: ReviewRequest, *, name: str) -> list[Decimal]:
    """The lowest and the highest values of a metric in other requests, some of each."""
    others = MetricRecord.objects.filter(name=name).exclude(request=request).values_list("value", flat=True)
    return [*others.order_by("value")[:PEERS_MIN], *others.order_by("-value")[:PEERS_MIN]]


def _recorded(row: MetricRecord, request: ReviewRequest) -> RecordedValue:
    holder = request if row.request_id == request.pk else row.request
    decision = getattr(holder, "decision", None) if holder is not request else None
    is_approved = decision is not None and decision.outcome != REJECTED and holder.environment == request.environment
    return RecordedValue(
        value=metric_value_of(row),
        request_id=row.request_id,
        submitted_at=holder.submitted_at or row.observed_at,
        approved_at=decision.decided_at if decision is not None and is_approved else None,
    )
