"""Whether a fresh benchmark run says that an authorized model has become slower or worse than it was when it was
approved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from governance.rulebook.domain.monitoring import BreachKind, Monitoring
from weighbridge.core.catalog import CATALOG, Direction

WATCHED: Mapping[str, BreachKind] = {
    "latency_p95_ms": BreachKind.LATENCY,
    "latency_p99_ms": BreachKind.LATENCY,
    "accuracy": BreachKind.QUALITY,
    "f1_macro": BreachKind.QUALITY,
}
SLACK = Monitoring().drift


@dataclass(frozen=True)
class MeasuredValue:
    """A measured metric value with its bounds, where there are any."""

    name: str
    value: Decimal
    lower: Decimal | None
    upper: Decimal | None


@dataclass(frozen=True)
class Drift:
    """A metric value that got worse beyond doubt: `then` when it was approved, `now` in the fresh run."""

    name: str
    then: Decimal
    now: Decimal

    @property
    def breach(self) -> BreachKind:
        """Whether it is time or quality that got worse."""
        return WATCHED[self.name]


def drifts(
    approved: Mapping[str, MeasuredValue], fresh: Iterable[MeasuredValue], *, slack: Decimal = SLACK
) -> tuple[Drift, ...]:
    """Watched values whose intervals no longer meet, and whose value is worse by more than that share of what was
    approved.
    """
    found = []
    for reading in fresh:
        then = approved.get(reading.name)
        if then is not None and reading.name in WATCHED and _is_worse(then, reading, slack):
            found.append(Drift(reading.name, then.value, reading.value))
    return tuple(found)


def _is_worse(then: MeasuredValue, now: MeasuredValue, slack: Decimal) -> bool:
    if CATALOG[now.name].direction is Direction.LOWER:
        return _low(now) > _high(then) and now.value > then.value * (1 + slack)
    return _high(now) < _low(then) and now.value < then.value * (1 - slack)


def _low(reading: MeasuredValue) -> Decimal:
    return reading.value if reading.lower is None else reading.lower


def _high(reading: MeasuredValue) -> Decimal:
    return reading.value if reading.upper is None else reading.upper
