"""A scatter: each thing a mark on two scales, its kind told by shape, its name beside it where there is room."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.charts import labels
from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import amount, layer
from weighbridge.charts.scales import scale_over
from weighbridge.charts.tables import Table
from weighbridge.charts.theme import HEIGHT, INK, WIDTH
from weighbridge.cli.tables.terminal import number


@dataclasses.dataclass(frozen=True)
class Mark:
    """One mark."""

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
    placed = labels.place(pixels, [each.name for each in points], width=WIDTH, height=HEIGHT, may_drop=True)
    rows = [
        {**dataclasses.asdict(each), **dataclasses.asdict(label)} for each, label in zip(points, placed, strict=True)
    ]
    axis = {"tickCount": 6, "format": ",~f", "labelOverlap": True}
    where = {
        "x": amount("x", title=x, scale=across.form, axis=axis),
        "y": amount("y", title=y, scale=up.form, axis=axis),
    }
    shifts = {key: {"expr": f"datum.{key}"} for key in ("dx", "dy", "align")}
    mark = {"type": "point", "size": 70, "stroke": INK, "strokeWidth": 1.2, "opacity": 1}
    layers = [
        layer(rows, mark, **where, shape=_told(kinds, 0), fill=_told(kinds, 1)),
        layer(
            [row for row in rows if row["text"]],
            {"type": "text", "fontSize": 11, **shifts},
            **where,
            text={"field": "text"},
        ),
    ]
    cells = tuple((each.name, number(each.x), number(each.y), each.kind) for each in points)
    table = Table(title, ("", x, y, "kind"), cells, frozenset({1, 2}))
    return chart_of({"layer": layers}, title=title, alt=alt, table=table)


def _told(kinds: Mapping[str, tuple[str, str]], part: int) -> dict[str, Any]:
    """Return a channel that tells the kind, with its key below."""
    scale = {"domain": list(kinds), "range": [look[part] for look in kinds.values()]}
    return {"field": "kind", "type": "nominal", "title": None, "scale": scale, "legend": {"orient": "bottom"}}
