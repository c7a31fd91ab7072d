"""Geometry of the drawn gauges: where on a scale of so many pixels a bar, a mark and a flag stand. Pure.

Coordinates are plain numbers for SVG attributes; a strict content policy forbids style attributes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor, log10

WIDTH_PX = 180
_EDGE_PX = 4
_LEAST_BAR_PX = 1.5
_TICKS = 8


@dataclass(frozen=True)
class Gauge:
    """An interval on a ruler; every field is a position in pixels. What is None is not drawn."""

    width: int
    value: float
    start: float
    length: float
    claim: float | None
    limit: float | None
    ticks: tuple[float, ...]
    is_breach: bool
    allowed_side: str


@dataclass(frozen=True)
class Part:
    """One part of a meter, in per mille of its width."""

    kind: str
    start: float
    length: float


def interval_gauge(
    *,
    value: Decimal,
    lower: Decimal | None = None,
    upper: Decimal | None = None,
    claim: Decimal | None = None,
    limit: Decimal | None = None,
    is_upper_limit: bool = True,
) -> Gauge:
    """Lay out a figure, the claim it is compared with and the limit it must keep on one shared scale.

    It is a breach when any part of the interval lies beyond the limit.
    """
    low = float(value if lower is None else lower)
    high = float(value if upper is None else upper)
    marks = [low, high, float(value), *(float(mark) for mark in (claim, limit) if mark is not None)]
    first, last = _domain(marks)
    scale = (WIDTH_PX - 2 * _EDGE_PX) / (last - first)

    def place(number: float) -> float:
        return round(_EDGE_PX + (number - first) * scale, 2)

    bound = None if limit is None else float(limit)
    return Gauge(
        width=WIDTH_PX,
        value=place(float(value)),
        start=place(low),
        length=round(max(place(high) - place(low), _LEAST_BAR_PX), 2),
        claim=None if claim is None else place(float(claim)),
        limit=None if bound is None else place(bound),
        ticks=tuple(place(tick) for tick in _ticks(first, last)),
        is_breach=bound is not None and (high > bound if is_upper_limit else low < bound),
        allowed_side="left" if is_upper_limit else "right",
    )


def _domain(marks: Sequence[float]) -> tuple[float, float]:
    """The stretch of the scale that shows all marks with a margin; never below zero for what cannot be."""
    first, last = min(marks), max(marks)
    margin = (last - first) * 0.12 or abs(last) * 0.1 or 1.0
    return (max(first - margin, 0.0) if first >= 0 else first - margin), last + margin


def _ticks(first: float, last: float) -> list[float]:
    """Round numbers between both ends, about eight of them (steps of 1, 2 or 5 times a power of ten)."""
    rough = (last - first) / _TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [number * step for number in range(ceil(first / step), floor(last / step) + 1)]


def meter_parts(*, total: Decimal, parts: Sequence[tuple[str, Decimal]]) -> tuple[Part, ...]:
    """Lay amounts end to end on a meter of 1000 units; what exceeds the total becomes a last part "over"."""
    if total <= 0:
        return ()
    drawn: list[Part] = []
    position = Decimal(0)
    for kind, amount in parts:
        end = min(position + max(amount, Decimal(0)), total)
        if end > position:
            start = float(position / total * 1000)
            drawn.append(Part(kind, round(start, 1), round(float(end / total * 1000) - start, 1)))
        position = end
    if sum((max(amount, Decimal(0)) for _, amount in parts), Decimal(0)) > total:
        drawn.append(Part("over", 985.0, 15.0))
    return tuple(drawn)
