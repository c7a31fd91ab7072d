"""Metrics from samples, by hand and against scipy."""

import numpy as np
import pytest

from tests.unit.toolkit.load.servers import samples_of
from weighbridge.load.results.intervals import UNANSWERED_MS
from weighbridge.load.results.metrics import connection_waits_ms, metrics_of, per_second_series, response_times_ms
from weighbridge.load.results.samples import NEVER, LoadSamples, RequestOutcome

ROWS = samples_of(
    (0, 0, 1, 5, RequestOutcome.ANSWERED),
    (400, 401, 411, 412, RequestOutcome.WRONG_STATUS),
    (999, 999, None, 1999, RequestOutcome.NO_CONNECTION),
    (1000, 1000, 1000, 1008, RequestOutcome.ANSWERED),
    (3000, None, None, None, RequestOutcome.UNSETTLED),
)


def many(n=10_000, *, service_ms=1.0, failed=0):
    """Requests every 0.1 ms, served in a random time of the given mean."""
    due = np.arange(n, dtype=np.int64) * 100_000
    done = due + 20_000 + (np.random.default_rng(1).exponential(service_ms, n) * 1e6).astype(np.int64)
    outcome = np.full(n, RequestOutcome.ANSWERED, dtype=np.uint8)
    outcome[:failed] = RequestOutcome.LOST
    return LoadSamples(due, due + 10_000, due + 20_000, done, outcome)


def test_times_by_hand():
    assert response_times_ms(ROWS).tolist() == [5.0, UNANSWERED_MS, UNANSWERED_MS, 8.0]
    assert connection_waits_ms(ROWS).tolist() == [1.0, 10.0, 0.0]


def test_every_metric_of_enough_samples():
    samples = many()
    metrics = metrics_of(samples, duration_s=1.0, seed=1)
    assert list(metrics.metrics) == [
        *(f"{kind}_{p}_ms" for kind in ("response_time", "service_time") for p in ("p50", "p90", "p95", "p99", "p999")),
        "generator_lag_p99_ms",
        "connection_wait_p99_ms",
        "achieved_per_s",
        "offered_per_s",
        "error_rate",
    ]
    assert metrics.missing == []
    service = (samples.done_ns - samples.sent_ns) / 1e6
    assert metrics.value("service_time_p95_ms") == pytest.approx(np.quantile(service, 0.95))
    assert metrics.value("response_time_p95_ms") == pytest.approx(np.quantile(service, 0.95) + 0.02)
    assert metrics.value("generator_lag_p99_ms") == metrics.value("connection_wait_p99_ms") == 0.01
    assert metrics.value("response_time_p75_ms") is None
    assert {metric["unit"] for metric in metrics.metrics.values()} == {"ms", "1/s", "ratio"}
    for metric in metrics.metrics.values():
        assert metric["lower"] <= metric["value"] <= metric["upper"]
        assert (metric["confidence"], metric["n"]) == (0.95, 10_000)


def test_quick_failures_do_not_make_a_server_quick():
    good, bad = (metrics_of(many(failed=failed), duration_s=1.0, seed=1) for failed in (0, 150))
    assert bad.value("response_time_p90_ms") > good.value("response_time_p90_ms")
    assert bad.value("response_time_p99_ms") is None
    assert {missing["metric"] for missing in bad.missing} == {"response_time_p99_ms", "response_time_p999_ms"}
    assert bad.missing[0]["message"].startswith("response_time_p99_ms is missing: too many of the 10000 requests")
    assert bad.value("service_time_p99_ms") is not None, "what other tools print"
    assert bad.metrics["error_rate"]["value"] == 0.015
    assert bad.metrics["error_rate"]["upper"] > 0.015


def test_few_samples_say_how_many_more():
    metrics = metrics_of(ROWS, duration_s=2.0, seed=1)
    assert metrics.missing[0] == {
        "metric": "response_time_p50_ms",
        "message": "response_time_p50_ms needs 11 samples and has 4: 7 more.",
    }
    assert set(metrics.metrics) == {"achieved_per_s", "offered_per_s", "error_rate"}
    assert metrics.value("achieved_per_s") == 1.0
    assert metrics.value("offered_per_s") == 2.0


def test_a_rate_has_the_interval_of_its_count():
    from scipy.stats import poisson

    rate = metrics_of(many(900), duration_s=1.0, seed=1).metrics["offered_per_s"]
    # The bounds are the means under which so few, or so many, are as rare as one in forty.
    assert poisson.sf(899, rate["lower"]) == pytest.approx(0.025)
    assert poisson.cdf(900, rate["upper"]) == pytest.approx(0.025)
    none = metrics_of(many(20, failed=20), duration_s=1.0, seed=1).metrics["achieved_per_s"]
    assert (none["value"], none["lower"]) == (0.0, 0.0)
    assert none["upper"] == pytest.approx(3.69, abs=0.01)


def test_nothing_settled_is_no_metric():
    nothing = samples_of((0, 0, 0, None, RequestOutcome.UNSETTLED))
    assert metrics_of(nothing, duration_s=1.0, seed=1).metrics == {}
    assert per_second_series(nothing) == []
    assert nothing.done_ns[0] == NEVER


def test_the_seconds_of_a_test():
    assert per_second_series(ROWS) == [
        {"second": 0, "due": 3, "answered": 1, "failed": 2, "response_time_p50_ms": 5.0, "response_time_max_ms": 5.0},
        {"second": 1, "due": 1, "answered": 1, "failed": 0, "response_time_p50_ms": 8.0, "response_time_max_ms": 8.0},
    ]
    gap = samples_of((0, 0, 1, 5, RequestOutcome.ANSWERED), (2100, 2100, 2100, 2101, RequestOutcome.LOST))
    assert [(each["due"], each["response_time_p50_ms"]) for each in per_second_series(gap)] == [
        (1, 5.0),
        (0, None),
        (1, None),
    ]
