"""Compare projected, measured and billed costs by month, for one authorized model.

The projection of a month is one twelfth of the yearly one, and so are its P10, median and P90. This assumes that all
months deviate alike.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from governance.bills.domain.variance.calibration import PastMonth
from governance.bills.domain.variance.forecast import YearEndForecast, year_end
from governance.bills.domain.variance.split import Split
from governance.rulebook.domain.monitoring import Monitoring
from reviews.requests.domain.transition_types import NamedState
from weighbridge.core.metrics.values import MetricValue
from weighbridge.core.money import CENT

TOLERANCE = Monitoring().cost_tolerance
MONTHS = 12


class MonthStatus(NamedState):
    """How the bill of a month compares with its projection."""

    NOT_OVER = "not_over"
    UNBILLED = "unbilled"
    UNPLANNED = "unplanned"
    WITHIN = "within"
    ABOVE = "above"
    BREACH = "breach"
    NO_RATE = "no_rate"


@dataclass(frozen=True)
class Billed:
    """The billed amounts of a month: US dollars, GPU hours, and paid server hours.

    `currencies` are those of further amounts that have no exchange rate.
    """

    usd: Decimal
    gpu_hours: Decimal
    server_hours: Decimal = Decimal(0)
    currencies: frozenset[str] = frozenset()

    def __add__(self, other: "Billed") -> "Billed":
        return Billed(
            self.usd + other.usd,
            self.gpu_hours + other.gpu_hours,
            self.server_hours + other.server_hours,
            self.currencies | other.currencies,
        )


@dataclass(frozen=True)
class Span:
    """A monthly cost in US dollars; the bounds (P10, P90) are None if none were given."""

    low: Decimal | None
    median: Decimal
    high: Decimal | None

    def limit(self, tolerance: Decimal) -> Decimal:
        """The highest cost of a month that is not a breach: the larger of P90 and median * (1 + tolerance)."""
        tolerated = self.median * (1 + tolerance)
        return tolerated if self.high is None else max(self.high, tolerated)


@dataclass(frozen=True)
class ComparedMonth:
    """One month. `is_over` says that the month has ended.

    `billed` is None if there is no bill for it, or if a part of it has no exchange rate. `parts` splits the difference
    into volume, efficiency and price; `missing_inputs` names the inputs missing for that or for the billed amount.
    `is_generated` says that the bill was generated and does not come from a provider.
    """

    month: date
    projected: Span | None
    measured: Span | None
    billed: Decimal | None
    gpu_hours: Decimal | None
    is_over: bool
    requests: int | None = None
    parts: Split | None = None
    missing_inputs: tuple[str, ...] = ()
    is_generated: bool = False
    tolerance: Decimal = TOLERANCE
    server_hours: Decimal | None = None

    @property
    def limit(self) -> Decimal | None:
        """The limit of the month in US dollars; None without a projection."""
        return None if self.projected is None else self.projected.limit(self.tolerance)

    @property
    def difference(self) -> Decimal | None:
        """The billed amount minus the projected median, in US dollars."""
        return None if self.billed is None or self.projected is None else self.billed - self.projected.median

    @property
    def has_no_rate(self) -> bool:
        """Whether a part of the bill has no exchange rate. The month is then not compared."""
        return self.billed is None and bool(self.missing_inputs)

    @property
    def status(self) -> MonthStatus:
        """The status of the month. Before a month ends, its only verdict can be a breach."""
        if self.has_no_rate:
            return MonthStatus.NO_RATE
        if self.billed is None:
            return MonthStatus.UNBILLED if self.is_over else MonthStatus.NOT_OVER
        if self.projected is None:
            return MonthStatus.UNPLANNED
        if self.billed > self.projected.limit(self.tolerance):
            return MonthStatus.BREACH
        if not self.is_over:
            return MonthStatus.NOT_OVER
        return MonthStatus.ABOVE if self.billed > self.projected.median else MonthStatus.WITHIN


def monthly_span(metric_value: MetricValue | None) -> Span | None:
    """One twelfth of a yearly metric value in US dollars, rounded to cents."""
    if metric_value is None:
        return None
    low, median, high = (
        None if value is None else (value / MONTHS).quantize(CENT)
        for value in (metric_value.lower, metric_value.value, metric_value.upper)
    )
    return Span(low, median or Decimal(0), high)


def months_of(issued_on: date, *, today: date) -> tuple[date, ...]:
    """The first day of each whole month since the authorization was issued, up to the present month; at most twelve."""
    start = issued_on if issued_on.day == 1 else month_end(issued_on)
    return tuple(month for month in _year_from(start) if month <= today)


def month_end(day: date) -> date:
    """The first day after the month of this day."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def compare(
    months: Sequence[date],
    *,
    projected: Span | None,
    measured: Span | None,
    billed: Mapping[date, Billed],
    today: date,
    generated: Collection[date] = (),
    tolerance: Decimal = TOLERANCE,
) -> tuple[ComparedMonth, ...]:
    """The months with their costs; `generated` are the months with generated bills."""
    return tuple(
        ComparedMonth(
            month,
            projected,
            measured,
            billed=bill.usd if bill and not bill.currencies else None,
            gpu_hours=bill.gpu_hours if bill else None,
            server_hours=bill.server_hours if bill else None,
            is_over=month_end(month) <= today,
            missing_inputs=tuple(f"an exchange rate for {each}" for each in sorted(bill.currencies)) if bill else (),
            is_generated=month in generated,
            tolerance=tolerance,
        )
        for month, bill in ((month, billed.get(month)) for month in months)
    )


def outlook_of(
    months: Sequence[ComparedMonth], *, spent: Mapping[date, Decimal] | None = None
) -> YearEndForecast | None:
    """Forecast the cost of the first year: ended months billed without a gap, and the projection for the rest.

    `spent` is the cost of the model by month. If it covers the whole previous year, that year becomes the baseline.
    """
    planned = months[0].projected if months else None
    if planned is None or planned.median <= 0:
        return None
    actual: list[Decimal] = []
    for month in months:
        if month.billed is None or not month.is_over:
            break
        actual.append(month.billed)
    before = [date(month.year - 1, month.month, 1) for month in _year_from(months[0].month)]
    past = [spent[month] for month in before if month in spent] if spent else []
    return year_end([planned.median] * MONTHS, actual, year_before=past if len(past) == MONTHS else ())


def _year_from(month: date) -> tuple[date, ...]:
    months = [month]
    while len(months) < MONTHS:
        months.append(month_end(months[-1]))
    return tuple(months)


def past_months_of(months: Sequence[ComparedMonth], *, widened_by: Decimal = Decimal(1)) -> tuple[PastMonth, ...]:
    """The months that show the accuracy of the projection: ended, billed, and projected with a P90.

    `widened_by` is the factor by which the range was widened when it was stated.
    """
    return tuple(
        PastMonth(month.projected.median, month.projected.high, month.billed, widened_by)
        for month in months
        if month.is_over
        and month.billed is not None
        and month.projected is not None
        and month.projected.high is not None
        and month.projected.median > 0
    )
