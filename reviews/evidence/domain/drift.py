"""Whether a fresh benchmark run says that an authorized model has become slower or worse than it was when it was
approved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from governance.rulebook.domain.monitoring import Breach, Monitoring
from weighbridge.core.metrics import CATALOG, Direction

WATCHED: Mapping[str, Breach] = {
    "latency_p95_ms": Breach.LATENCY,
    "latency_p99_ms": Breach.LATENCY,
    "accuracy": Breach.QUALITY,
    "f1_macro": Breach.QUALITY,
}
SLACK = Monitoring().drift


@dataclass(frozen=True)
class Reading:
    """A measured figure with its bounds, where there are any."""

    name: str
    value: Decimal
    lower: Decimal | None
    upper: Decimal | None


@dataclass(frozen=True)
class Drift:
    """A figure that got worse beyond doubt: `then` when it was approved, `now` in the fresh run."""

    name: str
    then: Decimal
    now: Decimal

    @property
    def breach(self) -> Breach:
        """Whether it is time or quality that got worse."""
        return WATCHED[self.name]


def drifts(approved: Mapping[str, Reading], fresh: Iterable[Reading], *, slack: Decimal = SLACK) -> tuple[Drift, ...]:
    """Watched figures whose intervals no longer meet, and whose value is worse by more than that share of what was
    approved.
    """
    found = []
    for reading in fresh:
        then = approved.get(reading.name)
        if then is not None and reading.name in WATCHED and _is_worse(then, reading, slack):
            found.append(Drift(reading.name, then.value, reading.value))
    return tuple(found)


def _is_worse(then: Reading, now: Reading, slack: Decimal) -> bool:
    if CATALOG[now.name].direction is Direction.LOWER:
        return _low(now) > _high(then) and now.value > then.value * (1 + slack)
    return _high(now) < _low(then) and now.value < then.value * (1 - slack)


def _low(reading: Reading) -> Decimal:
    return reading.value if reading.lower is None else reading.lower


def _high(reading: Reading) -> Decimal:
    return reading.value if reading.upper is None else reading.upper
