"""Reads of a request's cost projections: which counts, and how it would read with what a benchmark measured."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from benchmarking.projections.domain.projection_table import Move, moves_of
from benchmarking.projections.queries import projected
from benchmarking.runs.models import Run
from benchmarking.runs.queries.runs import Metric, metrics_of
from governance.people.queries.people import name_of
from governance.rulebook.domain.benchmark_plans import ScenarioName
from reviews.evidence.domain.projected import projected_metric_values
from reviews.evidence.models import RequestProjection
from reviews.requests.models import ReviewRequest
from reviews.scorecard.domain.filed import FiledKpi, filed
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.kpis import read_kpis
from weighbridge.costs.changes import changes
from weighbridge.costs.measured import ServiceTime, with_measured

RATE = "throughput_per_s"


@dataclass(frozen=True)
class Redrawn:
    """A projection with measured service times, made from the one numbered `number`; `changes` says what moved.

    `why_not` is why none could be made: the load is not served at what was measured.
    """

    number: int
    option: str
    spec: Mapping[str, Any]
    document: Mapping[str, Any]
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class ProjectionView:
    """A projection as the page, the API and the packet show it; the latest comes first and counts."""

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
        """The option the request asks for."""
        return next(option for option in self.document["options"] if option["id"] == self.option)

    @property
    def moves(self) -> tuple[Move, ...]:
        """What moved of the option the request asks for."""
        return tuple(move for move in moves_of(self.changes, self.document) if move.option == self.option)


def latest(request: ReviewRequest) -> RequestProjection | None:
    """The projection that counts."""
    return request.projections.select_related("projection").order_by("-number").first()


def filed_kpis(request: ReviewRequest) -> tuple[FiledKpi, ...]:
    """The KPI map of the projection that counts, in the words of the scorecard; nothing where none was filed."""
    stated = latest(request)
    if stated is None or not stated.projection.document.get("kpis"):
        return ()
    return tuple(filed(link, ref=request.ref) for link in read_kpis(Reader(stated.projection.document)))


def latest_of(requests: Sequence[ReviewRequest]) -> list[RequestProjection]:
    """The projections that count, of many requests at once."""
    rows = RequestProjection.objects.filter(request__in=requests).select_related("projection")
    return list(rows.order_by("request_id", "-number").distinct("request_id"))


def projection_view(row: RequestProjection) -> ProjectionView:
    """A projection of a request as it is shown."""
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


def redrawn(*, request: ReviewRequest, run: Run) -> Redrawn | None:
    """The latest projection with the service times this run measured; None where there is nothing to draw anew.

    Computed outside any transaction: it takes some tenths of a second.
    """
    row, time = latest(request), _service_time(run)
    if row is None or time is None:
        return None
    spec = with_measured(row.projection.spec, option=row.option, time=time)
    if spec is None:
        return None
    try:
        document = projected(spec, on=row.projection.kept_at.date())
    except Invalid as refused:
        return Redrawn(row.number, row.option, spec, {}, why_not=refused.reason)
    moved = changes(row.projection.document, document)
    return Redrawn(row.number, row.option, spec, document, moved, _why_not(document, row.option))


def measuring_run(request: ReviewRequest) -> Run | None:
    """The latest run whose metric values are metrics of the request and tell a service time."""
    ids = request.metric_records.filter(run__isnull=False, name=RATE).values_list("run_id", flat=True)
    return Run.objects.filter(pk__in=ids, scenario=ScenarioName.SINGLE_STREAM).order_by("-pk").first()


def _service_time(run: Run) -> ServiceTime | None:
    """One request after the other keeps one slot busy for the inverse of the rate."""
    rates = {metric.name: metric for metric in metrics_of(run.result or {})}
    rate = rates.get(RATE)
    if run.scenario != ScenarioName.SINGLE_STREAM or rate is None or rate.value <= 0:
        return None
    low, high = _bounds(rate)
    return ServiceTime(1 / high, 1 / low)


def _why_not(document: Mapping[str, Any], option: str) -> str:
    try:
        projected_metric_values(document, option=option)
    except Invalid as refused:
        return refused.reason
    return ""


def _bounds(rate: Metric) -> tuple[float, float]:
    low = rate.value if rate.lower is None else rate.lower
    high = rate.value if rate.upper is None else rate.upper
    return (float(low), float(high)) if low > 0 else (float(rate.value), float(rate.value))
