"""The charts of a quarterly packet: spend by account, the portfolio, and the way from projection to bill.

Shapes carry the meaning, color only repeats it: what is spent is filled, what is forecast is an outline, a limit is
dashed. The toolkit's chart kit draws them.
"""

from collections.abc import Sequence
from decimal import Decimal

from reviews.quarterly.domain.packet import PARTS, BudgetRowOfQuarter, PortfolioPoint, Variance
from reviews.requests.domain.wording import number_words
from weighbridge.charts import scatter
from weighbridge.charts.bars import Bar, bars
from weighbridge.charts.drawing import Chart
from weighbridge.charts.theme import INK, PAPER, PETROL
from weighbridge.charts.waterfall import waterfall

ROWS_MAX = 24
WATERFALL_MAX = 14
REST, UNTOLD = "all others", "not told apart"
ENDS = ("projected", "billed")
SPEND_KEY = "filled: spent, outline: forecast to the quarter's end, dashed: allocated"
NAMES = ("forecast", "spent", "", "", "", "allocated")
ON, GAINS, OTHER = "on the frontier", "its KPI gains", "others"
KINDS = {ON: ("diamond", PETROL), GAINS: ("square", INK), OTHER: ("square", PAPER)}


def spend_chart(rows: Sequence[BudgetRowOfQuarter]) -> Chart:
    """Each account in USD: spent as a filled bar, forecast as an outline, allocated as a dashed line; the greatest
    first.
    """
    shown = sorted(rows, key=lambda row: (-max(row.allocated, row.forecast), row.account))[:ROWS_MAX]
    found = [
        Bar(
            row.account,
            float(row.forecast),
            filled=float(row.spent),
            limit=float(row.allocated),
            words=f"{_usd(row.forecast)} of {_usd(row.allocated)}",
        )
        for row in shown
    ]
    said = "; ".join(f"{row.account}: {_usd(row.spent)} spent, {_usd(row.allocated)} allocated" for row in shown)
    return bars(
        found,
        title="Spend against budget",
        unit="USD",
        alt=f"Spend against budget in USD. {said}",
        names=NAMES,
        key=SPEND_KEY,
    )


def portfolio_chart(points: Sequence[PortfolioPoint], *, best: frozenset[str]) -> Chart | None:
    """Cost of one year against p95 latency: what is on the frontier, what meets its KPI's target, and the others; None
    where no model has both metrics.
    """
    whole = [
        scatter.Mark(each.model, float(each.cost_usd), float(each.latency_ms), _kind(each, best))
        for each in points
        if each.cost_usd is not None and each.latency_ms is not None
    ]
    if not whole:
        return None
    said = "; ".join(
        f"{each.name}: {each.x:,.0f} a year, {number_words(Decimal(str(each.y)), unit='ms')} ms" for each in whole
    )
    return scatter.scatter(
        whole,
        kinds=KINDS,
        x="cost of one year, USD",
        y="p95 latency, ms",
        title="Portfolio",
        alt=f"Portfolio. {said}",
    )


def variance_chart(rows: Sequence[Variance]) -> Chart:
    """From what was projected, by what each model's bill differs, to what was billed; the greatest
    differences by name.
    """
    ranked = sorted(rows, key=lambda row: (-abs(row.difference_usd), row.model))
    steps = [(row.model, row.difference_usd) for row in ranked[:WATERFALL_MAX]]
    if rest := sum((row.difference_usd for row in ranked[WATERFALL_MAX:]), Decimal(0)):
        steps.append((REST, rest))
    return _waterfall(rows, steps, title="Bills against projections by model")


def causes_chart(rows: Sequence[Variance]) -> Chart | None:
    """The same way by cause, over all models: volume, efficiency, price, and what is not told apart; None where
    nothing is.
    """
    told = [part for row in rows for part in row.parts]
    if not told:
        return None
    steps = [(name, sum((usd for each, usd in told if each == name), Decimal(0))) for name in PARTS]
    if untold := sum((row.untold_usd for row in rows), Decimal(0)):
        steps.append((UNTOLD, untold))
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
