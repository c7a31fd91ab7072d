"""Layout of small interval gauges and meters in table cells, in percent of their width.

Pure. Positions are SVG attributes, because the strict content policy forbids style attributes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

EDGE = Decimal("2.5")
_ROOM = Decimal("0.12")
_LEAST_BAR = Decimal("0.8")


@dataclass(frozen=True)
class Gauge:
    """An interval on a scale; all positions are percentages. None is not drawn."""

    value: float
    start: float
    length: float
    claim: float | None
    limit: float | None
    is_breach: bool
    allowed_side: str


@dataclass(frozen=True)
class MeterPart:
    """One part of a meter."""

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
    """A metric value, its claim and its limit on a common scale. An interval partly beyond the limit is a breach."""
    low, high = value if lower is None else lower, value if upper is None else upper
    marks = [low, high, value, *(mark for mark in (claim, limit) if mark is not None)]
    first, last = min(marks), max(marks)
    room = (last - first) * _ROOM or abs(last) * _ROOM or Decimal(1)
    first, last = (max(first - room, Decimal(0)) if first >= 0 else first - room), last + room

    def place(number: Decimal) -> Decimal:
        return EDGE + (number - first) / (last - first) * (100 - 2 * EDGE)

    return Gauge(
        value=_rounded(place(value)),
        start=_rounded(place(low)),
        length=_rounded(max(place(high) - place(low), _LEAST_BAR)),
        claim=None if claim is None else _rounded(place(claim)),
        limit=None if limit is None else _rounded(place(limit)),
        is_breach=limit is not None and (high > limit if is_upper_limit else low < limit),
        allowed_side="left" if is_upper_limit else "right",
    )


def meter_parts(*, total: Decimal, parts: Sequence[tuple[str, Decimal]]) -> tuple[MeterPart, ...]:
    """Stack amounts on a meter; the excess over the total becomes a last part "over"."""
    if total <= 0:
        return ()
    drawn: list[MeterPart] = []
    position = Decimal(0)
    for kind, amount in parts:
        start, position = position, position + max(amount, Decimal(0))
        if min(position, total) > start:
            length = (min(position, total) - start) / total * 100
            drawn.append(MeterPart(kind, _rounded(start / total * 100), _rounded(length)))
    return (*drawn, MeterPart("over", 98.5, 1.5)) if position > total else tuple(drawn)


def _rounded(share: Decimal) -> float:
    return round(float(share), 2)
