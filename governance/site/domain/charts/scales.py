"""Scales of charts: rules that keep a drawing in proportion to its numbers.

A scale of lengths (bars, amounts) contains zero. Rows that are compared share one scale, and nothing lies outside it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_ROOM = 0.06
_ALIKE = 1e-9
"""Relative: ticks keep twelve digits, so a scale of values that are closer would have one tick."""
_ZERO = 1e-290
"""The steps of a scale of smaller values cannot be told from zero."""
TICKS = 5


@dataclass(frozen=True)
class LinearScale:
    """A linear scale from `first` to `last`, `last` > `first`, with its ticks in rising order."""

    first: float
    last: float
    ticks: tuple[float, ...]

    def share(self, value: Decimal | float) -> float:
        """The position of a value, from 0 (first) to 1 (last)."""
        return (float(value) - self.first) / (self.last - self.first)

    @property
    def has_zero(self) -> bool:
        """Whether zero lies on the scale, so that lengths may be drawn on it."""
        return self.first <= 0 <= self.last


def length_scale(values: Iterable[Decimal | float], *, ticks: int = TICKS) -> LinearScale:
    """The scale for bars and amounts: it contains zero and all values."""
    return _nice([0.0, *_floats(values)], ticks)


def place_scale(values: Iterable[Decimal | float]) -> LinearScale:
    """The scale for points alone: it contains all values with some room, and does not need to contain zero.

    It does not go below zero, nor above one, for values that do not. Values that are nearly equal get the room of one.
    """
    found = _floats(values) or [0.0]
    low, high = min(found), max(found)
    size = max(abs(low), abs(high))
    room = (high - low if high - low > size * _ALIKE else size) * _ROOM or 1.0
    first, last = low - room, high + room
    if low >= 0:
        first = max(first, 0.0)
    if low >= 0 and high <= 1:
        last = min(last, 1.0)
    return _nice([first, last], TICKS)


def _floats(values: Iterable[Decimal | float]) -> list[float]:
    found = (float(value) for value in values)
    return [0.0 if abs(value) < _ZERO else value for value in found]


def _nice(values: list[float], ticks: int) -> LinearScale:
    low, high = min(values), max(values)
    if low == high == 0:
        high = 1.0
    step = _step((high - low) / ticks)
    first = math.floor(low / step + _slack(low / step))
    last = math.ceil(high / step - _slack(high / step))
    marks = tuple(_tidy(index * step) for index in range(first, last + 1))
    return LinearScale(marks[0], marks[-1], marks)


def _slack(place: float) -> float:
    """How far a place may lie beyond a whole step by rounding alone."""
    return 1e-9 + abs(place) * 1e-15


def _step(rough: float) -> float:
    """The step of 1, 2, 2.5 or 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next((step * power for step in _STEPS if step * power >= rough * (1 - 1e-9)), 10 * power)


def _tidy(number: float) -> float:
    return float(f"{number:.12g}")
