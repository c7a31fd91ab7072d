"""State machine charts: one column for each step, with dots at the source states and an arrow at the target state.

The chart has no crossing lines, and its layout does not depend on fonts, so that every machine renders it the same.
Final states are bold.
"""

from collections.abc import Sequence
from typing import Any

from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import layer, row_axis
from weighbridge.charts.tables import Table
from weighbridge.charts.theme import GRID, INK, PETROL

COLUMN_PX, ROW_PX, LEFT_PX, TOP_PX = 30, 26, 150, 110


def steps_chart(states: Sequence[str], steps: Sequence[tuple[str, str, str]], *, title: str) -> Chart:
    """Draw steps (source, target, name) between states; steps of one name into one state share a column."""
    columns: dict[tuple[str, str], list[str]] = {}
    for source, target, name in steps:
        columns.setdefault((name, target), []).append(source)
    places = {state: place for place, state in enumerate(states)}
    rows = [
        {"column": number, "row": places[target], "source": places[source]}
        for number, ((_, target), sources) in enumerate(columns.items())
        for source in sources
    ]
    names = [_label(name) for name, _ in columns]
    x = {
        "field": "column",
        "type": "ordinal",
        "axis": {**row_axis(names)["axis"], "orient": "top", "labelAngle": -55, "labelLimit": 0},
    }
    ends = [state not in {source for source, _, _ in steps} for state in states]
    y = row_axis([_label(state) for state in states], strong=ends, grid=True, gridColor=GRID, labelLimit=0)
    y["scale"] = {"domain": list(places.values())}
    dot = {"type": "point", "shape": "circle", "fill": PETROL, "stroke": PETROL, "size": 45, "opacity": 1}
    stem = {"type": "rule", "stroke": PETROL, "strokeWidth": 1.6}
    layers = [
        layer(rows, stem, x=x, y={**y, "field": "source"}, y2={"field": "row"}),
        layer(rows, dot, x=x, y={**y, "field": "source"}),
        *(
            layer(arrows, {**dot, "shape": shape, "fill": INK, "stroke": INK, "size": 110}, x=x, y=y)
            for shape, arrows in (("triangle-down", _in_direction(rows, 1)), ("triangle-up", _in_direction(rows, -1)))
        ),
    ]
    width, height = COLUMN_PX * len(columns), ROW_PX * len(states)
    spec: dict[str, Any] = {
        "width": width,
        "height": height,
        "autosize": "none",
        "padding": {"left": LEFT_PX, "top": TOP_PX, "right": 70, "bottom": 10},
        "layer": layers,
    }
    cells = tuple(
        (_label(source), _label(name), _label(target)) for (name, target), each in columns.items() for source in each
    )
    alt = f"{title}: {len(states)} states and {len(rows)} steps between them."
    return chart_of(spec, title=title, alt=alt, table=Table(title, ("from", "step", "to"), cells))


def _in_direction(rows: Sequence[dict[str, int]], direction: int) -> list[dict[str, int]]:
    """Return the rows that lead down (1) or up (-1) the list of states."""
    return [row for row in rows if (row["row"] - row["source"]) * direction > 0]


def _label(name: str) -> str:
    return str(name).replace("_", " ")
