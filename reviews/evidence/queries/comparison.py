"""Reads for plans against bills: a request's months side by side, its year's end, and how its estimators did before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.contrib.auth.models import User

from governance.bills.domain.variance.calibration import (
    ForecastCalibration,
    PastMonth,
    Widening,
    calibrate,
    widened,
    widest,
)
from governance.bills.domain.variance.focus_rows import COLUMNS, PlannedMonth, focus_rows
from governance.bills.domain.variance.forecast import Outlook
from governance.bills.queries import spend
from governance.exports.domain.tables import ExportTable
from governance.people.queries.people import name_of
from reviews.authorizations.models import Authorization
from reviews.evidence.domain.comparison import (
    Billed,
    ComparedMonth,
    Span,
    cases_of,
    compare,
    month_end,
    monthly,
    months_of,
    outlook_of,
)
from reviews.evidence.domain.month_parts import with_parts
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries import projections
from reviews.evidence.queries.comparison_sources import RequestHistory, known_of
from reviews.evidence.queries.evidence import metric_values_of
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import monitoring_in_force
from weighbridge.core import metrics
from weighbridge.core.metrics import Basis, MetricValue

YEARLY = ("inference_cost_1y_usd", "total_cost_1y_usd")
PLANNED = (Basis.DECLARED, Basis.ESTIMATED)


@dataclass(frozen=True)
class ProjectionRecord:
    """How past projections of somebody did; `widened_high` is the P90 of this request as that past asks for."""

    whose: str
    calibration: ForecastCalibration
    widened_high: Decimal | None


@dataclass(frozen=True)
class CostComparison:
    """A request's costs: planned, measured and billed by month."""

    ref: str
    authorization: str
    projected: Span | None
    measured: Span | None
    months: tuple[ComparedMonth, ...]
    apart: tuple[str, ...]
    outlook: Outlook | None
    records: tuple[ProjectionRecord, ...]

    @property
    def is_generated(self) -> bool:
        """Whether a bill among them was generated, so that whatever rests on the bills is."""
        return any(month.is_generated for month in self.months)


def of_request(*, request: ReviewRequest, now: datetime) -> CostComparison:
    """The comparison; without an authorization it has no months, and still tells how the team's estimates
    did before.
    """
    known = known_of([request])[request.pk]
    projected, measured = _planned(known.metric_values, now=now), _measured(known.metric_values, now=now)
    months, apart = _months(known, monitoring_in_force().cost_tolerance, now)
    return CostComparison(
        ref=request.ref,
        authorization=known.held.number if known.held else "",
        projected=projected,
        measured=measured,
        months=months,
        apart=apart,
        outlook=outlook_of(months, spent=_spent_on_model(request)) if months else None,
        records=_records(request, estimators_of(request), projected, now),
    )


def records_for_filing(*, request: ReviewRequest, estimator: User, now: datetime) -> tuple[ProjectionRecord, ...]:
    """How past projections of the team, and of whoever is about to state one, did; empty where nothing is
    billed yet.
    """
    projected = _planned(metric_values_of(request), now=now)
    return _records(request, frozenset({estimator.pk}), projected, now)


def widening_for(*, request: ReviewRequest, estimator: User, now: datetime) -> Widening | None:
    """How much wider a range those pasts ask for, the wider of the two; None with fewer than nine billed months."""
    records = records_for_filing(request=request, estimator=estimator, now=now)
    return widest(record.calibration for record in records)


def months_of_request(request: ReviewRequest, *, now: datetime) -> tuple[ComparedMonth, ...]:
    """The months alone, without the record of past estimates; none without an authorization."""
    return months_by_request(known_of([request]), now=now)[request.pk]


def months_by_request(known: Mapping[int, RequestHistory], *, now: datetime) -> dict[int, tuple[ComparedMonth, ...]]:
    """The months of many requests, by the id of each, from what is known of them."""
    tolerance = monitoring_in_force().cost_tolerance
    return {pk: _months(each, tolerance, now)[0] for pk, each in known.items()}


def table(comparison: CostComparison, *, request: ReviewRequest) -> ExportTable:
    """The projection's months as rows in the shape of FOCUS."""
    asset = request.model_version.asset
    planned = [
        PlannedMonth(
            month=each.month,
            month_end=month_end(each.month),
            authorization=comparison.authorization,
            request=comparison.ref,
            team=request.team.slug,
            model=f"{asset.team.slug}/{asset.slug}",
            low=each.projected.low if each.projected else None,
            middle=each.projected.middle if each.projected else None,
            high=each.projected.high if each.projected else None,
            measured=each.measured.middle if each.measured else None,
            billed=each.billed,
            requests=each.requests,
            parts=each.parts,
            total=each.difference,
        )
        for each in comparison.months
    ]
    return ExportTable(f"projection-{comparison.ref}", COLUMNS, focus_rows(planned), len(planned))


def estimators_of(request: ReviewRequest) -> frozenset[int]:
    """Whoever stated a yearly cost of the request."""
    rows = request.metric_records.filter(name__in=YEARLY, stated_by__isnull=False)
    return frozenset(rows.values_list("stated_by_id", flat=True))


def past_months(*, others: Iterable[Authorization], now: datetime) -> dict[int, tuple[PastMonth, ...]]:
    """The cases of authorizations by the id of their request."""
    known = known_of([held.decision.request for held in others])
    months = months_by_request(known, now=now)
    return {pk: cases_of(months[pk], widened_by=each.widened_by or Decimal(1)) for pk, each in known.items()}


def _records(
    request: ReviewRequest, mine: frozenset[int], projected: Span | None, now: datetime
) -> tuple[ProjectionRecord, ...]:
    others = list(
        Authorization.objects.select_related("decision__request__team", "decision__request__model_version__asset__team")
        .filter(decision__request__team=request.team)
        .exclude(decision__request=request)
        .order_by("pk")
    )
    cases = past_months(others=others, now=now)
    stated = projections.latest(request)
    if stated is not None and stated.widened_by is not None:
        projected = None  # it is as wide as was asked for already
    of_team = [case for months in cases.values() for case in months]
    found = [_record(f"the team {request.team.name}", of_team, projected)]
    if mine:
        estimated = MetricRecord.objects.filter(request__in=list(cases), name__in=YEARLY, stated_by__in=mine)
        ours = set(estimated.values_list("request_id", flat=True))
        of_mine = [case for pk, months in cases.items() if pk in ours for case in months]
        who = ", ".join(sorted(name_of(user) for user in User.objects.filter(pk__in=mine)))
        found.append(_record(f"{who}, who estimates this", of_mine, projected))
    return tuple(record for record in found if record is not None)


def _record(whose: str, cases: list[PastMonth], projected: Span | None) -> ProjectionRecord | None:
    calibration = calibrate(cases)
    if calibration is None:
        return None
    if projected is None or projected.high is None:
        return ProjectionRecord(whose, calibration, None)
    return ProjectionRecord(whose, calibration, widened(projected.middle, projected.high, calibration))


def _months(
    known: RequestHistory, tolerance: Decimal, now: datetime
) -> tuple[tuple[ComparedMonth, ...], tuple[str, ...]]:
    if known.held is None:
        return (), ()
    months = months_of(known.held.issued_at.date(), today=now.date())
    billed: dict[date, Billed] = {}
    apart, generated = [], set()
    for row in known.billed:
        if row.month in months and known.owns(row):
            told = Billed(row.effective, row.gpu_hours, row.server_hours)
            billed[row.month] = billed[row.month] + told if row.month in billed else told
            if row.is_generated:
                generated.add(row.month)
            if row.apart:
                apart.append(f"{row.month:%Y-%m}: {spend.apart_words(row.apart)}")
    projected, measured = _planned(known.metric_values, now=now), _measured(known.metric_values, now=now)
    found = compare(
        months,
        projected=projected,
        measured=measured,
        billed=billed,
        today=now.date(),
        generated=generated,
        tolerance=tolerance,
    )
    return with_parts(found, load=known.load, traffic=known.traffic), tuple(apart)


def _spent_on_model(request: ReviewRequest) -> dict[date, Decimal]:
    """Effective US dollars of the model by month, whichever of its requests they were for."""
    asset = request.model_version.asset
    refs = ReviewRequest.objects.filter(model_version__asset=asset).values_list("ref", flat=True)
    found: dict[date, Decimal] = {}
    for row in spend.of_model(asset=asset, request_refs=refs):
        found[row.month] = found.get(row.month, Decimal(0)) + row.effective
    return found


def _planned(metric_values: list[MetricValue], *, now: datetime) -> Span | None:
    """What the request was judged by before anything was measured: the estimate, or else the claim."""
    found = (metrics.best(metric_values, name=name, now=now, accept=PLANNED) for name in YEARLY)
    return monthly(next((metric_value for metric_value in found if metric_value is not None), None))


def _measured(metric_values: list[MetricValue], *, now: datetime) -> Span | None:
    found = (metrics.best(metric_values, name=name, now=now, accept=(Basis.MEASURED,)) for name in YEARLY)
    metric_value = next((each for each in found if each is not None), None)
    if metric_value is not None:
        return monthly(metric_value)
    return _scaled(metric_values, now=now)


def _scaled(metric_values: list[MetricValue], *, now: datetime) -> Span | None:
    """The planned month at the measured cost of a thousand inferences, where both that and the planned one
    are known.
    """
    planned = _planned(metric_values, now=now)
    plan, seen = (
        metrics.best(metric_values, name="cost_per_1k_usd", now=now, accept=accept)
        for accept in (PLANNED, (Basis.MEASURED,))
    )
    if planned is None or plan is None or seen is None or plan.value <= 0:
        return None
    share = seen.value / plan.value
    return Span(None, (planned.middle * share).quantize(Decimal("0.01")), None)
