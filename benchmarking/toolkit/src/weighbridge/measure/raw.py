"""Raw samples: the percentiles of a result, found anew from what it keeps, because a metric in a file is anybody's
word.

A file can be edited; metrics and samples would have to be edited to fit each other. Nothing here raises for a result
that somebody spoilt: it has no metrics then.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.metrics import NS_PER_MS, PERCENTILES
from weighbridge.statistics.order_statistics import MLPERF_CONFIDENCE, Interval
from weighbridge.statistics.resampling import serial_percentile_interval

# What the samples of each kind of metric are called in a result.
KEPT: Mapping[str, str] = {"latency": "latency_ns", "response_time": "response_ns"}
# All samples give a metric to the last digit; every `stride`-th gives it within bounds that are wrong once in 10,000
# times.
ROUNDING, ALMOST_SURE = 1e-9, 0.9999


def percentiles_of(result: Mapping[str, Any], *, confidence: float = MLPERF_CONFIDENCE) -> dict[str, Interval]:
    """Return those of p50, p95 and p99 (ms) that a result states, by name, like `latency_p50_ms`, from its
    own samples.
    """
    found: dict[str, Interval] = {}
    for kind in KEPT:
        samples_ms = _samples_ms(result, kind)
        for usual, p in PERCENTILES.items():
            name = usual.replace("latency", kind, 1)
            if samples_ms is not None and _stated(result, name) is not None:
                interval = serial_percentile_interval(samples_ms, p, confidence)
                found |= {name: interval} if interval is not None else {}
    return found


def altered(result: Mapping[str, Any]) -> Iterator[str]:
    """Say which stated metrics are not those of the samples."""
    for name, held in percentiles_of(result, confidence=ALMOST_SURE).items():
        stated = _stated(result, name)
        lower, upper = (held.value, held.value) if result["samples"].get("stride") == 1 else (held.lower, held.upper)
        if stated is not None and not lower * (1 - ROUNDING) <= stated <= upper * (1 + ROUNDING):
            yield f"{name} is stated as {stated:g} ms, and its samples give {held.value:g} ms"


def _stated(result: Mapping[str, Any], name: str) -> float | None:
    metrics = result.get("metrics")
    metric = metrics.get(name) if isinstance(metrics, Mapping) else None
    value = metric.get("value") if isinstance(metric, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _samples_ms(result: Mapping[str, Any], kind: str) -> NDArray[np.float64] | None:
    """Return the samples of a kind in milliseconds; None where there are none, or something else in their place."""
    samples = result.get("samples")
    kept = samples.get(KEPT[kind]) if isinstance(samples, Mapping) else None
    if not isinstance(kept, list) or not kept or not all(type(each) in (int, float) for each in kept):
        return None
    found = np.asarray(kept, dtype=np.float64) / NS_PER_MS
    return found if np.isfinite(found).all() and found.min() > 0 else None
