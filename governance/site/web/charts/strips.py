"""A status strip: how many things are in each state, as parts of one bar, as wide as their shares."""

from collections.abc import Iterable
from dataclasses import dataclass

LEAST = 1.0
"""The least width of a part in percent, so that what is not 0 can be seen."""
TEXT_FROM, ICON_FROM = 4.0, 11.0


@dataclass(frozen=True)
class StripPart:
    """A part: a state (of status_badges.py), its count, its address, and its place in percent of the width."""

    state: str
    count: int
    href: str
    start: float
    length: float

    @property
    def has_text(self) -> bool:
        """Whether the count has room in it."""
        return self.length >= TEXT_FROM

    @property
    def has_icon(self) -> bool:
        """Whether the symbol has room beside the count."""
        return self.length >= ICON_FROM


@dataclass(frozen=True)
class StatusStrip:
    """The parts that are not 0, and the sum of their counts."""

    parts: tuple[StripPart, ...]
    total: int


def status_strip(counted: Iterable[tuple[str, int, str]]) -> StatusStrip:
    """The strip of triples of state, count and address, in their order; a part below `LEAST` is as wide as this."""
    shown = [each for each in counted if each[1]]
    total = sum(count for _, count, _ in shown)
    wide = [max(count / total * 100, LEAST) for _, count, _ in shown]
    excess = sum(wide) - 100
    room = sum(width - LEAST for width in wide)
    widths = [width - excess * (width - LEAST) / room if room else width for width in wide]
    parts, start = [], 0.0
    for (state, count, href), width in zip(shown, widths, strict=True):
        parts.append(StripPart(state, count, href, round(start, 3), round(width, 3)))
        start += width
    return StatusStrip(tuple(parts), total)
