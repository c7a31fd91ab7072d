"""Layout of small interval gauges and meters in table cells, in percent of their width.

Pure. Positions are SVG attributes, because the strict content policy forbids style attributes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.site.domain.charts.scales import length_scale, place_scale

EDGE = Decimal("2.5")
REACH_MAX = Decimal(4)
UPPER, STRICT = frozenset({"at_most", "below"}), frozenset({"above", "below"})
"""The comparators of upper limits, and those for which the limit itself does not hold."""
_LEAST_BAR = Decimal("0.8")


@dataclass(frozen=True)
class Gauge:
    """An interval on a scale from `first` to `last`; all other positions are percentages. None is not drawn."""

    first: Decimal
    last: Decimal
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


@dataclass(frozen=True)
class BudgetMeter:
    """The parts of a meter, and the place of its total in percent; None at the end."""

    parts: tuple[MeterPart, ...]
    total: float | None = None


def interval_gauge(
    *,
    value: Decimal,
    lower: Decimal | None = None,
    upper: Decimal | None = None,
    claim: Decimal | None = None,
    limit: Decimal | None = None,
    comparator: str = "at_most",
    is_share: bool = False,
    beside: Iterable[Decimal] = (),
) -> Gauge:
    """A metric value, its claim and its limit on a common scale. An interval partly beyond the limit is a breach.

    `comparator` is that of the limit; for `above` and `below`, the limit itself is beyond.
    The scale starts at zero, except for shares, whose differences are small compared with their size. It reaches over
    the numbers `beside` it, so that the gauges of a row can be compared.
    """
    low, high = value if lower is None else lower, value if upper is None else upper
    numbers = [low, high, value, *(mark for mark in (claim, limit) if mark is not None), *beside]
    scale = (place_scale if is_share else length_scale)(numbers)
    first, last = Decimal(str(scale.first)), Decimal(str(scale.last))

    def place(number: Decimal) -> Decimal:
        return EDGE + (number - first) / (last - first) * (100 - 2 * EDGE)

    return Gauge(
        first=first,
        last=last,
        value=_rounded(place(value)),
        start=_rounded(place(low)),
        length=_rounded(max(place(high) - place(low), _LEAST_BAR)),
        claim=None if claim is None else _rounded(place(claim)),
        limit=None if limit is None else _rounded(place(limit)),
        is_breach=limit is not None and _is_beyond(low, high, limit, comparator),
        allowed_side="left" if comparator in UPPER else "right",
    )


def _is_beyond(low: Decimal, high: Decimal, limit: Decimal, comparator: str) -> bool:
    excess = high - limit if comparator in UPPER else limit - low
    return excess >= 0 if comparator in STRICT else excess > 0


def meter_parts(*, total: Decimal, parts: Sequence[tuple[str, Decimal]], reach: Decimal = Decimal(1)) -> BudgetMeter:
    """Stack amounts on a meter. What exceeds the total is a last part "over", to the same scale as the others.

    `reach` is how many totals the meter is wide. Meters with the same reach can be compared: the one of 255 % is longer
    than the one of 101 %. It is limited to `REACH_MAX`; what is used beyond it makes the meter wider.
    """
    amounts = [(kind, max(amount, Decimal(0))) for kind, amount in parts]
    total, used = max(total, Decimal(0)), sum((amount for _, amount in amounts), Decimal(0))
    scale = max(total * min(max(reach, Decimal(1)), REACH_MAX), used)
    if not scale:
        return BudgetMeter(())
    drawn: list[MeterPart] = []
    position = Decimal(0)
    for kind, amount in amounts:
        start, position = position, position + amount
        if min(position, total) > start:
            drawn.append(_part(kind, start, min(position, total), scale))
    if used > total:
        drawn.append(_part("over", total, used, scale))
    return BudgetMeter(tuple(drawn), None if scale == total else _rounded(total / scale * 100))


def _part(kind: str, start: Decimal, end: Decimal, scale: Decimal) -> MeterPart:
    return MeterPart(kind, _rounded(start / scale * 100), _rounded((end - start) / scale * 100))


def _rounded(share: Decimal) -> float:
    return round(float(share), 2)
