"""Labels: where the name of each point goes, so that names cover neither points nor each other.

Greedy, from the point with the least room around it: of the places around a point the one that covers least is taken.
"""

import dataclasses
from collections.abc import Sequence

from weighbridge.charts.theme import LABEL_PX

# Mean width of a letter over its height, of the sans faces used here.
LETTER = 0.56
MARK_PX = 8
# Right, left, above, below, the corners and beyond them: shift of the text's anchor, and its alignment.
PLACES = (
    (9, 0, "left"),
    (-9, 0, "right"),
    (0, -15, "center"),
    (0, 15, "center"),
    (8, -13, "left"),
    (8, 13, "left"),
    (-8, -13, "right"),
    (-8, 13, "right"),
    (8, -28, "left"),
    (8, 28, "left"),
    (-8, -28, "right"),
    (-8, 28, "right"),
)
# Of these, the places from which a reader still sees whose name it is.
NEAR = 8
Box = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class Label:
    """A text beside a point: the shift of its anchor in pixels (down is +) and its alignment."""

    text: str
    dx: int
    dy: int
    align: str


def place_labels(
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    *,
    width: float,
    height: float,
    lines: Sequence[Box] = (),
    may_drop: bool = False,
) -> list[Label]:
    """Place one text at each point (pixels from the top left) of a plane of `width` by `height`.

    `lines` are other things on the plane (left, top, right, bottom) that texts had better not cover. With `may_drop` a
    text that finds no free place near its point is left empty.
    """
    marks = [(x - MARK_PX, y - MARK_PX, x + MARK_PX, y + MARK_PX) for x, y in points]
    taken: list[Box] = []
    labels: dict[int, Label] = {}
    for index in sorted(range(len(points)), key=lambda index: -_crowd(points, index)):
        others = [mark for other, mark in enumerate(marks) if other != index] + taken + list(lines)
        best = min(
            range(NEAR if may_drop else len(PLACES)),
            key=lambda at: (_cost(_box(points[index], texts[index], at), others, width, height), at),
        )
        dx, dy, align = PLACES[best]
        box = _box(points[index], texts[index], best)
        is_dropped = may_drop and _cost(box, others, width, height) > 0
        labels[index] = Label("" if is_dropped else texts[index], dx, dy, align)
        taken += [] if is_dropped else [box]
    return [labels[index] for index in range(len(points))]


def line_box(one: tuple[float, float], other: tuple[float, float]) -> Box:
    """Return the box of an upright or level line between two points, as thick as texts should keep away from it."""
    (left, right), (top, bottom) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return left - 3, top - 3, right + 3, bottom + 3


def _crowd(points: Sequence[tuple[float, float]], index: int) -> int:
    x, y = points[index]
    return sum(abs(x - other_x) < 90 and abs(y - other_y) < 40 for other_x, other_y in points)


def _box(point: tuple[float, float], text: str, place: int) -> Box:
    dx, dy, align = PLACES[place]
    wide = len(text) * LABEL_PX * LETTER
    left = point[0] + dx - {"left": 0.0, "center": wide / 2, "right": wide}[align]
    top = point[1] + dy - LABEL_PX / 2
    return left, top, left + wide, top + LABEL_PX


def _cost(box: Box, others: Sequence[Box], width: float, height: float) -> float:
    """Return the area that a text covers of others and, ten times as bad, leaves outside of the plane."""
    inside = _overlap(box, (0, 0, width, height))
    area = (box[2] - box[0]) * (box[3] - box[1])
    return sum(_overlap(box, other) for other in others) + 10 * (area - inside)


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)
