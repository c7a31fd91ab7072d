"""Bar charts: one bar per row, with its interval, its claim and its limit."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import (
    CLAIM,
    FILLED,
    LIMIT,
    OUTLINED,
    band_stroke,
    conditional,
    layer,
    quantitative,
    row_axis,
)
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.charts.theme import INK, INK_SOFT, PETROL, WASH
from weighbridge.cli.tables.terminal import number

TOTAL_PX, TEXT_PX, ROW_PX = 660, 132, 34
STRIP_PX = (150, 18)
FIELDS = ("value", "filled", "lower", "upper", "claim", "limit")


@dataclasses.dataclass(frozen=True)
class Bar:
    """One row: an outlined bar to `value`, filled to `filled`, with `words` and a smaller `note` on its right."""

    label: str
    value: float | None = None
    filled: float | None = None
    lower: float | None = None
    upper: float | None = None
    claim: float | None = None
    limit: float | None = None
    words: str = ""
    note: str = ""
    is_strong: bool = False

    @property
    def ends(self) -> list[float]:
        """All numbers of the bar that are set."""
        return [end for end in (getattr(self, field) for field in FIELDS) if end is not None]


def bars(
    rows: Sequence[Bar],
    *,
    title: str,
    unit: str,
    alt: str,
    names: Sequence[str] = FIELDS,
    key: str = "",
    row_px: int = ROW_PX,
) -> Chart:
    """Draw rows from zero; whiskers are bounds, a diamond is the claim, a dashed stroke the limit.

    `names` are the table headings of `FIELDS`; `key` is shown next to the unit below the axis.
    """
    numbered = [{"row": index, **dataclasses.asdict(each)} for index, each in enumerate(rows)]
    line = row_axis([each.label for each in rows], strong=[each.is_strong for each in rows])
    end = {"value": "width"}
    x = quantitative(
        "value",
        title=f"{unit}; {key}" if key else unit,
        scale={"zero": True, "nice": True},
        axis={"tickCount": 5, "format": ",~f"},
    )
    text = {"type": "text", "align": "left", "dx": 14}
    words = {**text, "dy": conditional("note", -6, 0), "fontWeight": conditional("is_strong", 700, 400)}
    note = {**text, "dy": 8, "fontSize": 10, "color": INK_SOFT}
    layers = [
        layer(numbered, {**OUTLINED, "size": row_px * 0.5}, x=x, y=line),
        layer(numbered, {**FILLED, "size": row_px * 0.28}, x=quantitative("filled"), y=line),
        *_whiskers(numbered, line),
        layer(numbered, LIMIT, x=quantitative("limit"), **band_stroke(line, 0.9)),
        layer(numbered, {**CLAIM, "size": 90}, x=quantitative("claim"), y=line),
        layer(numbered, words, x=end, y=line, text={"field": "words"}),
        layer(numbered, note, x=end, y=line, text={"field": "note"}),
    ]
    spec = {
        "width": TOTAL_PX,
        "height": {"step": row_px},
        "padding": {"left": 4, "right": TEXT_PX, "top": 6, "bottom": 4},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "layer": layers,
    }
    return chart_of(spec, title=title, alt=alt, table=_table(title, unit, rows, names))


def strip(bar: Bar, *, alt: str) -> Chart:
    """Draw one row on its own scale, small enough for a table cell: a stroke inside its interval."""
    ends = bar.ends or [0.0]
    room = (max(ends) - min(ends)) * 0.08 or max(abs(max(ends)) * 0.08, 1e-9)
    domain = [min(ends) - room, max(ends) + room]
    lower, upper = bar.lower, bar.upper
    is_open = lower is None and upper is None
    row: dict[str, Any] = {
        **dataclasses.asdict(bar),
        "start": None if is_open else domain[0] if lower is None else lower,
        "stop": None if is_open else domain[1] if upper is None else upper,
        "first": domain[0],
        "last": domain[1],
    }
    x = {"scale": {"domain": domain, "nice": False, "zero": False}, "axis": None}
    upright = {"y": {"value": 1}, "y2": {"value": STRIP_PX[1] - 1}}
    layers = [
        layer([row], {"type": "rule", "stroke": INK_SOFT}, x=quantitative("first", **x), x2={"field": "last"}),
        layer([row], {**OUTLINED, "size": 8, "fill": WASH}, x=quantitative("start", **x), x2={"field": "stop"}),
        layer([row], {"type": "tick", "thickness": 2.4, "size": 14, "color": PETROL}, x=quantitative("value", **x)),
        layer([row], LIMIT, x=quantitative("limit", **x), **upright),
        layer([row], {**CLAIM, "size": 55}, x=quantitative("claim", **x)),
    ]
    width, height = STRIP_PX
    spec = {"width": width, "height": height, "padding": 0, "layer": layers}
    return chart_of(spec, title=bar.label, alt=alt, table=_table(bar.label, "", [bar], FIELDS))


def _whiskers(rows: Sequence[dict[str, Any]], line: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the line between two bounds and its ends; rows with only one bound have no whisker."""
    both = [row for row in rows if row["lower"] is not None and row["upper"] is not None]
    rule = {"type": "rule", "stroke": INK, "strokeWidth": 1.3}
    end = {"type": "tick", "thickness": 1.3, "size": 9, "color": INK}
    return [
        layer(both, rule, x=quantitative("lower"), x2={"field": "upper"}, y=line),
        layer(both, end, x=quantitative("lower"), y=line),
        layer(both, end, x=quantitative("upper"), y=line),
    ]


def _table(title: str, unit: str, rows: Sequence[Bar], names: Sequence[str]) -> Table:
    """Return the numbers as a table, without empty columns."""
    used = [field for field in FIELDS if any(getattr(row, field) is not None for row in rows)]
    heads = [name for field, name in zip(FIELDS, names, strict=True) if field in used]
    cells = [(row.label, *(_cell(getattr(row, field)) for field in used)) for row in rows]
    return Table(f"{title}, {unit}" if unit else title, ("", *heads), tuple(cells), frozenset(range(1, len(used) + 1)))


def _cell(value: float | None) -> str:
    return EMPTY_CELL if value is None else number(value)
