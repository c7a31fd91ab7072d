"""The metric values on record for an artifact: those of every submitted request for it, by any team."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import Q
from django.db.models.functions import Abs

from reviews.evidence.domain.added_needs import ClearedNeed
from reviews.evidence.domain.claims import CLAIMED, RecordedValue, values_on_record
from reviews.evidence.domain.plausibility import PEERS_MIN
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.evidence import metric_value_of, metric_values_by_request
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.enums import REJECTED
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.catalog import MetricCatalog, MetricScope
from weighbridge.core.metrics.values import MetricValue

LATEST = datetime.max.replace(tzinfo=UTC)
"""The end of the record of a request that is not decided. Not the present: a concurrent claim may be newer."""


def records_of_artifact(request: ReviewRequest, *, catalog: MetricCatalog) -> tuple[MetricRecord, ...]:
    """The metric values of the request, and those of other submitted requests for its artifact, oldest first.

    Values that depend on the deployment are compared within the environment of the request.
    """
    of_deployment, of_request = map(catalog.names_of, (MetricScope.DEPLOYMENT, MetricScope.REQUEST))
    comparable = Q(request__environment=request.environment) | ~Q(name__in=of_deployment)
    others = Q(request__submitted_at__isnull=False)
    same = ReviewRequest.objects.filter(model_version__digest=request.model_version.digest)
    rows = MetricRecord.objects.filter(request__in=same.values("pk"))
    rows = rows.filter(Q(request=request) | (comparable & others & ~Q(name__in=of_request)))
    rows = rows.select_related("run", "statement", "request__decision").defer("statement__envelope")
    return tuple(rows.defer("run__result", "run__equivalence", "run__plan").order_by("pk"))


def on_record(
    request: ReviewRequest, *, records: Sequence[MetricRecord], catalog: MetricCatalog, now: datetime
) -> tuple[MetricValue, ...]:
    """The values that the claims of the request must not fall below. The own ones count once it is submitted.

    Of a decided request, they are those at its decision: what is stated or approved later does not change it.
    """
    until = next((_decided_at(row.request) for row in records if row.request_id == request.pk), LATEST)
    counting = [row for row in records if row.request_id != request.pk or request.submitted_at is not None]
    found = (_recorded(row, request, until) for row in counting)
    known = [row for row in found if row.submitted_at <= until and row.value.observed_at <= until]
    return values_on_record(known, catalog=catalog, now=min(now, until))


def unsettled(
    values: Iterable[MetricValue], *, request: ReviewRequest, records: Sequence[MetricRecord]
) -> Iterator[MetricValue]:
    """The values on record without the claims of other requests that were approved for the same environment.

    For the policy, these count too. Of an amount, they do not: it was committed then, and the votes for this request
    settle what it claims.
    """
    recorded = (_recorded(row, request, LATEST) for row in records)
    approved = {row.value.id for row in recorded if row.approved_at is not None}
    return (value for value in values if value.basis not in CLAIMED or value.id not in approved)


def cleared_needs(request: ReviewRequest, *, now: datetime) -> tuple[ClearedNeed, ...]:
    """The other needs for the artifact that are cleared in the environment, by any team and for any of its models.

    The renewal of a need does not add to it. A request that is open or decided is not among them, because it makes the
    review of this one mandatory anyway.
    """
    rows = ReviewRequest.objects.filter(
        model_version__digest=request.model_version.digest,
        environment=request.environment,
        state=RequestState.CLEARED,
        deadline_at__gt=now,
    )
    rows = rows.exclude(pk=request.pk).exclude(model_version=request.model_version_id, purpose=request.purpose)
    cleared = list(rows.order_by("pk"))
    values = metric_values_by_request(cleared)
    return tuple(ClearedNeed(row.ref, row.team_id == request.team_id, values[row.pk]) for row in cleared)


def peers_of(request: ReviewRequest, *, name: str) -> list[Decimal]:
    """The values of a metric in other requests that have the smallest and the largest magnitudes, some of each."""
    others = MetricRecord.objects.filter(name=name).exclude(request=request).annotate(size=Abs("value"))
    values = others.values_list("value", flat=True)
    return [*values.order_by("size")[:PEERS_MIN], *values.order_by("-size")[:PEERS_MIN]]


def _decided_at(request: ReviewRequest) -> datetime:
    decision = getattr(request, "decision", None)
    return LATEST if decision is None else decision.decided_at


def _recorded(row: MetricRecord, request: ReviewRequest, until: datetime) -> RecordedValue:
    holder = row.request
    decision = getattr(holder, "decision", None) if holder.pk != request.pk else None
    is_approved = (
        decision is not None
        and decision.outcome != REJECTED
        and decision.decided_at <= until
        and holder.environment == request.environment
    )
    return RecordedValue(
        value=metric_value_of(row),
        request_id=row.request_id,
        submitted_at=holder.submitted_at or row.observed_at,
        approved_at=decision.decided_at if decision is not None and is_approved else None,
    )
