"""Projected, measured and billed side by side, month by month, for one authorized model.

A month's projection is a twelfth of the year's: its P10, middle and P90 are twelfths too, as if all months were off
alike.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from governance.bills.domain.variance.calibration import PastMonth
from governance.bills.domain.variance.forecast import Outlook, year_end
from governance.bills.domain.variance.split import Split
from governance.rulebook.domain.monitoring import Monitoring
from reviews.requests.domain.steps import Named
from weighbridge.core.metrics import MetricValue
from weighbridge.core.money import CENT

TOLERANCE = Monitoring().cost_tolerance
MONTHS = 12


class MonthStanding(Named):
    """Where a month stands."""

    NOT_OVER = "not_over"
    UNBILLED = "unbilled"
    UNPLANNED = "unplanned"
    WITHIN = "within"
    ABOVE = "above"
    BREACH = "breach"


@dataclass(frozen=True)
class Billed:
    """What bills say of a month: dollars, GPU hours, and the hours of the servers that were paid for."""

    usd: Decimal
    gpu_hours: Decimal
    server_hours: Decimal = Decimal(0)

    def __add__(self, other: "Billed") -> "Billed":
        return Billed(self.usd + other.usd, self.gpu_hours + other.gpu_hours, self.server_hours + other.server_hours)


@dataclass(frozen=True)
class Span:
    """A monthly cost in dollars; the bounds (P10, P90) are None where nobody gave any."""

    low: Decimal | None
    middle: Decimal
    high: Decimal | None

    def limit(self, tolerance: Decimal) -> Decimal:
        """What a month may cost before somebody must look: the P90, or the middle and the tolerated share where that is
        more.
        """
        tolerated = self.middle * (1 + tolerance)
        return tolerated if self.high is None else max(self.high, tolerated)


@dataclass(frozen=True)
class ComparedMonth:
    """One month; `billed` is None where no bill speaks of it, `is_over` says that the month has ended.

    `parts` are what the difference is made of; `lacking` says what it would take to tell.
    `is_generated` says that the bill was generated, and is none of any provider.
    """

    month: date
    projected: Span | None
    measured: Span | None
    billed: Decimal | None
    gpu_hours: Decimal | None
    is_over: bool
    requests: int | None = None
    parts: Split | None = None
    lacking: tuple[str, ...] = ()
    is_generated: bool = False
    tolerance: Decimal = TOLERANCE
    server_hours: Decimal | None = None

    @property
    def limit(self) -> Decimal | None:
        """The most the month may cost, in dollars; None where nothing was projected."""
        return None if self.projected is None else self.projected.limit(self.tolerance)

    @property
    def difference(self) -> Decimal | None:
        """Billed less the projected middle, in dollars."""
        return None if self.billed is None or self.projected is None else self.billed - self.projected.middle

    @property
    def standing(self) -> MonthStanding:
        """Where the month stands; a month that has not ended can only breach."""
        if self.billed is None:
            return MonthStanding.UNBILLED if self.is_over else MonthStanding.NOT_OVER
        if self.projected is None:
            return MonthStanding.UNPLANNED
        if self.billed > self.projected.limit(self.tolerance):
            return MonthStanding.BREACH
        if not self.is_over:
            return MonthStanding.NOT_OVER
        return MonthStanding.ABOVE if self.billed > self.projected.middle else MonthStanding.WITHIN


def monthly(metric_value: MetricValue | None) -> Span | None:
    """A twelfth of a year's metric value, in cents."""
    if metric_value is None:
        return None
    low, middle, high = (
        None if value is None else (value / MONTHS).quantize(CENT)
        for value in (metric_value.lower, metric_value.value, metric_value.upper)
    )
    return Span(low, middle or Decimal(0), high)


def months_of(issued_on: date, *, today: date) -> tuple[date, ...]:
    """The first days of the whole months since the issue, up to the present one; at most twelve."""
    start = issued_on if issued_on.day == 1 else _next(issued_on)
    found: list[date] = []
    while start <= today and len(found) < MONTHS:
        found.append(start.replace(day=1))
        start = _next(start)
    return tuple(found)


def _next(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def month_end(month: date) -> date:
    """The first day after a month."""
    return _next(month)


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
    """The months with what is known of each; `generated` are those of generated bills."""
    return tuple(
        ComparedMonth(
            month,
            projected,
            measured,
            billed=told.usd if told else None,
            gpu_hours=told.gpu_hours if told else None,
            server_hours=told.server_hours if told else None,
            is_over=_next(month) <= today,
            is_generated=month in generated,
            tolerance=tolerance,
        )
        for month, told in ((month, billed.get(month)) for month in months)
    )


def outlook_of(months: Sequence[ComparedMonth], *, spent: Mapping[date, Decimal] | None = None) -> Outlook | None:
    """Where the first year of the authorization ends: months that are over and billed without a gap, and the plan for
    the rest.

    `spent` is what the model cost by month; where it holds the whole year before, that year is the bar to beat.
    """
    planned = months[0].projected if months else None
    if planned is None or planned.middle <= 0:
        return None
    actual: list[Decimal] = []
    for month in months:
        if month.billed is None or not month.is_over:
            break
        actual.append(month.billed)
    before = [date(month.year - 1, month.month, 1) for month in _year_from(months[0].month)]
    known = [spent[month] for month in before if month in spent] if spent else []
    return year_end([planned.middle] * MONTHS, actual, year_before=known if len(known) == MONTHS else ())


def _year_from(month: date) -> tuple[date, ...]:
    found = [month]
    while len(found) < MONTHS:
        found.append(_next(found[-1]))
    return tuple(found)


def cases_of(months: Sequence[ComparedMonth], *, widened_by: Decimal = Decimal(1)) -> tuple[PastMonth, ...]:
    """The months that tell how good the projection was: over, billed, and projected with a P90, which was widened so
    much.
    """
    return tuple(
        PastMonth(month.projected.middle, month.projected.high, month.billed, widened_by)
        for month in months
        if month.is_over
        and month.billed is not None
        and month.projected is not None
        and month.projected.high is not None
        and month.projected.middle > 0
    )
