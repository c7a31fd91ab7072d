"""Reads of the cost projections of a request: the latest one, and its recalculation with measured service times."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from benchmarking.projections.domain.projection_table import Move, moves_of
from benchmarking.projections.queries import projected
from benchmarking.runs.domain.metrics import metrics_of
from benchmarking.runs.models import Run
from governance.people.queries.people import name_of
from governance.rulebook.domain.benchmark_plans import ScenarioName
from reviews.evidence.domain.projected import projected_metric_values
from reviews.evidence.models import RequestProjection
from reviews.requests.models import ReviewRequest
from reviews.scorecard.domain.filed import FiledKpi, filed_kpi
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.kpis import read_kpis
from weighbridge.costs.changes import changes
from weighbridge.costs.measured import ServiceTime, with_measured

RATE = "throughput_per_s"


@dataclass(frozen=True)
class RecalculatedProjection:
    """A projection recalculated with measured service times from projection `number`; `changes` holds what changed.

    If the recalculation failed, for example because the load cannot be served, `why_not` is the reason.
    """

    number: int
    option: str
    spec: Mapping[str, Any]
    document: Mapping[str, Any]
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class ProjectionView:
    """A projection for page, API and packet. The latest comes first and counts."""

    number: int
    token: str
    title: str
    option: str
    digest: str
    document: Mapping[str, Any]
    run_id: int | None
    changes: Mapping[str, Any]
    stated_by: str
    stated_at: datetime
    widened_by: Decimal | None = None
    widened_on: int | None = None

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The option that the request is about."""
        return next(option for option in self.document["options"] if option["id"] == self.option)

    @property
    def moves(self) -> tuple[Move, ...]:
        """The changed values of the option that the request is about."""
        return tuple(move for move in moves_of(self.changes, self.document) if move.option == self.option)


def latest(request: ReviewRequest) -> RequestProjection | None:
    """The latest projection, which is the one that counts."""
    return request.projections.select_related("projection").order_by("-number").first()


def filed_kpis(request: ReviewRequest) -> tuple[FiledKpi, ...]:
    """The KPIs of the latest projection as KPIs of the scorecard; empty if it has none."""
    stated = latest(request)
    if stated is None or not stated.projection.document.get("kpis"):
        return ()
    return tuple(filed_kpi(link, ref=request.ref) for link in read_kpis(Reader(stated.projection.document)))


def latest_of(requests: Sequence[ReviewRequest]) -> list[RequestProjection]:
    """The latest projection of each request, with one query."""
    rows = RequestProjection.objects.filter(request__in=requests).select_related("projection")
    return list(rows.order_by("request_id", "-number").distinct("request_id"))


def widenings_of(requests: Collection[int]) -> dict[int, Decimal | None]:
    """By what the range of the latest projection of each request was widened; None if it was not. One query."""
    rows = RequestProjection.objects.filter(request__in=requests).order_by("request_id", "-number")
    return dict(rows.distinct("request_id").values_list("request_id", "widened_by"))


def projection_view(row: RequestProjection) -> ProjectionView:
    """The view of a projection of a request."""
    return ProjectionView(
        number=row.number,
        token=row.projection.token,
        title=row.projection.title,
        option=row.option,
        digest=row.projection.digest,
        document=row.projection.document,
        run_id=row.run_id,
        changes=row.changes,
        stated_at=row.stated_at,
        widened_by=row.widened_by,
        widened_on=row.widened_on,
        stated_by=name_of(row.stated_by) if row.stated_by else "",
    )


def recalculate(*, request: ReviewRequest, run: Run) -> RecalculatedProjection | None:
    """Recalculate the latest projection with the service time that the run measured; None if this changes nothing.

    Call it outside transactions: it takes some tenths of a second.
    """
    row, time = latest(request), _service_time(run)
    if row is None or time is None:
        return None
    spec = with_measured(row.projection.spec, option=row.option, time=time)
    if spec is None:
        return None
    try:
        document = projected(spec, on=row.projection.kept_at.date())
    except Invalid as error:
        return RecalculatedProjection(row.number, row.option, spec, {}, why_not=error.reason)
    changed = changes(row.projection.document, document)
    return RecalculatedProjection(row.number, row.option, spec, document, changed, _why_not(document, row.option))


def measuring_run(request: ReviewRequest) -> Run | None:
    """The latest run in the evidence of the request that measured a service time."""
    ids = request.metric_records.filter(run__isnull=False, name=RATE).values_list("run_id", flat=True)
    return Run.objects.filter(pk__in=ids, scenario=ScenarioName.SINGLE_STREAM).order_by("-pk").first()


def _service_time(run: Run) -> ServiceTime | None:
    """The service time of one request: the inverse of the measured rate of sequential requests."""
    rates = {metric.name: metric for metric in metrics_of(run.result or {})}
    rate = rates.get(RATE)
    if run.scenario != ScenarioName.SINGLE_STREAM or rate is None or rate.value <= 0:
        return None
    low, high = rate.bounds if rate.bounds[0] > 0 else (rate.value, rate.value)
    return ServiceTime(1 / float(high), 1 / float(low))


def _why_not(document: Mapping[str, Any], option: str) -> str:
    try:
        projected_metric_values(document, option=option)
    except Invalid as error:
        return error.reason
    return ""
