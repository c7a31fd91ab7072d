"""The metrics of a run in the format of `weighbridge.result/1`, with bounds, and the reasons for missing metrics."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.quality.metrics.registry import Metric
from weighbridge.quality.scores import Quality
from weighbridge.quality.scoring.measuring import Measured
from weighbridge.statistics.order_statistics import (
    MLPERF_CONFIDENCE,
    Interval,
    early_stopping_bound,
    failure_interval,
    mean_interval,
    minimum_samples,
)
from weighbridge.statistics.percentile_intervals import serial_percentile_interval

NS_PER_MS = 1e6
MAX_CLASSES = 200
PERCENTILES: Mapping[str, float] = {"latency_p50_ms": 0.5, "latency_p95_ms": 0.95, "latency_p99_ms": 0.99}


def interval_metric(interval: Interval, unit: str) -> dict[str, Any]:
    """Return a metric with its interval, and the method if there are several."""
    return {
        "value": interval.value,
        "lower": interval.lower,
        "upper": interval.upper,
        "confidence": interval.confidence,
        "n": interval.n,
        "unit": unit,
        **({"method": interval.method} if interval.method else {}),
    }


def point_metric(value: float, unit: str) -> dict[str, Any]:
    """Return a metric without an interval: a single reading or a count."""
    return {"value": value, "lower": None, "upper": None, "confidence": None, "n": 1, "unit": unit}


def latency_metrics(run: LatencyRun) -> dict[str, dict[str, Any]]:
    """Return p50, p95 and p99 in ms with 99 % intervals that allow dependence; omit those with too few samples."""
    return latency_of(run.latencies_ns)


def latency_of(latencies_ns: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """Return the same percentiles of latencies in the order of time."""
    samples_ms = latencies_ns / NS_PER_MS
    intervals = {name: serial_percentile_interval(samples_ms, p) for name, p in PERCENTILES.items()}
    return {name: interval_metric(interval, "ms") for name, interval in intervals.items() if interval is not None}


def rate_metrics(run: LatencyRun) -> dict[str, dict[str, Any]]:
    """Return queries per second back to back (1 / mean latency, interval of batch means) and the failure rate."""
    metrics = {}
    rate = rate_interval(run.latencies_ns)
    if rate is not None:
        metrics["throughput_per_s"] = interval_metric(rate, "1/s")
    failed = failure_interval(run.failed, run.attempts)
    if failed is not None:
        metrics["error_rate"] = interval_metric(failed, "ratio")
    return metrics


def rate_interval(gaps_ns: NDArray[np.int64], *, rows: int = 1) -> Interval | None:
    """Return `rows` / mean gap in 1/s with the interval of 20 batch means; None with fewer than 200 gaps.

    The interval is on the log scale (delta method), because a rate cannot be below 0.
    """
    mean_ns = mean_interval(gaps_ns)
    if mean_ns is None or mean_ns.value <= 0:
        return None
    value, spread = rows * 1e9 / mean_ns.value, math.exp((mean_ns.upper - mean_ns.value) / mean_ns.value)
    return Interval(value, value / spread, value * spread, mean_ns.confidence, mean_ns.n)


def quality_metrics(measured: Measured, metrics: Iterable[Metric]) -> dict[str, dict[str, Any]]:
    """Return the values of quality metrics in their order and units; a single row has no interval."""
    found = {}
    for metric in metrics:
        if metric.name in measured.intervals:
            found[metric.name] = interval_metric(measured.intervals[metric.name], metric.unit)
        elif metric.name in measured.points:
            found[metric.name] = point_metric(measured.points[metric.name], metric.unit)
    return found


def class_metrics(quality: Quality) -> list[dict[str, Any]] | None:
    """Return precision and recall of each class as metrics; None for a regression model, or above 200 classes."""
    if quality.confusion is None or len(quality.per_class) > MAX_CLASSES:
        return None
    return [
        {key: interval_metric(value, "ratio") if isinstance(value, Interval) else value for key, value in entry.items()}
        for entry in quality.per_class
    ]


def early_stopping(run: LatencyRun) -> dict[str, Any]:
    """Return the one-sided upper bounds of MLPerf in milliseconds, if there are enough samples."""
    samples_ms = run.latencies_ns / NS_PER_MS
    bounds = {name: early_stopping_bound(samples_ms, p) for name, p in PERCENTILES.items()}
    return {"confidence": MLPERF_CONFIDENCE, **{name: bound for name, bound in bounds.items() if bound is not None}}


def missing_metrics(run: LatencyRun) -> list[dict[str, str]]:
    """Return the missing percentiles, with the number of missing samples."""
    n = len(run.latencies_ns)
    floors = {name: minimum_samples(p) for name, p in PERCENTILES.items()}
    return [missing_samples(name, floor, n) for name, floor in floors.items() if n < floor]


def missing_samples(name: str, floor: int, n: int) -> dict[str, str]:
    """Return the reason for a missing metric that needs `floor` samples and has `n`."""
    return {"metric": name, "message": f"{name} needs {floor} samples and has {n}: {floor - n} more."}
