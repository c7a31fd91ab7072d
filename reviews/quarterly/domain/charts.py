"""The charts of a quarterly packet: spend by account, the portfolio, and the difference between projection and bill.

Shapes carry the meaning and color repeats it: spend is filled, a forecast is an outline, a limit is dashed. The
toolkit's chart package draws them.
"""

from collections.abc import Sequence
from decimal import Decimal

from reviews.quarterly.domain.packet import PARTS, BudgetRowOfQuarter, PortfolioPoint, Variance
from reviews.requests.domain.wording import number_text
from weighbridge.charts import scatter
from weighbridge.charts.bars import Bar, bars
from weighbridge.charts.drawing import Chart
from weighbridge.charts.theme import INK, PAPER, PETROL
from weighbridge.charts.waterfall import waterfall

ROWS_MAX = 24
WATERFALL_MAX = 14
REST, UNEXPLAINED = "all others", "unexplained"
ENDS = ("projected", "billed")
SPEND_KEY = "filled: spent, outline: forecast to the quarter's end, dashed: allocated"
NAMES = ("forecast", "spent", "", "", "", "allocated")
ON, GAINS, OTHER = "on the frontier", "its KPI gains", "others"
KINDS = {ON: ("diamond", PETROL), GAINS: ("square", INK), OTHER: ("square", PAPER)}


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
    """Cost of one year against p95 latency, of models on the frontier, with gains, and others; None without values."""
    marks = [
        scatter.Mark(point.model, float(point.cost_usd), float(point.latency_ms), _kind(point, best))
        for point in points
        if point.cost_usd is not None and point.latency_ms is not None
    ]
    if not marks:
        return None
    description = "; ".join(
        f"{mark.name}: {mark.x:,.0f} a year, {number_text(Decimal(str(mark.y)), unit='ms')} ms" for mark in marks
    )
    return scatter.scatter(
        marks,
        kinds=KINDS,
        x="cost of one year, USD",
        y="p95 latency, ms",
        title="Portfolio",
        alt=f"Portfolio. {description}",
    )


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


def _kind(point: PortfolioPoint, best: frozenset[str]) -> str:
    if point.model in best:
        return ON
    return GAINS if point.value is not None and point.value >= 0 else OTHER


def _usd(amount: Decimal) -> str:
    return f"{amount:,.0f}"
