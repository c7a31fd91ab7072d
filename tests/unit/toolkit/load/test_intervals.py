"""Percentiles of samples that depend on their neighbors."""

import numpy as np
import pytest

from weighbridge.load.results import intervals
from weighbridge.load.results.intervals import UNANSWERED_MS, block_bootstrap, percentile_intervals
from weighbridge.statistics.order_statistics import percentile, quantile_ranks

P99 = {"p99": 0.99}


def plain_bounds(samples, p):
    """The two samples that order statistics alone put around the percentile, at 95 %."""
    low, high = quantile_ranks(len(samples), p, 0.95)
    ordered = np.sort(samples)
    return ordered[low - 1], ordered[high - 1]


def test_independent_samples_have_about_the_interval_of_order_statistics():
    samples = np.random.default_rng(1).exponential(size=20_000)
    ours = percentile_intervals(samples, {"p50": 0.5, "p99": 0.99}, seed=3)
    for name, p in (("p50", 0.5), ("p99", 0.99)):
        lower, upper = plain_bounds(samples, p)
        assert ours[name].value == percentile(samples, p)
        assert ours[name].lower <= lower < upper <= ours[name].upper
        assert ours[name].upper - ours[name].lower < 1.6 * (upper - lower)
        assert (ours[name].confidence, ours[name].n) == (0.95, 20_000)


def test_the_bootstrap_of_single_samples_agrees_with_scipy(monkeypatch):
    from scipy.stats import bootstrap

    samples = np.random.default_rng(2).exponential(size=400)
    monkeypatch.setattr(intervals, "BLOCKS", 400)
    monkeypatch.setattr(intervals, "RESAMPLES", 4000)
    ours = np.quantile(block_bootstrap(samples, [0.5], seed=1)[:, 0], [0.025, 0.975])
    theirs = bootstrap(
        (samples,), np.median, n_resamples=4000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert ours == pytest.approx([theirs.low, theirs.high], rel=0.03)


def covered(draw, *, truth, times=200):
    """How often intervals of the median hold the truth: ours, and those of order statistics alone."""
    ours = theirs = 0
    for seed in range(times):
        samples = draw(np.random.default_rng(seed))
        found = percentile_intervals(samples, {"p50": 0.5}, seed=seed)["p50"]
        lower, upper = plain_bounds(samples, 0.5)
        ours += found.lower <= truth <= found.upper
        theirs += lower <= truth <= upper
    return ours / times, theirs / times


def test_intervals_hold_where_neighbors_are_alike_and_order_statistics_do_not(monkeypatch):
    monkeypatch.setattr(intervals, "RESAMPLES", 200)

    def draw(rng):
        noise, level = rng.normal(size=3000), np.empty(3000)
        level[0] = noise[0]
        for index in range(1, 3000):
            level[index] = 0.9 * level[index - 1] + noise[index]
        return level

    ours, theirs = covered(draw, truth=0.0)
    assert ours > 0.88
    assert theirs < 0.55


def test_too_few_samples_have_no_metric():
    assert percentile_intervals(np.empty(0), P99, seed=1) == {"p99": None}
    samples = np.arange(661.0)
    assert percentile_intervals(samples, P99, seed=1) == {"p99": None}
    assert percentile_intervals(np.arange(2000.0), P99, seed=1)["p99"].value == pytest.approx(1979.01)


@pytest.mark.parametrize(
    ("failed", "has_p50", "has_p99"), [(0, True, True), (5, True, True), (45, True, False), (3000, False, False)]
)
def test_a_percentile_among_the_unanswered_is_no_metric(failed, has_p50, has_p99):
    samples = np.random.default_rng(4).exponential(size=5000)
    samples[np.random.default_rng(5).permutation(5000)[:failed]] = UNANSWERED_MS
    found = percentile_intervals(samples, {"p50": 0.5, "p99": 0.99}, seed=1)
    assert (found["p50"] is not None, found["p99"] is not None) == (has_p50, has_p99)
