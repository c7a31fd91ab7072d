"""Sparklines: the course of a value in a table cell, from zero, with its target."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.site.domain.charts.scales import length_scale

WIDTH, HEIGHT, EDGE = 96, 26, 4
_FEWEST = 2


@dataclass(frozen=True)
class Sparkline:
    """A line as an SVG path, the height of the target, and the place of the latest value, in pixels from the corner."""

    path: str
    target: float
    last: tuple[float, float]


def sparkline(values: Sequence[tuple[float, Decimal]], *, target: Decimal) -> Sparkline | None:
    """The line through pairs of position (such as the number of the quarter) and value; None for fewer than two."""
    if len(values) < _FEWEST:
        return None
    scale = length_scale([*(value for _, value in values), target], ticks=2)
    first, last = values[0][0], values[-1][0]

    def across(place: float) -> float:
        return round(EDGE + (place - first) / ((last - first) or 1) * (WIDTH - 2 * EDGE), 1)

    def down(value: Decimal) -> float:
        return round(HEIGHT - EDGE - scale.share(value) * (HEIGHT - 2 * EDGE), 1)

    points = [(across(place), down(value)) for place, value in values]
    return Sparkline("M" + "L".join(f"{x} {y}" for x, y in points), down(target), points[-1])
