"""Drift: whether a new benchmark run shows that an authorized model became slower or worse since its approval."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from benchmarking.runs.domain.metrics import Metric
from governance.rulebook.domain.monitoring import BreachKind, Monitoring
from weighbridge.core.metrics.catalog import Direction, MetricCatalog, MetricDefinition, MetricGroup

SLOW = frozenset({"latency_p95_ms", "latency_p99_ms", "ttft_p95_ms"})
SLACK = Monitoring().drift


@dataclass(frozen=True)
class Drift:
    """A metric value that became significantly worse: `then` at the approval, `now` in the new run."""

    name: str
    then: Decimal
    now: Decimal
    breach: BreachKind


def drifts(
    approved: Mapping[str, Metric], fresh: Iterable[Metric], *, catalog: MetricCatalog, slack: Decimal = SLACK
) -> tuple[Drift, ...]:
    """The metrics of latency and of quality that drifted.

    A metric drifted if the intervals do not overlap and the value is worse by more than the share `slack`.
    """
    drifted = []
    for measured in fresh:
        then, kind = approved.get(measured.name), catalog.get(measured.name)
        breach = _breach_of(kind) if kind is not None else None
        if kind is not None and then is not None and breach and _is_worse(then, measured, kind, slack):
            drifted.append(Drift(measured.name, then.value, measured.value, breach))
    return tuple(drifted)


def _breach_of(kind: MetricDefinition) -> BreachKind | None:
    if kind.group is MetricGroup.QUALITY:
        return BreachKind.QUALITY
    return BreachKind.LATENCY if kind.name in SLOW else None


def _is_worse(then: Metric, now: Metric, kind: MetricDefinition, slack: Decimal) -> bool:
    (then_low, then_high), (low, high) = then.bounds, now.bounds
    margin = abs(then.value) * slack
    if kind.direction is Direction.LOWER:
        return low > then_high and now.value > then.value + margin
    return high < then_low and now.value < then.value - margin
