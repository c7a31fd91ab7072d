"""The burn-down of an account: what is available on each day of the quarter, and what is expected at its end.

expected at the end = available today - spend without a request, carried on at its pace so far - this request
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from governance.budgets.domain.ledger import ZERO, Balance
from governance.budgets.domain.quarter_forecast import forecast
from governance.budgets.domain.quarters import Quarter
from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine
from weighbridge.core.money import format_amount


@dataclass(frozen=True)
class BurnDown:
    """The amount available over a quarter, in `unit`.

    `available` holds the amount at the end of each day on which it changed, in order of time, up to `today`.
    `expected` is the amount available on the last day without this request, `this` the amount that its approval takes,
    less what it releases.
    """

    title: str
    unit: str
    quarter: Quarter
    today: date
    allocated: Decimal
    available: tuple[tuple[date, Decimal], ...]
    expected: Decimal
    this: Decimal = ZERO

    @property
    def now(self) -> Decimal:
        """The amount available today."""
        return self.available[-1][1]

    @property
    def expected_after(self) -> Decimal:
        """The amount expected on the last day with this request."""
        return self.expected - self.this

    @property
    def is_over(self) -> bool:
        """Whether the quarter is over."""
        return self.today > self.quarter.end_on


def burn_down(
    changes: Iterable[tuple[date, Decimal]],
    balance: Balance,
    *,
    title: str,
    unit: str,
    quarter: Quarter,
    today: date,
    this: Decimal = ZERO,
) -> BurnDown:
    """Add up the changes of the available amount by day; those before the quarter count from its first day.

    An amount that is delegated to accounts below counts as delegated from the first change on.
    """
    shown = min(max(today, quarter.start_on), quarter.end_on)
    by_day = {quarter.start_on: ZERO}
    amount = -balance.allocated_below
    for day, change in changes:
        amount += change
        by_day[min(max(day, quarter.start_on), shown)] = amount
    by_day[shown] = balance.available
    carried_on = forecast(balance, quarter=quarter, today=today) - balance.spent - balance.committed
    points = tuple(sorted(by_day.items()))
    return BurnDown(title, unit, quarter, today, balance.allocated, points, balance.available - carried_on, this)


def burn_down_chart(burned: BurnDown) -> PageChart:
    """The burn-down as a chart: available so far, expected to the quarter's end, and the same with this request."""
    quarter = burned.quarter
    shown, last = burned.available[-1][0], quarter.end_on
    series = [ChartSeries("available", ChartMark.STEP, tuple(_point(quarter, *each) for each in burned.available))]
    if shown < last:
        series.append(_expected("expected", quarter, (shown, burned.now), (last, burned.expected)))
        if burned.this:
            after = (shown, burned.now - burned.this), (last, burned.expected_after)
            series.append(_expected("expected with this request", quarter, *after))
    return PageChart(
        "burn-down",
        f"{burned.title} to the end of {quarter}",
        _finding(burned),
        ChartAxis("", ticks=_ticks(quarter), fine=_days(quarter)),
        ChartAxis("available", burned.unit),
        tuple(series),
        (ReferenceLine("allocated", float(burned.allocated), is_limit=False),),
    )


def _expected(name: str, quarter: Quarter, *ends: tuple[date, Decimal]) -> ChartSeries:
    return ChartSeries(name, ChartMark.LINE, tuple(_point(quarter, *end) for end in ends), is_dashed=True)


def _point(quarter: Quarter, day: date, amount: Decimal) -> Point:
    return Point((day - quarter.start_on).days, float(amount), _day(day))


def _ticks(quarter: Quarter) -> tuple[tuple[float, str], ...]:
    days = (*quarter.months, quarter.end_on)
    return tuple((float((day - quarter.start_on).days), _day(day)) for day in days)


def _days(quarter: Quarter) -> tuple[tuple[float, str], ...]:
    """Every day of the quarter."""
    count = (quarter.end_on - quarter.start_on).days + 1
    return tuple((float(place), _day(quarter.start_on + timedelta(days=place))) for place in range(count))


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _finding(burned: BurnDown) -> str:
    def words(amount: Decimal) -> str:
        return format_amount(amount, unit=burned.unit)

    now = f"{words(burned.now)} of {words(burned.allocated)}"
    if burned.is_over:
        return f"{now} were available when the quarter ended."
    text = f"{now} are available; {words(burned.expected)} are expected on {_day(burned.quarter.end_on)}"
    return f"{text}, and {words(burned.expected_after)} with this request." if burned.this else f"{text}."
