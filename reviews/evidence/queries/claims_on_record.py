"""The metric values on record for an artifact: those of every submitted request for it, by any team."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Q
from django.db.models.functions import Abs

from reviews.evidence.domain.claims import RecordedValue, values_on_record
from reviews.evidence.domain.plausibility import PEERS_MIN
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.evidence import metric_value_of
from reviews.requests.enums import REJECTED
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.catalog import MetricCatalog, MetricScope
from weighbridge.core.metrics.values import MetricValue


def records_of_artifact(request: ReviewRequest, *, catalog: MetricCatalog) -> tuple[MetricRecord, ...]:
    """The metric values of the request, and those of other submitted requests for its artifact, oldest first.

    Values that depend on the deployment are compared within the environment of the request.
    """
    of_deployment, of_request = map(catalog.names_of, (MetricScope.DEPLOYMENT, MetricScope.REQUEST))
    comparable = Q(request__environment=request.environment) | ~Q(name__in=of_deployment)
    others = Q(request__model_version__digest=request.model_version.digest, request__submitted_at__isnull=False)
    rows = MetricRecord.objects.filter(Q(request=request) | (comparable & others & ~Q(name__in=of_request)))
    rows = rows.select_related("run", "statement", "request__decision").defer("statement__envelope")
    return tuple(rows.defer("run__result", "run__equivalence", "run__plan").order_by("pk"))


def on_record(
    request: ReviewRequest, *, records: Sequence[MetricRecord], catalog: MetricCatalog, now: datetime
) -> tuple[MetricValue, ...]:
    """The values that the claims of the request must not fall below. The own ones count once it is submitted."""
    counting = [row for row in records if row.request_id != request.pk or request.submitted_at is not None]
    return values_on_record([_recorded(row, request) for row in counting], catalog=catalog, now=now)


def peers_of(request: ReviewRequest, *, name: str) -> list[Decimal]:
    """The values of a metric in other requests that have the smallest and the largest magnitudes, some of each."""
    others = MetricRecord.objects.filter(name=name).exclude(request=request).annotate(size=Abs("value"))
    values = others.values_list("value", flat=True)
    return [*values.order_by("size")[:PEERS_MIN], *values.order_by("-size")[:PEERS_MIN]]


def _recorded(row: MetricRecord, request: ReviewRequest) -> RecordedValue:
    holder = row.request
    decision = getattr(holder, "decision", None) if holder.pk != request.pk else None
    is_approved = decision is not None and decision.outcome != REJECTED and holder.environment == request.environment
    return RecordedValue(
        value=metric_value_of(row),
        request_id=row.request_id,
        submitted_at=holder.submitted_at or row.observed_at,
        approved_at=decision.decided_at if decision is not None and is_approved else None,
    )
