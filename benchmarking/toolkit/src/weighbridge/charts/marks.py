"""Marks: the parts of a specification that several charts share."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.charts.drawing import printable
from weighbridge.charts.theme import INK, PAPER, PETROL, RED, WASH

# A reader's fonts may be wider than those that labels were measured with.
LETTER_PX, LABEL_MAX_PX = 7.6, 190
OUTLINED = {"type": "bar", "fill": WASH, "stroke": PETROL, "strokeWidth": 1}
FILLED = {"type": "bar", "fill": PETROL}
CLAIM = {"type": "point", "shape": "diamond", "fill": PAPER, "stroke": INK, "strokeWidth": 1.4, "opacity": 1}
LIMIT = {"type": "rule", "stroke": RED, "strokeWidth": 1.5, "strokeDash": [4, 2.5]}


def layer(rows: Sequence[Mapping[str, Any]], mark: Mapping[str, Any], **channels: Any) -> dict[str, Any]:
    """Return one layer over the rows that have every field it draws."""
    fields = [channel["field"] for channel in channels.values() if "field" in channel]
    kept = [dict(row) for row in rows if all(row[field] is not None for field in fields)]
    return {"data": {"values": kept}, "mark": dict(mark), "encoding": channels}


def amount(field: str, **more: Any) -> dict[str, Any]:
    """Return a channel of numbers."""
    return {"field": field, "type": "quantitative", **more}


def when(test: str, value: Any, other: Any) -> dict[str, str]:
    """Return a property of a mark that is one value in the rows where a field holds, and another elsewhere."""
    return {"expr": f"datum.{test} ? {json.dumps(value)} : {json.dumps(other)}"}


def lines_of(labels: Sequence[str], *, strong: Sequence[bool] = (), **more: Any) -> dict[str, Any]:
    """Return the upward channel of charts whose rows are numbered; the axis names them, whatever the names hold."""
    names = [printable(label) for label in labels]
    bold = [number for number, is_strong in enumerate(strong) if is_strong]
    axis = {
        "labelExpr": f"{json.dumps(names)}[datum.value]",
        "labelFontWeight": {"condition": {"test": f"indexof({bold}, datum.value) >= 0", "value": 700}, "value": 400},
        "labelColor": INK,
        "labelLimit": LABEL_MAX_PX,
        "minExtent": min(LETTER_PX * max(map(len, names), default=0), LABEL_MAX_PX * 1.2),
        "labelPadding": 8,
        "title": None,
        "ticks": False,
        "domain": False,
        "grid": False,
    }
    return {"field": "row", "type": "ordinal", "axis": {**axis, **more}}


def across(row: Mapping[str, Any], of: float) -> dict[str, Any]:
    """Return the two channels of an upright stroke through a part of a row's band."""
    upright = {key: row[key] for key in ("field", "type")}
    return {"y": {**row, "bandPosition": 0.5 - of / 2}, "y2": {"field": upright["field"], "bandPosition": 0.5 + of / 2}}
