"""The steps of a state machine: a column for each step, a dot at every state it leaves, an arrow at the one it enters.

Such a picture grows with the table it is drawn of, crosses no lines, and is laid out without measuring any font, so
that every machine draws the same. States that nothing leaves are set bold.
"""

from collections.abc import Sequence
from typing import Any

from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import layer, lines_of
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
    names = [_words(name) for name, _ in columns]
    x = {
        "field": "column",
        "type": "ordinal",
        "axis": {**lines_of(names)["axis"], "orient": "top", "labelAngle": -55, "labelLimit": 0},
    }
    ends = [state not in {source for source, _, _ in steps} for state in states]
    y = lines_of([_words(state) for state in states], strong=ends, grid=True, gridColor=GRID, labelLimit=0)
    y["scale"] = {"domain": list(places.values())}
    dot = {"type": "point", "shape": "circle", "fill": PETROL, "stroke": PETROL, "size": 45, "opacity": 1}
    stem = {"type": "rule", "stroke": PETROL, "strokeWidth": 1.6}
    layers = [
        layer(rows, stem, x=x, y={**y, "field": "source"}, y2={"field": "row"}),
        layer(rows, dot, x=x, y={**y, "field": "source"}),
        *(
            layer(some, {**dot, "shape": shape, "fill": INK, "stroke": INK, "size": 110}, x=x, y=y)
            for shape, some in (("triangle-down", _going(rows, 1)), ("triangle-up", _going(rows, -1)))
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
        (_words(source), _words(name), _words(target)) for (name, target), each in columns.items() for source in each
    )
    alt = f"{title}: {len(states)} states and {len(rows)} steps between them."
    return chart_of(spec, title=title, alt=alt, table=Table(title, ("from", "step", "to"), cells))


def _going(rows: Sequence[dict[str, int]], way: int) -> list[dict[str, int]]:
    """Return the rows that lead down (1) or up (-1) the list of states."""
    return [row for row in rows if (row["row"] - row["source"]) * way > 0]


def _words(name: str) -> str:
    return str(name).replace("_", " ")
