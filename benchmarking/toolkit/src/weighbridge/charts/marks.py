"""Parts of specifications that several charts share."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.charts.drawing import xml_safe
from weighbridge.charts.theme import INK, PAPER, PETROL, RED, WASH

# Fonts of readers may be wider than the fonts assumed for the layout.
LETTER_PX, LABEL_MAX_PX = 7.6, 190
OUTLINED = {"type": "bar", "fill": WASH, "stroke": PETROL, "strokeWidth": 1}
FILLED = {"type": "bar", "fill": PETROL}
CLAIM = {"type": "point", "shape": "diamond", "fill": PAPER, "stroke": INK, "strokeWidth": 1.4, "opacity": 1}
LIMIT = {"type": "rule", "stroke": RED, "strokeWidth": 1.5, "strokeDash": [4, 2.5]}


def layer(rows: Sequence[Mapping[str, Any]], mark: Mapping[str, Any], **channels: Any) -> dict[str, Any]:
    """Return a layer over the rows that have all fields of its channels."""
    fields = [channel["field"] for channel in channels.values() if "field" in channel]
    complete = [dict(row) for row in rows if all(row[field] is not None for field in fields)]
    return {"data": {"values": complete}, "mark": dict(mark), "encoding": channels}


def quantitative(field: str, **more: Any) -> dict[str, Any]:
    """Return a numeric channel."""
    return {"field": field, "type": "quantitative", **more}


def conditional(test: str, value: Any, other: Any) -> dict[str, str]:
    """Return a mark property with one value for rows that match `test`, and another for all other rows."""
    return {"expr": f"datum.{test} ? {json.dumps(value)} : {json.dumps(other)}"}


def row_axis(labels: Sequence[str], *, strong: Sequence[bool] = (), **more: Any) -> dict[str, Any]:
    """Return the y channel of charts with numbered rows; the axis shows the labels, which may contain any text."""
    names = [xml_safe(label) for label in labels]
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


def band_stroke(row: Mapping[str, Any], of: float) -> dict[str, Any]:
    """Return the y channels of a vertical stroke across the share `of` of the height of a row."""
    upright = {key: row[key] for key in ("field", "type")}
    return {"y": {**row, "bandPosition": 0.5 - of / 2}, "y2": {"field": upright["field"], "bandPosition": 0.5 + of / 2}}
