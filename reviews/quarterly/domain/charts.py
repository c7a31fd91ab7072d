"""The charts of a quarterly packet as SVG: spend by account, the portfolio, and the way from projection to bill.

Shapes carry the meaning, colour only repeats it: what is spent is filled, what is forecast is an outline, a limit is
dashed.
"""

from collections.abc import Sequence
from decimal import Decimal

from reviews.packets.charts.drawing import (
    FAINT,
    INK,
    LIMIT,
    MEASURED,
    SOFT,
    WASH,
    Scale,
    axis,
    diamond,
    line,
    rect,
    svg,
    text,
)
from reviews.quarterly.domain.packet import PARTS, Point, Spend, Variance
from reviews.requests.domain.wording import number_words

WIDTH, LEFT, RIGHT, ROW, TOP, FOOT = 660.0, 170.0, 90.0, 30.0, 16.0, 40.0
ROWS_MAX = 24
WATERFALL_MAX = 14
NAME_CHARS = 24
PLOT_HEIGHT = 300.0
REST, UNTOLD = "all others", "not told apart"
SMALL = Decimal("0.5")
"""Steps that all lie within half of the whole are drawn on an axis of their own, or nobody would see them."""
LABEL_WIDTH, LABEL_HEIGHT = 110.0, 10.0


def spend_chart(rows: Sequence[Spend]) -> str:
    """Each account in USD: spent as a filled bar, forecast as an outline, allocated as a dashed line; the greatest
    first.
    """
    shown = sorted(rows, key=lambda row: (-max(row.allocated, row.forecast), row.account))[:ROWS_MAX]
    scale = _from_zero([each for row in shown for each in (row.allocated, row.spent, row.forecast)])
    bottom = TOP + ROW * len(shown)
    parts = axis(scale, TOP - 8, bottom, "USD")
    for number, row in enumerate(shown):
        y = TOP + ROW * number + ROW / 2
        parts.append(text(LEFT - 8, y + 4, _short(row.account), anchor="end", size=9.5))
        parts.append(rect(LEFT, y - 9, max(scale(row.forecast) - LEFT, 0.5), 18, WASH, stroke=MEASURED))
        parts.append(rect(LEFT, y - 5, max(scale(row.spent) - LEFT, 0.5), 10, MEASURED))
        parts.append(line(scale(row.allocated), y - 12, scale(row.allocated), y + 12, LIMIT, 1.4, dash="3 2"))
        words = f"{_usd(row.forecast)} of {_usd(row.allocated)}"
        parts.append(text(WIDTH - RIGHT + 8, y + 4, words, size=8.5, fill=SOFT))
    spoken = "; ".join(f"{row.account}: {_usd(row.spent)} spent, {_usd(row.allocated)} allocated" for row in shown)
    return svg(WIDTH + 60, bottom + FOOT, f"Spend against budget in USD. {spoken}", parts)


def portfolio_chart(points: Sequence[Point], *, best: frozenset[str]) -> str:
    """Cost of one year against p95 latency; a filled mark meets its KPI's target, a diamond is on the frontier; "" for
    none.
    """
    known = [(each, each.cost_usd, each.latency_ms) for each in points]
    whole = [(each, cost, latency) for each, cost, latency in known if cost is not None and latency is not None]
    if not whole:
        return ""
    across = _scale([cost for _, cost, _ in whole], left=60.0, right=WIDTH - 40)
    up = _scale([latency for _, _, latency in whole], left=TOP + PLOT_HEIGHT - 12, right=TOP + 8)
    parts = axis(across, TOP, TOP + PLOT_HEIGHT, "cost of one year, USD")
    parts.append(text(60, TOP - 4, "p95 latency, ms", size=9, fill=SOFT))
    for value in (min(latency for _, _, latency in whole), max(latency for _, _, latency in whole)):
        parts.append(line(60, up(value), WIDTH - 40, up(value), FAINT, 0.8))
        parts.append(text(54, up(value) + 3, number_words(value, unit="ms"), anchor="end", size=8.5, fill=SOFT))
    ranked = sorted(whole, key=lambda row: (row[0].model not in best, -row[1], row[0].model))
    named: list[tuple[float, float]] = []
    for point, cost, latency in ranked:
        x, y = across(cost), up(latency)
        parts += _mark(x, y, point, is_best=point.model in best)
        is_right = x > WIDTH - 40 - LABEL_WIDTH  # there the name stands before its mark, or it would be cut off
        begins = x - 8 - LABEL_WIDTH if is_right else x + 8
        if not any(abs(begins - a) < LABEL_WIDTH and abs(y - b) < LABEL_HEIGHT for a, b in named):
            at, anchor = (x - 8, "end") if is_right else (x + 8, "start")
            parts.append(text(at, y + 3, _short(point.model), anchor=anchor, size=8.5))
            named.append((begins, y))
    spoken = "; ".join(
        f"{point.model}: {_usd(cost)} a year, {number_words(latency, unit='ms')} ms" for point, cost, latency in ranked
    )
    return svg(WIDTH + 60, TOP + PLOT_HEIGHT + FOOT, f"Portfolio. {spoken}", parts)


def waterfall(rows: Sequence[Variance]) -> str:
    """From what was projected, by what each model's bill differs, to what was billed; the greatest
    differences by name.
    """
    ranked = sorted(rows, key=lambda row: (-abs(row.difference_usd), row.model))
    steps = [(row.model, row.difference_usd) for row in ranked[:WATERFALL_MAX]]
    if rest := sum((row.difference_usd for row in ranked[WATERFALL_MAX:]), Decimal(0)):
        steps.append((REST, rest))
    return _waterfall(sum((row.projected_usd for row in rows), Decimal(0)), steps)


def causes(rows: Sequence[Variance]) -> str:
    """The same way by cause, over all models: volume, efficiency, price, and what is not told apart; "" where nothing
    is.
    """
    told = [part for row in rows for part in row.parts]
    if not told:
        return ""
    steps = [(name, sum((usd for each, usd in told if each == name), Decimal(0))) for name in PARTS]
    if untold := sum((row.untold_usd for row in rows), Decimal(0)):
        steps.append((UNTOLD, untold))
    return _waterfall(sum((row.projected_usd for row in rows), Decimal(0)), steps)


def _waterfall(start: Decimal, steps: Sequence[tuple[str, Decimal]]) -> str:
    reached = [start]
    for _, step in steps:
        reached.append(reached[-1] + step)
    is_broken = min(reached) > 0 and max(reached) - min(reached) < SMALL * max(reached)
    scale = _scale(reached, left=LEFT, right=WIDTH - RIGHT) if is_broken else _from_zero(reached)
    unit = "USD; the axis does not begin at zero" if is_broken else "USD"
    parts = axis(scale, TOP - 8, TOP + ROW * (len(steps) + 2), unit)
    parts += _total("projected", start, 0, scale)
    for number, (name, step) in enumerate(steps, start=1):
        parts += _step(name, reached[number - 1], step, number, scale)
    parts += _total("billed", reached[-1], len(steps) + 1, scale)
    spoken = "; ".join(f"{name} {'+' if step > 0 else ''}{_usd(step)}" for name, step in steps)
    words = f"From {_usd(start)} projected to {_usd(reached[-1])} billed. {spoken}"
    return svg(WIDTH + 60, TOP + ROW * (len(steps) + 2) + FOOT, words, parts)


def _total(name: str, amount: Decimal, number: int, scale: Scale) -> list[str]:
    y = TOP + ROW * number + ROW / 2
    left, right = sorted((max(scale(Decimal(0)), LEFT), scale(amount)))
    return [
        text(LEFT - 8, y + 4, name, anchor="end", size=9.5, weight=700),
        rect(left, y - 8, max(right - left, 0.5), 16, MEASURED),
        text(max(right, LEFT) + 6, y + 4, _usd(amount), size=8.5),
    ]


def _step(name: str, before: Decimal, step: Decimal, number: int, scale: Scale) -> list[str]:
    y = TOP + ROW * number + ROW / 2
    left, right = sorted((scale(before), scale(before + step)))
    fill, stroke = (LIMIT, "") if step > 0 else ("#ffffff", MEASURED)
    return [
        text(LEFT - 8, y + 4, _short(name), anchor="end", size=9.5),
        line(scale(before), y - ROW, scale(before), y + 8, FAINT, 0.8),
        rect(left, y - 7, max(right - left, 0.5), 14, fill, stroke=stroke),
        text(right + 6, y + 4, f"{'+' if step > 0 else ''}{_usd(step)}", size=8.5),
    ]


def _mark(x: float, y: float, point: Point, *, is_best: bool) -> list[str]:
    if is_best:
        return [diamond(x, y, 5.5)]
    is_met = point.value is not None and point.value >= 0
    return [rect(x - 3.5, y - 3.5, 7, 7, INK if is_met else "#ffffff", stroke=INK)]


def _from_zero(values: Sequence[Decimal]) -> Scale:
    return Scale([*values, Decimal(0)], left=LEFT, right=WIDTH - RIGHT, from_zero=min(values) >= 0)


def _scale(values: Sequence[Decimal], *, left: float, right: float) -> Scale:
    return Scale(values, left=left, right=right)


def _short(name: str) -> str:
    return name if len(name) <= NAME_CHARS else f"{name[: NAME_CHARS - 1]}…"


def _usd(amount: Decimal) -> str:
    return f"{amount:,.0f}"
