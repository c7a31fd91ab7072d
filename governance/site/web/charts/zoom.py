"""What can be zoomed in a chart: its axes with their scales, from which zoom.js computes places and ticks.

A plane is zoomed on both axes, a chart with names listed downward on the axis of its values, and any other chart on
its months, days or classes. An axis that bars or amounts rise from keeps its zero, and is not zoomed.
"""

import json
from dataclasses import dataclass
from typing import Any

from governance.site.domain.charts.chart import ChartAxis, ChartMark
from governance.site.domain.charts.scales import LinearScale
from governance.site.web.charts.boxes import TOP, Box

NAMES_MIN = 4
"""Fewer months, days or classes need no zoom."""


@dataclass(frozen=True)
class Zoom:
    """The plot as left, top, width and height in pixels, and the axes as JSON."""

    plot: tuple[float, float, float, float]
    axes: str


def zoom_of(box: Box) -> Zoom | None:
    """What can be zoomed; None for a chart that is drawn whole."""
    chart = box.chart
    has_bars = any(series.mark is ChartMark.BAR for series in chart.series)
    if not chart.points or (chart.is_rows and has_bars) or (chart.x.is_names and len(chart.x.labels) < NAMES_MIN):
        return None
    axes = {"x": _axis(chart.x, box.across, (box.left, box.right))}
    if chart.is_plane:
        axes["y"] = _axis(chart.y, box.down, (box.base, TOP))
    return Zoom((box.left, TOP, round(box.right - box.left, 1), box.base - TOP), json.dumps(axes))


def _axis(axis: ChartAxis, scale: LinearScale, ends: tuple[float, float]) -> dict[str, Any]:
    """The scale of an axis: values `first` to `last` lie from the first to the second of the ends, in pixels."""
    found: dict[str, Any] = {"from": ends[0], "to": ends[1], "first": scale.first, "last": scale.last}
    ticks = list(enumerate(axis.labels)) or axis.fine or axis.ticks
    return found | ({"ticks": ticks, "isNames": axis.is_names} if ticks else {"unit": axis.unit})
