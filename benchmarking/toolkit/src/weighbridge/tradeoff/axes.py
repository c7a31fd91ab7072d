"""Axes: the metrics by which candidates are compared, each with its better direction."""

import dataclasses
from collections.abc import Sequence
from enum import StrEnum

from weighbridge.core.errors import Invalid
from weighbridge.costs.metrics import METRICS as COST_METRICS


class AxisDirection(StrEnum):
    """The better direction of a metric."""

    MIN = "min"
    MAX = "max"


@dataclasses.dataclass(frozen=True)
class Axis:
    """A metric of a candidate by name, and its better direction."""

    metric: str
    direction: AxisDirection

    @property
    def sign(self) -> int:
        """Return the factor that makes smaller better."""
        return 1 if self.direction is AxisDirection.MIN else -1


BETTER_HIGH = (
    "accuracy",
    "f1_macro",
    "precision_macro",
    "recall_macro",
    "roc_auc",
    "r2",
    "throughput_per_s",
    "achieved_per_s",
)
BETTER_LOW = (
    *(f"device_latency_{p}_ms" for p in ("p50", "p95", "p99")),
    *(f"{kind}_time_{p}_ms" for kind in ("response", "service") for p in ("p50", "p90", "p95", "p99")),
    "load_error_rate",
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "load_time_ms",
    "first_inference_ms",
    "model_size_mb",
    "parameters",
    "peak_memory_mb",
    "peak_memory_delta_mb",
    "error_rate",
    "energy_per_inference_j",
    *COST_METRICS,
)
DIRECTIONS = dict.fromkeys(BETTER_HIGH, AxisDirection.MAX) | dict.fromkeys(BETTER_LOW, AxisDirection.MIN)
DEFAULT_AXES = ("accuracy", "latency_p95_ms", "model_size_mb")


def axis_of(text: str) -> Axis:
    """Read `accuracy`, or `joules:min` for an unknown name; raise Invalid if the direction is unknown."""
    name, _, direction = text.partition(":")
    if direction in {member.value for member in AxisDirection}:
        return Axis(name, AxisDirection(direction))
    if direction or name not in DIRECTIONS:
        raise Invalid(
            f"The better direction of {name!r} is unknown; write {name}:min or {name}:max.", code="axis", field="axis"
        )
    return Axis(name, DIRECTIONS[name])


def axes_of(texts: Sequence[str]) -> tuple[Axis, ...]:
    """Read several axes; raise Invalid for none, and for a metric that occurs twice."""
    axes = tuple(axis_of(text) for text in texts)
    names = [axis.metric for axis in axes]
    if not axes or len(set(names)) < len(names):
        raise Invalid("Give at least one axis, and each axis only once.", code="axis", field="axis")
    return axes
