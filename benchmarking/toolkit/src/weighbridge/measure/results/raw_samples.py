"""Percentiles of a result, recomputed from its raw samples to detect edited metrics.

To go undetected, an edit would have to change metrics and samples consistently. These functions never raise for a
damaged result; it has no percentiles.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.metrics import NS_PER_MS, PERCENTILES
from weighbridge.statistics.order_statistics import MLPERF_CONFIDENCE, Interval
from weighbridge.statistics.percentile_intervals import serial_percentile_interval

# Kind of metric -> name of its samples in a result.
SAMPLE_NAMES: Mapping[str, str] = {"latency": "latency_ns", "response_time": "response_ns"}
# With all samples, the metric is exact except for rounding; with every `stride`-th, it lies within these bounds.
ROUNDING, NEAR_CERTAINTY = 1e-9, 0.9999


def percentiles_of(result: Mapping[str, Any], *, confidence: float = MLPERF_CONFIDENCE) -> dict[str, Interval]:
    """Recompute the percentiles (ms) that a result states, by name, like `latency_p50_ms`, from its samples."""
    percentiles: dict[str, Interval] = {}
    for kind in SAMPLE_NAMES:
        samples_ms = _samples_ms(result, kind)
        for latency_name, p in PERCENTILES.items():
            name = latency_name.replace("latency", kind, 1)
            if samples_ms is not None and _stated(result, name) is not None:
                interval = serial_percentile_interval(samples_ms, p, confidence)
                percentiles |= {name: interval} if interval is not None else {}
    return percentiles


def altered_metrics(result: Mapping[str, Any]) -> Iterator[str]:
    """Describe each stated metric that does not match the samples."""
    for name, interval in percentiles_of(result, confidence=NEAR_CERTAINTY).items():
        stated = _stated(result, name)
        lower, upper = interval.lower, interval.upper
        if result["samples"].get("stride") == 1:
            lower = upper = interval.value
        if stated is not None and not lower * (1 - ROUNDING) <= stated <= upper * (1 + ROUNDING):
            yield f"{name} is stated as {stated:g} ms, but its samples give {interval.value:g} ms"


def _stated(result: Mapping[str, Any], name: str) -> float | None:
    metrics = result.get("metrics")
    metric = metrics.get(name) if isinstance(metrics, Mapping) else None
    value = metric.get("value") if isinstance(metric, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _samples_ms(result: Mapping[str, Any], kind: str) -> NDArray[np.float64] | None:
    """Return the samples of a kind in milliseconds; None if missing or invalid."""
    samples = result.get("samples")
    values = samples.get(SAMPLE_NAMES[kind]) if isinstance(samples, Mapping) else None
    if not isinstance(values, list) or not values or not all(type(value) in (int, float) for value in values):
        return None
    samples_ms = np.asarray(values, dtype=np.float64) / NS_PER_MS
    return samples_ms if np.isfinite(samples_ms).all() and samples_ms.min() > 0 else None
