"""Metrics: the metrics of a run in the form of `weighbridge.result/1`, each with its bounds, or the reason it is
missing.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.quality.scores import Quality
from weighbridge.statistics.order_statistics import (
    MLPERF_CONFIDENCE,
    Interval,
    early_stopping_bound,
    failure_interval,
    mean_interval,
    minimum_samples,
)
from weighbridge.statistics.resampling import serial_percentile_interval

NS_PER_MS = 1e6
UNITS: Mapping[str, str] = {"mae": "1", "rmse": "1", "r2": "1"}
MOST_CLASSES = 200
PERCENTILES: Mapping[str, float] = {"latency_p50_ms": 0.5, "latency_p95_ms": 0.95, "latency_p99_ms": 0.99}


def bounded(interval: Interval, unit: str) -> dict[str, Any]:
    """Return a metric with its interval, and how it was found where there is more than one way."""
    return {
        "value": interval.value,
        "lower": interval.lower,
        "upper": interval.upper,
        "confidence": interval.confidence,
        "n": interval.n,
        "unit": unit,
        **({"method": interval.method} if interval.method else {}),
    }


def single(value: float, unit: str) -> dict[str, Any]:
    """Return a metric that was read once, or counted, and has no interval."""
    return {"value": value, "lower": None, "upper": None, "confidence": None, "n": 1, "unit": unit}


def latency_metrics(run: LatencyRun) -> dict[str, dict[str, Any]]:
    """Return p50, p95 and p99 in milliseconds with intervals that bear dependence, at 99 %; too few
    samples, no metric.
    """
    samples_ms = run.latencies_ns / NS_PER_MS
    intervals = {name: serial_percentile_interval(samples_ms, p) for name, p in PERCENTILES.items()}
    return {name: bounded(interval, "ms") for name, interval in intervals.items() if interval is not None}


def rate_metrics(run: LatencyRun) -> dict[str, dict[str, Any]]:
    """Return queries per second back to back (1 / mean latency, interval of batch means) and the share that failed."""
    metrics = {}
    rate = rate_interval(run.latencies_ns)
    if rate is not None:
        metrics["throughput_per_s"] = bounded(rate, "1/s")
    failed = failure_interval(run.failed, run.attempts)
    if failed is not None:
        metrics["error_rate"] = bounded(failed, "ratio")
    return metrics


def rate_interval(gaps_ns: NDArray[np.int64], *, rows: int = 1) -> Interval | None:
    """Return `rows` / mean gap in 1/s with the interval of 20 batch means; None with fewer than 200 gaps.

    The interval is laid on the logarithm (delta method), since a rate cannot fall below 0 however wild the batches are.
    """
    mean_ns = mean_interval(gaps_ns)
    if mean_ns is None or mean_ns.value <= 0:
        return None
    value, spread = rows * 1e9 / mean_ns.value, math.exp((mean_ns.upper - mean_ns.value) / mean_ns.value)
    return Interval(value, value / spread, value * spread, mean_ns.confidence, mean_ns.n)


def quality_metrics(quality: Quality) -> dict[str, dict[str, Any]]:
    """Return the metrics of quality: a classifier's are ratios, errors of numbers have the unit of the
    data, written 1.
    """
    return {name: bounded(metric, UNITS.get(name, "ratio")) for name, metric in quality.metrics.items()}


def class_metrics(quality: Quality) -> list[dict[str, Any]] | None:
    """Return precision and recall of each class as metrics; None for a model of numbers, or beyond 200 classes."""
    if quality.confusion is None or len(quality.per_class) > MOST_CLASSES:
        return None
    return [
        {key: bounded(value, "ratio") if isinstance(value, Interval) else value for key, value in entry.items()}
        for entry in quality.per_class
    ]


def early_stopping(run: LatencyRun) -> dict[str, Any]:
    """Return MLPerf's one-sided upper bounds in milliseconds, where there are samples enough."""
    samples_ms = run.latencies_ns / NS_PER_MS
    bounds = {name: early_stopping_bound(samples_ms, p) for name, p in PERCENTILES.items()}
    return {"confidence": MLPERF_CONFIDENCE, **{name: bound for name, bound in bounds.items() if bound is not None}}


def missing_metrics(run: LatencyRun) -> list[dict[str, str]]:
    """Say which percentile has no metric, and how many samples it lacks."""
    n = len(run.latencies_ns)
    floors = {name: minimum_samples(p) for name, p in PERCENTILES.items()}
    return [
        {"metric": name, "message": f"{name} needs {floor} samples and has {n}: {floor - n} more."}
        for name, floor in floors.items()
        if n < floor
    ]
