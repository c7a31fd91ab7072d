"""Axes: the metrics by which candidates are compared, each with its better direction."""

import dataclasses
import math
from collections.abc import Collection, Sequence
from enum import StrEnum

from weighbridge.core.errors import Invalid
from weighbridge.costs.metrics import ANSWER_METRICS
from weighbridge.costs.metrics import METRICS as COST_METRICS
from weighbridge.quality.metrics.registry import SHARE_BOUNDS, Metric, find_metric


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


# The directions of metrics that are not in the registry of quality metrics.
OF_ANSWERS = ("answer_error_rate", "refusal_rate", "truncated_rate", "injection_pass_rate")
BETTER_HIGH = ("throughput_per_s", "achieved_per_s", "business_kpi_delta", "pass_rate", "judge_agreement")
BETTER_LOW = (
    *(f"device_latency_{p}_ms" for p in ("p50", "p95", "p99")),
    *(f"{kind}_time_{p}_ms" for kind in ("response", "service") for p in ("p50", "p90", "p95", "p99")),
    "load_error_rate",
    *OF_ANSWERS,
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
    "flops",
    "energy_per_query_j",
    *(f"gpu_{name}" for name in ("peak_memory_mb", "peak_memory_delta_mb", "energy_per_query_j")),
    *COST_METRICS,
    *ANSWER_METRICS,
)
DIRECTIONS = dict.fromkeys(BETTER_HIGH, AxisDirection.MAX) | dict.fromkeys(BETTER_LOW, AxisDirection.MIN)
ACCURACY, LESS_IS_CHEAPER = "accuracy", ("latency_p95_ms", "model_size_mb")
DEFAULT_AXES = (ACCURACY, *LESS_IS_CHEAPER)


def axis_of(text: str) -> Axis:
    """Read `accuracy`, or `joules:min` for an unknown name; raise Invalid if the direction is unknown."""
    name, sign, direction = text.rpartition(":")
    if sign and direction in {member.value for member in AxisDirection}:
        return Axis(name, AxisDirection(direction))
    known = DIRECTIONS.get(text)
    if known is None and (metric := quality_metric(text)) is not None:
        known = AxisDirection.MAX if metric.is_higher_better else AxisDirection.MIN
    if known is None:
        raise Invalid(
            f"The better direction of {text!r} is unknown; write {text}:min or {text}:max.", code="axis", field="axis"
        )
    return Axis(text, known)


def default_axes(stated: Collection[str]) -> tuple[str, ...]:
    """Return the axes of candidates that have these metrics: quality, latency and size, as far as there are any.

    Quality is accuracy, or else the first quality metric.
    """
    qualities = [name for name in (ACCURACY, *stated) if name in stated and quality_metric(name) is not None]
    found = (*qualities[:1], *(name for name in LESS_IS_CHEAPER if name in stated))
    return found or DEFAULT_AXES


def quality_metric(name: str) -> Metric | None:
    """Return the metric of the registry with this name, like `mae` or `ndcg@10`; None if there is none."""
    try:
        return find_metric(name)
    except Invalid:
        return None


def bounds_of(name: str) -> tuple[float, float]:
    """Return between which values a metric is; without limits if it is not in the registry."""
    metric = quality_metric(name)
    return (-math.inf, math.inf) if metric is None else metric.bounds


def axes_of(texts: Sequence[str]) -> tuple[Axis, ...]:
    """Read several axes; raise Invalid for none, and for a metric that occurs twice."""
    axes = tuple(axis_of(text) for text in texts)
    names = [axis.metric for axis in axes]
    if not axes or len(set(names)) < len(names):
        raise Invalid("Give at least one axis, and each axis only once.", code="axis", field="axis")
    return axes


def is_share(name: str) -> bool:
    """Return whether a metric is a share between 0 and 1."""
    return bounds_of(name) == SHARE_BOUNDS
