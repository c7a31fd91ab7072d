"""Drift: whether a new benchmark run shows that an authorized model became slower or worse since its approval."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from benchmarking.runs.domain.metrics import Metric
from governance.rulebook.domain.monitoring import BreachKind, Monitoring
from weighbridge.core.metric_catalog import CATALOG, Direction

WATCHED: Mapping[str, BreachKind] = {
    "latency_p95_ms": BreachKind.LATENCY,
    "latency_p99_ms": BreachKind.LATENCY,
    "accuracy": BreachKind.QUALITY,
    "f1_macro": BreachKind.QUALITY,
}
SLACK = Monitoring().drift


@dataclass(frozen=True)
class Drift:
    """A metric value that became significantly worse: `then` at the approval, `now` in the new run."""

    name: str
    then: Decimal
    now: Decimal

    @property
    def breach(self) -> BreachKind:
        """The kind of breach: latency or quality."""
        return WATCHED[self.name]


def drifts(approved: Mapping[str, Metric], fresh: Iterable[Metric], *, slack: Decimal = SLACK) -> tuple[Drift, ...]:
    """The watched metrics that drifted.

    A metric drifted if the intervals do not overlap and the value is worse by more than the share `slack`.
    """
    drifted = []
    for measured in fresh:
        then = approved.get(measured.name)
        if then is not None and measured.name in WATCHED and _is_worse(then, measured, slack):
            drifted.append(Drift(measured.name, then.value, measured.value))
    return tuple(drifted)


def _is_worse(then: Metric, now: Metric, slack: Decimal) -> bool:
    (then_low, then_high), (low, high) = then.bounds, now.bounds
    if CATALOG[now.name].direction is Direction.LOWER:
        return low > then_high and now.value > then.value * (1 + slack)
    return high < then_low and now.value < then.value * (1 - slack)
