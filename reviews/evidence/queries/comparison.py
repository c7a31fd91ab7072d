"""Compare projections with bills: the months of a request, its forecast, and the record of its estimators."""

from collections.abc import Mapping, Sequence
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
from governance.bills.domain.variance.forecast import YearEndForecast
from governance.bills.queries import spend
from governance.exports.domain.tables import ExportTable
from governance.people.queries.people import name_of
from governance.rulebook.domain.policy import Policy
from governance.rulebook.queries.rulebook import policies_in_force
from reviews.evidence.domain.comparison import (
    TOLERANCE,
    Billed,
    ComparedMonth,
    Span,
    compare,
    month_end,
    monthly_span,
    months_of,
    outlook_of,
    past_months_of,
)
from reviews.evidence.domain.month_variance import with_parts
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries import projections
from reviews.evidence.queries.comparison_sources import (
    YEARLY,
    BilledHistory,
    RequestHistory,
    histories_of,
    past_histories,
)
from reviews.evidence.queries.comparison_tokens import TokenComparison, tokens_of
from reviews.evidence.queries.evidence import metric_values_of
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import monitoring_for
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue, best

PLANNED, MEASURED = (Basis.DECLARED, Basis.ESTIMATED), (Basis.MEASURED,)


@dataclass(frozen=True)
class ProjectionRecord:
    """The accuracy of past projections of a team or person; `widened_high` is the P90 this record would require."""

    estimator: str
    calibration: ForecastCalibration
    widened_high: Decimal | None


@dataclass(frozen=True)
class CostComparison:
    """The costs of a request by month: projected, measured and billed."""

    ref: str
    authorization: str
    projected: Span | None
    measured: Span | None
    months: tuple[ComparedMonth, ...]
    apart: tuple[str, ...]
    outlook: YearEndForecast | None
    records: tuple[ProjectionRecord, ...]
    tokens: TokenComparison

    @property
    def is_generated(self) -> bool:
        """Whether any of the bills was generated. Then all results based on the bills are, too."""
        return any(month.is_generated for month in self.months)


def compare_costs(*, request: ReviewRequest, now: datetime) -> CostComparison:
    """The cost comparison of a request. Without an authorization, it has no months but still the record of the team."""
    history = histories_of([request])[request.pk]
    projected, measured = _planned(history.metric_values), _measured(history.metric_values)
    months, apart = _months(history, _tolerance(history, policies_in_force()), now)
    return CostComparison(
        ref=request.ref,
        authorization=history.authorization.number if history.authorization else "",
        projected=projected,
        measured=measured,
        months=months,
        apart=apart,
        outlook=outlook_of(months, spent=_spent_on_model(request)) if months else None,
        records=_records(request, estimators_of(request), projected, now),
        tokens=tokens_of(request, history=history, months=months),
    )


def records_for_filing(*, request: ReviewRequest, estimator: User, now: datetime) -> tuple[ProjectionRecord, ...]:
    """The accuracy of past projections of the team and of the estimator; empty if nothing is billed yet."""
    projected = _planned(metric_values_of(request))
    return _records(request, frozenset({estimator.pk}), projected, now)


def widening_for(*, request: ReviewRequest, estimator: User, now: datetime) -> Widening | None:
    """The widening that the records of team and estimator require (the larger one); None below nine billed months."""
    records = records_for_filing(request=request, estimator=estimator, now=now)
    return widest(record.calibration for record in records)


def months_of_request(request: ReviewRequest, *, now: datetime) -> tuple[ComparedMonth, ...]:
    """The months of a request, without the record of past projections; empty without an authorization."""
    return months_by_request(histories_of([request]), now=now)[request.pk]


def months_by_request(
    histories: Mapping[int, RequestHistory], *, now: datetime
) -> dict[int, tuple[ComparedMonth, ...]]:
    """The months of many requests, by request id."""
    policies = policies_in_force()
    return {pk: _months(history, _tolerance(history, policies), now)[0] for pk, history in histories.items()}


def _tolerance(history: RequestHistory, policies: Sequence[Policy]) -> Decimal:
    return monitoring_for(history.subject, policies=policies).cost_tolerance


def table(comparison: CostComparison, *, request: ReviewRequest) -> ExportTable:
    """The months as a table of FOCUS rows."""
    asset = request.model_version.asset
    planned = [
        PlannedMonth(
            month=month.month,
            month_end=month_end(month.month),
            authorization=comparison.authorization,
            request=comparison.ref,
            team=request.team.slug,
            model=f"{asset.team.slug}/{asset.slug}",
            low=month.projected.low if month.projected else None,
            median=month.projected.median if month.projected else None,
            high=month.projected.high if month.projected else None,
            measured=month.measured.median if month.measured else None,
            billed=month.billed,
            requests=month.requests,
            parts=month.parts,
            total=month.difference,
        )
        for month in comparison.months
    ]
    return ExportTable(f"projection-{comparison.ref}", COLUMNS, focus_rows(planned), len(planned))


def estimators_of(request: ReviewRequest) -> frozenset[int]:
    """The ids of the people who stated a yearly cost of the request."""
    rows = request.metric_records.filter(name__in=YEARLY, stated_by__isnull=False)
    return frozenset(rows.values_list("stated_by_id", flat=True))


def _records(
    request: ReviewRequest, mine: frozenset[int], projected: Span | None, now: datetime
) -> tuple[ProjectionRecord, ...]:
    cases = {
        pk: past_months_of(_compared(history, TOLERANCE, now)[0], widened_by=history.widened_by or Decimal(1))
        for pk, history in past_histories(besides=request).items()
    }
    if projections.widenings_of([request.pk]).get(request.pk) is not None:
        projected = None  # its range is already widened
    of_team = [case for months in cases.values() for case in months]
    records = [_record(f"the team {request.team.name}", of_team, projected)]
    if mine:
        estimated = MetricRecord.objects.filter(request__in=list(cases), name__in=YEARLY, stated_by__in=mine)
        ours = set(estimated.values_list("request_id", flat=True))
        of_mine = [case for pk, months in cases.items() if pk in ours for case in months]
        who = ", ".join(sorted(name_of(user) for user in User.objects.filter(pk__in=mine)))
        records.append(_record(f"{who}, who estimates this", of_mine, projected))
    return tuple(record for record in records if record is not None)


def _record(estimator: str, cases: list[PastMonth], projected: Span | None) -> ProjectionRecord | None:
    calibration = calibrate(cases)
    if calibration is None:
        return None
    if projected is None or projected.high is None:
        return ProjectionRecord(estimator, calibration, None)
    return ProjectionRecord(estimator, calibration, widened(projected.median, projected.high, calibration))


def _months(
    history: RequestHistory, tolerance: Decimal, now: datetime
) -> tuple[tuple[ComparedMonth, ...], tuple[str, ...]]:
    compared, apart = _compared(history, tolerance, now)
    return with_parts(compared, load=history.load, traffic=history.traffic), apart


def _compared(
    history: BilledHistory, tolerance: Decimal, now: datetime
) -> tuple[tuple[ComparedMonth, ...], tuple[str, ...]]:
    if history.authorization is None:
        return (), ()
    months = months_of(history.authorization.issued_at.date(), today=now.date())
    billed: dict[date, Billed] = {}
    apart, generated = [], set()
    for row in history.billed:
        if row.month in months and history.owns(row):
            bill = Billed(row.effective, row.gpu_hours, row.server_hours, frozenset(row.apart))
            billed[row.month] = billed[row.month] + bill if row.month in billed else bill
            if row.is_generated:
                generated.add(row.month)
            if row.apart:
                apart.append(f"{row.month:%Y-%m}: {spend.unconverted_text(row.apart)}")
    projected, measured = _planned(history.metric_values), _measured(history.metric_values)
    compared = compare(
        months,
        projected=projected,
        measured=measured,
        billed=billed,
        today=now.date(),
        generated=generated,
        tolerance=tolerance,
    )
    return compared, tuple(apart)


def _spent_on_model(request: ReviewRequest) -> dict[date, Decimal]:
    """The effective cost of the model in US dollars by month, over all its requests.

    A month without an exchange rate for a part of its cost is left out.
    """
    asset = request.model_version.asset
    refs = ReviewRequest.objects.filter(model_version__asset=asset).values_list("ref", flat=True)
    rows, spent = spend.of_model(asset=asset, request_refs=refs), dict[date, Decimal]()
    partial = {row.month for row in rows if row.apart}
    for row in (row for row in rows if row.month not in partial):
        spent[row.month] = spent.get(row.month, Decimal(0)) + row.effective
    return spent


def _planned(metric_values: list[MetricValue]) -> Span | None:
    """The monthly cost before any measurement: the estimate, else the declared value."""
    return _twelfth(metric_values, PLANNED)


def _measured(metric_values: list[MetricValue]) -> Span | None:
    return _twelfth(metric_values, MEASURED) or _scaled(metric_values)


def _twelfth(metric_values: list[MetricValue], accept: tuple[Basis, ...]) -> Span | None:
    values = (best(metric_values, name=name, catalog=STANDARD, accept=accept) for name in YEARLY)
    return monthly_span(next((metric_value for metric_value in values if metric_value is not None), None))


def _scaled(metric_values: list[MetricValue]) -> Span | None:
    """The projected month scaled by measured / projected cost per 1,000 inferences; None if either is missing."""
    planned = _planned(metric_values)
    projected_1k, measured_1k = (
        best(metric_values, name="cost_per_1k_usd", catalog=STANDARD, accept=accept) for accept in (PLANNED, MEASURED)
    )
    if planned is None or projected_1k is None or measured_1k is None or projected_1k.value <= 0:
        return None
    share = measured_1k.value / projected_1k.value
    return Span(None, (planned.median * share).quantize(Decimal("0.01")), None)
