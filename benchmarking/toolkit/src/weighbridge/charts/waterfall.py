"""Waterfall charts: the steps from one total to another."""

from collections.abc import Sequence
from typing import Any

from weighbridge.charts.bars import ROW_PX, TOTAL_PX
from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import FILLED, conditional, layer, quantitative, row_axis
from weighbridge.charts.tables import Table
from weighbridge.charts.theme import INK_SOFT, PAPER, PETROL, RED
from weighbridge.cli.tables.terminal import number

SMALL = 0.5
"""If all steps lie within this share of the total, the bars show the difference from `start`, and so stay visible.

Zero is always on the axis, so that the length of each bar is in proportion to its number.
"""


def waterfall(
    start: float, steps: Sequence[tuple[str, float]], *, ends: tuple[str, str], title: str, unit: str
) -> Chart:
    """Draw the steps from `start`; increases are filled, decreases are outlined. No axis is cut."""
    totals_so_far = [start]
    for _, step in steps:
        totals_so_far.append(totals_so_far[-1] + step)
    low, high = min(totals_so_far), max(totals_so_far)
    zero = start if low > 0 and high - low < SMALL * high else 0.0
    end = totals_so_far[-1]
    totals = [_row(0, 0.0, start - zero, ends[0], start), _row(len(steps) + 1, 0.0, end - zero, ends[1], end)]
    moves = [
        _row(place, before - zero, before + step - zero, name, step, sign="+" if step > 0 else "")
        for place, ((name, step), before) in enumerate(zip(steps, totals_so_far, strict=False), start=1)
    ]
    rows = sorted([*totals, *moves], key=lambda row: row["row"])
    line = row_axis([row["name"] for row in rows], strong=[row in totals for row in rows])
    measure = f"difference from {totals[0]['words']} {ends[0]}, {unit}" if zero else unit
    x = quantitative(
        "before",
        title=f"{measure}; filled: increase, outline: decrease",
        scale={"zero": True, "nice": True},
        axis={"tickCount": 5, "format": ",~f"},
    )
    part = {
        "type": "bar",
        "size": ROW_PX * 0.45,
        "fill": conditional("step > 0", RED, PAPER),
        "stroke": conditional("step > 0", RED, PETROL),
        "strokeWidth": 1,
    }
    link = {"type": "rule", "stroke": INK_SOFT, "strokeWidth": 0.7}
    text = {"type": "text", "align": "left", "dx": 6, "fontSize": 11}
    links = [{**row, "next": row["row"] + 1} for row in rows[:-1]]
    layers = [
        layer(links, link, x=quantitative("after"), y=line, y2={"field": "next"}),
        layer(totals, {**FILLED, "size": ROW_PX * 0.5}, x=x, x2={"field": "after"}, y=line),
        layer(moves, part, x=x, x2={"field": "after"}, y=line),
        layer(rows, text, x=quantitative("right"), y=line, text={"field": "words"}),
    ]
    spec = {
        "width": TOTAL_PX,
        "height": {"step": ROW_PX * 0.8},
        "padding": {"left": 4, "right": 60, "top": 6, "bottom": 4},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "layer": layers,
    }
    words = "; ".join(f"{row['name']} {row['words']}" for row in moves)
    alt = f"From {totals[0]['words']} {ends[0]} to {totals[1]['words']} {ends[1]} {unit}. {words}"
    table = Table(f"{title}, {unit}", ("", unit), tuple((row["name"], row["words"]) for row in rows), frozenset({1}))
    return chart_of(spec, title=title, alt=alt, table=table)


def _row(place: int, before: float, after: float, name: str, step: float, *, sign: str = "") -> dict[str, Any]:
    return {
        "row": place,
        "before": before,
        "after": after,
        "right": max(before, after),
        "name": name,
        "step": step,
        "words": f"{sign}{_words(step)}",
    }


def _words(amount: float) -> str:
    """Whole units; an amount that would become 0 keeps its digits."""
    text = number(amount) if 0 < abs(amount) < 1 else f"{amount:,.0f}"
    return text.replace("-", "\N{MINUS SIGN}")
