"""The charts of a quarterly packet: spend by account, the portfolio, and the difference between projection and bill.

Shapes carry the meaning and color repeats it: spend is filled, a forecast is an outline, a limit is dashed. The
toolkit's chart package draws them.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from reviews.quarterly.domain.packet import PARTS, BudgetRowOfQuarter, PortfolioPoint, Variance
from reviews.requests.domain.wording import number_text
from weighbridge.charts import scatter
from weighbridge.charts.bars import Bar, bars
from weighbridge.charts.drawing import Chart
from weighbridge.charts.theme import INK, PAPER, PETROL, RED
from weighbridge.charts.waterfall import waterfall

ROWS_MAX = 24
WATERFALL_MAX = 14
REST, UNEXPLAINED = "all others", "unexplained"
ENDS = ("projected", "billed")
SPEND_KEY = "filled: spent, outline: forecast to the quarter's end, dashed: allocated"
NAMES = ("forecast", "spent", "", "", "", "allocated")
ON, GAINS, OTHER, OVER = "on the frontier", "its KPI gains", "others", "over a limit"
KINDS = {ON: ("diamond", PETROL), GAINS: ("square", INK), OTHER: ("square", PAPER), OVER: ("triangle-up", RED)}


def spend_chart(rows: Sequence[BudgetRowOfQuarter]) -> Chart:
    """Each account in USD, largest first: spend is a filled bar, forecast an outline, allocation a dashed line."""
    shown = sorted(rows, key=lambda row: (-max(row.allocated, row.forecast), row.account))[:ROWS_MAX]
    spend_bars = [
        Bar(
            row.account,
            float(row.forecast),
            filled=float(row.spent),
            limit=float(row.allocated),
            words=f"{_usd(row.forecast)} of {_usd(row.allocated)}",
        )
        for row in shown
    ]
    description = "; ".join(f"{row.account}: {_usd(row.spent)} spent, {_usd(row.allocated)} allocated" for row in shown)
    return bars(
        spend_bars,
        title="Spend against budget",
        unit="USD",
        alt=f"Spend against budget in USD. {description}",
        names=NAMES,
        key=SPEND_KEY,
    )


def portfolio_chart(points: Sequence[PortfolioPoint], *, best: frozenset[str]) -> Chart | None:
    """Cost of one year against p95 latency, by kind, with the limits of their policies; None without values."""
    marks = [
        scatter.Mark(point.model, float(point.cost_usd), float(point.latency_ms), portfolio_kind(point, best))
        for point in points
        if point.cost_usd is not None and point.latency_ms is not None
    ]
    if not marks:
        return None
    description = "; ".join(
        f"{mark.name}: {_usd(Decimal(str(mark.x)))} a year, {number_text(Decimal(str(mark.y)), unit='ms')} ms"
        + (f" ({OVER})" if mark.kind == OVER else "")
        for mark in marks
    )
    costs = limits_of(point.cost_limit_usd for point in points)
    latencies = limits_of(point.latency_limit_ms for point in points)
    limits = [*(f"{_usd(limit)} USD" for limit in costs), *(f"{number_text(each, unit='ms')} ms" for each in latencies)]
    return scatter.scatter(
        marks,
        kinds=KINDS,
        x="cost of one year, USD",
        y="p95 latency, ms",
        title="Portfolio",
        alt=f"Portfolio. {'. Limits: '.join(filter(None, (description, ', '.join(limits))))}",
        x_limits=[*map(float, costs)],
        y_limits=[*map(float, latencies)],
    )


def limits_of(limits: Iterable[Decimal | None]) -> list[Decimal]:
    """The different limits, the lowest first."""
    return sorted({limit for limit in limits if limit is not None})


def portfolio_kind(point: PortfolioPoint, best: frozenset[str]) -> str:
    """What a model is in the portfolio: over a limit before on the frontier before gaining."""
    if point.is_over_cost or point.is_over_latency:
        return OVER
    if point.model in best:
        return ON
    return GAINS if point.value is not None and point.value >= 0 else OTHER


def variance_chart(rows: Sequence[Variance]) -> Chart:
    """A waterfall from the projected to the billed total, one step per model. The largest differences are named."""
    ranked = sorted(rows, key=lambda row: (-abs(row.difference_usd), row.model))
    steps = [(row.model, row.difference_usd) for row in ranked[:WATERFALL_MAX]]
    if rest := sum((row.difference_usd for row in ranked[WATERFALL_MAX:]), Decimal(0)):
        steps.append((REST, rest))
    return _waterfall(rows, steps, title="Bills against projections by model")


def causes_chart(rows: Sequence[Variance]) -> Chart | None:
    """The same waterfall by cause: volume, efficiency, price and the unexplained rest; None if no cause is known."""
    parts = [part for row in rows for part in row.parts]
    if not parts:
        return None
    steps = [(name, sum((usd for part, usd in parts if part == name), Decimal(0))) for name in PARTS]
    if unexplained := sum((row.unexplained_usd for row in rows), Decimal(0)):
        steps.append((UNEXPLAINED, unexplained))
    return _waterfall(rows, steps, title="Bills against projections by cause")


def _waterfall(rows: Sequence[Variance], steps: Sequence[tuple[str, Decimal]], *, title: str) -> Chart:
    start = sum((row.projected_usd for row in rows), Decimal(0))
    return waterfall(float(start), [(name, float(step)) for name, step in steps], ends=ENDS, title=title, unit="USD")


def _usd(amount: Decimal) -> str:
    return number_text(amount, unit="USD") if 0 < abs(amount) < 1 else f"{amount:,.0f}"
