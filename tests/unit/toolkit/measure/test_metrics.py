"""Metrics of a run in the form of the result."""

import numpy as np
import pytest

from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.loops.warmup import WarmUpReport
from weighbridge.measure.metrics import (
    class_metrics,
    early_stopping,
    latency_metrics,
    missing_metrics,
    quality_metrics,
    rate_metrics,
)
from weighbridge.quality.metrics.registry import find_metric
from weighbridge.quality.scores import Quality
from weighbridge.quality.scoring.measuring import Measured
from weighbridge.statistics.order_statistics import Interval


def run_of(latencies_ns, failures=None):
    return LatencyRun(
        np.array(latencies_ns, dtype=np.int64), failures or {}, 1.0, 1, WarmUpReport(0, 0.0, is_settled=True)
    )


def test_latency_in_milliseconds_with_its_bounds():
    shuffled = np.random.default_rng(2).permutation(np.arange(1, 1_001))
    found = latency_metrics(run_of(shuffled * 1_000_000))
    assert set(found) == {"latency_p50_ms", "latency_p95_ms", "latency_p99_ms"}
    assert found["latency_p95_ms"] == {
        "value": pytest.approx(950.05),
        "lower": 931.0,
        "upper": 968.0,
        "confidence": 0.99,
        "n": 1_000,
        "unit": "ms",
        "method": "order statistics",
    }


def test_samples_that_follow_each_other_have_wide_bounds_at_the_level_they_bear():
    rising = latency_metrics(run_of(np.arange(1, 1_001) * 1_000_000))["latency_p95_ms"]
    assert rising["lower"] < 900
    assert rising["upper"] == 1_000.0
    assert rising["confidence"] < 0.8
    assert "1000 samples worth " in rising["method"]


def test_too_few_samples_give_no_metric_but_the_number_missing():
    run = run_of([1_000_000] * 500)
    assert set(latency_metrics(run)) == {"latency_p50_ms", "latency_p95_ms"}
    assert set(early_stopping(run)) == {"confidence", "latency_p50_ms", "latency_p95_ms"}
    assert missing_metrics(run) == [
        {"metric": "latency_p99_ms", "message": "latency_p99_ms needs 662 samples and has 500: 162 more."}
    ]


def test_throughput_is_one_over_the_mean_latency():
    found = rate_metrics(run_of([2_000_000] * 400))
    assert found["throughput_per_s"] == {
        "value": 500.0,
        "lower": 500.0,
        "upper": 500.0,
        "confidence": 0.95,
        "n": 400,
        "unit": "1/s",
    }
    assert found["error_rate"]["value"] == 0.0


def test_a_throughput_that_is_hardly_known_has_wide_bounds_above_zero():
    assert set(rate_metrics(run_of([1] * 100))) == {"error_rate"}
    wild = rate_metrics(run_of([1] * 10 + [10**9] + [1] * 389))["throughput_per_s"]
    assert 0 < wild["lower"] < wild["value"] / 2
    assert wild["upper"] > wild["value"] * 2
    assert set(rate_metrics(run_of([0] * 400))) == {"error_rate"}
    assert rate_metrics(run_of([])) == {}
    assert rate_metrics(run_of([], {"Fail": 4}))["error_rate"] == {
        "value": 1.0,
        "lower": 0.0,
        "upper": 1.0,
        "confidence": 0.95,
        "n": 4,
        "unit": "ratio",
    }


def test_quality_has_a_unit_and_its_classes():
    sure = Interval(0.5, 0.4, 0.6, 0.95, 8)
    entry = {"class": 0, "support": 4, "precision": None, "recall": sure, "f1": 0.25}
    found = Quality(Measured({"accuracy": sure}, {}, {}, {}), np.eye(2, dtype=np.int64), (entry,))
    metric = {"value": 0.5, "lower": 0.4, "upper": 0.6, "confidence": 0.95, "n": 8, "unit": "ratio"}
    assert quality_metrics(found.measured, [find_metric("accuracy")]) == {"accuracy": metric}
    assert class_metrics(found) == [{**entry, "recall": metric}]
    assert class_metrics(Quality(found.measured, np.eye(2, dtype=np.int64), (entry,) * 201)) is None
    numbers = Measured({"mae": sure}, {"mape": 0.5}, {"r2": "one row"}, {})
    shown = quality_metrics(numbers, [find_metric(name) for name in ("mae", "r2", "mape")])
    assert {name: (metric["unit"], metric["n"]) for name, metric in shown.items()} == {
        "mae": ("1", sure.n),
        "mape": ("ratio", 1),
    }
    assert class_metrics(Quality(numbers)) is None
