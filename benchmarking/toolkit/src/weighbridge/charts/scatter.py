"""Scatter charts: one mark per item, with its kind as shape and its name as label if there is room."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.charts import labels
from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import layer, quantitative
from weighbridge.charts.scales import scale_over
from weighbridge.charts.tables import Table
from weighbridge.charts.theme import HEIGHT, INK, WIDTH
from weighbridge.cli.tables.terminal import number


@dataclasses.dataclass(frozen=True)
class Mark:
    """One mark of a scatter chart."""

    name: str
    x: float
    y: float
    kind: str


def scatter(
    points: Sequence[Mark], *, kinds: Mapping[str, tuple[str, str]], x: str, y: str, title: str, alt: str
) -> Chart:
    """Draw points; `kinds` gives the shape and the fill of each kind, `x` and `y` name the axes."""
    across, up = scale_over([each.x for each in points]), scale_over([each.y for each in points])
    pixels = [(across.share(each.x) * WIDTH, (1 - up.share(each.y)) * HEIGHT) for each in points]
    placed = labels.place_labels(pixels, [each.name for each in points], width=WIDTH, height=HEIGHT, may_drop=True)
    rows = [
        {**dataclasses.asdict(each), **dataclasses.asdict(label)} for each, label in zip(points, placed, strict=True)
    ]
    axis = {"tickCount": 6, "format": ",~f", "labelOverlap": True}
    where = {
        "x": quantitative("x", title=x, scale=across.form, axis=axis),
        "y": quantitative("y", title=y, scale=up.form, axis=axis),
    }
    name = {"type": "text", "fontSize": 11, **{key: {"expr": f"datum.{key}"} for key in ("dx", "dy", "align")}}
    mark = {"type": "point", "size": 70, "stroke": INK, "strokeWidth": 1.2, "opacity": 1}
    layers = [
        layer(rows, mark, **where, shape=_kind_channel(kinds, 0), fill=_kind_channel(kinds, 1)),
        layer([row for row in rows if row["text"]], name, **where, text={"field": "text"}),
    ]
    cells = tuple((each.name, number(each.x), number(each.y), each.kind) for each in points)
    table = Table(title, ("", x, y, "kind"), cells, frozenset({1, 2}))
    return chart_of({"layer": layers}, title=title, alt=alt, table=table)


def _kind_channel(kinds: Mapping[str, tuple[str, str]], part: int) -> dict[str, Any]:
    """Return a channel that encodes the kind, with its legend below."""
    scale = {"domain": list(kinds), "range": [style[part] for style in kinds.values()]}
    return {"field": "kind", "type": "nominal", "title": None, "scale": scale, "legend": {"orient": "bottom"}}
