"""Scatter charts: one mark per item, with its kind as shape and its name as label if there is room."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.charts import labels
from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import LIMIT, layer, quantitative
from weighbridge.charts.scales import scale_over
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.charts.theme import HEIGHT, INK, RED, WIDTH
from weighbridge.cli.tables.terminal import number


@dataclasses.dataclass(frozen=True)
class Mark:
    """One mark of a scatter chart."""

    name: str
    x: float
    y: float
    kind: str


def scatter(
    points: Sequence[Mark],
    *,
    kinds: Mapping[str, tuple[str, str]],
    x: str,
    y: str,
    title: str,
    alt: str,
    x_limits: Sequence[float] = (),
    y_limits: Sequence[float] = (),
) -> Chart:
    """Draw points; `kinds` gives the shape and the fill of each kind, `x` and `y` name the axes.

    Each limit is a dashed line across its axis with its number; it lies on the scale and in the table.
    """
    across, up = scale_over([*(each.x for each in points), *x_limits]), scale_over([*(p.y for p in points), *y_limits])
    pixels = [(across.share(each.x) * WIDTH, (1 - up.share(each.y)) * HEIGHT) for each in points]
    upright = [across.share(limit) * WIDTH for limit in x_limits]
    level = [(1 - up.share(limit)) * HEIGHT for limit in y_limits]
    lines = [
        *(labels.line_box((at, 0), (at, HEIGHT)) for at in upright),
        *(labels.line_box((0, at), (WIDTH, at)) for at in level),
    ]
    placed = labels.place_labels(
        pixels, [each.name for each in points], width=WIDTH, height=HEIGHT, lines=lines, may_drop=True
    )
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
        *_limit_lines(where, "x", x_limits),
        *_limit_lines(where, "y", y_limits),
        layer(rows, mark, **where, shape=_kind_channel(kinds, 0), fill=_kind_channel(kinds, 1)),
        layer([row for row in rows if row["text"]], name, **where, text={"field": "text"}),
    ]
    cells = [(each.name, number(each.x), number(each.y), each.kind) for each in points]
    cells += [("limit", number(limit), EMPTY_CELL, "limit") for limit in x_limits]
    cells += [("limit", EMPTY_CELL, number(limit), "limit") for limit in y_limits]
    table = Table(title, ("", x, y, "kind"), tuple(cells), frozenset({1, 2}))
    return chart_of({"layer": layers}, title=title, alt=alt, table=table)


def _limit_lines(where: Mapping[str, dict[str, Any]], axis: str, limits: Sequence[float]) -> list[dict[str, Any]]:
    """Return the lines of the limits of an axis and their texts, at the end of each line; none without limits."""
    rows = [{axis: limit, "text": f"limit {number(limit)}"} for limit in limits]
    ends = {"x": {"y": {"value": 0}}, "y": {"x": {"value": WIDTH}}}[axis]
    align = {"align": "left", "dx": 4, "dy": 8} if axis == "x" else {"align": "right", "dx": -4, "dy": -7}
    text = {"type": "text", "fontSize": 11, "fill": RED, **align}
    at = {axis: where[axis]}
    return [layer(rows, LIMIT, **at), layer(rows, text, **at, **ends, text={"field": "text"})] if rows else []


def _kind_channel(kinds: Mapping[str, tuple[str, str]], part: int) -> dict[str, Any]:
    """Return a channel that encodes the kind, with its legend below."""
    scale = {"domain": list(kinds), "range": [style[part] for style in kinds.values()]}
    return {"field": "kind", "type": "nominal", "title": None, "scale": scale, "legend": {"orient": "bottom"}}
