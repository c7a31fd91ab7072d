"""A waterfall: from one total, by what each step adds or takes away, to another."""

from collections.abc import Sequence
from typing import Any

from weighbridge.charts.bars import ROW_PX, TOTAL_PX
from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import FILLED, amount, layer, lines_of, when
from weighbridge.charts.tables import Table
from weighbridge.charts.theme import INK_SOFT, PAPER, PETROL, RED

SMALL = 0.5
"""Steps that all lie within half of the whole are drawn on an axis of their own, or nobody would see them."""


def waterfall(
    start: float, steps: Sequence[tuple[str, float]], *, ends: tuple[str, str], title: str, unit: str
) -> Chart:
    """Draw the way from `start` over the named steps; more is filled, less is an outline."""
    reached = [start]
    for _, step in steps:
        reached.append(reached[-1] + step)
    low, high = min(reached), max(reached)
    is_broken = low > 0 and high - low < SMALL * high
    floor = low - (high - low or high) * 0.12 if is_broken else 0.0
    totals = [_row(0, floor, start, ends[0], start), _row(len(steps) + 1, floor, reached[-1], ends[1], reached[-1])]
    moves = [
        _row(place, before, before + step, name, step, sign="+" if step > 0 else "")
        for place, ((name, step), before) in enumerate(zip(steps, reached, strict=False), start=1)
    ]
    rows = sorted([*totals, *moves], key=lambda row: row["row"])
    line = lines_of([row["name"] for row in rows], strong=[row in totals for row in rows])
    axis = f"{unit}; filled: more, outline: less" + ("; the axis does not begin at zero" if is_broken else "")
    domain = {"domainMin": floor} if is_broken else {"zero": True}
    x = amount("before", title=axis, scale={**domain, "nice": not is_broken}, axis={"tickCount": 5, "format": ",~f"})
    to = {"field": "after"}
    part = {
        "type": "bar",
        "size": ROW_PX * 0.45,
        "fill": when("step > 0", RED, PAPER),
        "stroke": when("step > 0", RED, PETROL),
        "strokeWidth": 1,
    }
    links = [{**row, "next": row["row"] + 1} for row in rows[:-1]]
    layers = [
        layer(
            links,
            {"type": "rule", "stroke": INK_SOFT, "strokeWidth": 0.7},
            x=amount("after"),
            y=line,
            y2={"field": "next"},
        ),
        layer(totals, {**FILLED, "size": ROW_PX * 0.5}, x=x, x2=to, y=line),
        layer(moves, part, x=x, x2=to, y=line),
        layer(
            rows,
            {"type": "text", "align": "left", "dx": 6, "fontSize": 11},
            x=amount("right"),
            y=line,
            text={"field": "words"},
        ),
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
        "words": f"{sign}{step:,.0f}".replace("-", "\N{MINUS SIGN}"),
    }
