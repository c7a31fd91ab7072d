"""Statistics against scipy, numpy and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest  # noqa: TID253 -- an independent oracle

from weighbridge.statistics import order_statistics as stats

FLOORS = {0.5: 11, 0.75: 24, 0.8: 31, 0.9: 64, 0.95: 130, 0.97: 219, 0.99: 662, 0.999: 6_636, 0.9999: 66_381}
samples = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=400)
probabilities = st.floats(0.01, 0.99)


@pytest.mark.parametrize(("p", "floor"), FLOORS.items())
def test_minimum_samples_are_those_of_mlperf_endpoints(p, floor):
    assert stats.minimum_samples(p) == floor


@pytest.mark.parametrize(("n", "p", "over"), [(10_000, 0.99, 77), (662, 0.99, 1), (661, 0.99, 0), (300, 0.99, -1)])
def test_most_over_is_the_worked_example_of_mlperf(n, p, over):
    assert stats.max_over_limit(n, p) == over


@settings(max_examples=60)
@given(n=st.integers(1, 3_000), p=probabilities)
def test_most_over_is_the_last_that_stays_below_the_risk(n, p):
    over = stats.max_over_limit(n, p)
    assert binom.cdf(over, n, 1 - p) < 0.01
    assert binom.cdf(over + 1, n, 1 - p) >= 0.01


def test_most_over_where_the_quantile_itself_stays_below_the_risk(monkeypatch):
    import scipy.stats

    monkeypatch.setattr(scipy.stats.binom, "ppf", lambda *_: 5.0)
    monkeypatch.setattr(scipy.stats.binom, "cdf", lambda *_: 0.001)
    assert stats.max_over_limit(100, 0.9) == 5


def test_early_stopping_bound_is_the_sorted_sample_of_that_rank():
    shuffled = np.random.default_rng(1).permutation(10_000)
    assert stats.early_stopping_bound(shuffled, 0.99) == 10_000 - 77
    assert stats.early_stopping_bound(shuffled[:661], 0.99) is None


@pytest.mark.parametrize(
    ("n", "ranks"), [(100, (97, None)), (300, (293, None)), (1_000, (983, 997)), (10_000, (9_880, 9_920))]
)
def test_quantile_ranks_of_p99_at_95_percent(n, ranks):
    assert stats.quantile_ranks(n, 0.99, 0.95) == ranks


def test_quantile_ranks_without_a_lower_one():
    assert stats.quantile_ranks(3, 0.5, 0.95) == (None, None)


@pytest.mark.parametrize("p", [0.5, 0.95, 0.99])
def test_the_ranks_hold_the_truth_as_often_as_they_say(p):
    low, high = stats.quantile_ranks(1_000, p, 0.95)
    drawn = np.sort(np.random.default_rng(11).exponential(size=(1_000, 1_000)), axis=1)
    truth = -math.log(1 - p)
    held = np.mean((drawn[:, low - 1] <= truth) & (truth <= drawn[:, high - 1]))
    # 95 % asked; ranks are whole numbers, so it may be a little more, and 1,000 trials scatter by 0.7 points.
    assert 0.93 <= held <= 0.98


@given(values=samples, p=st.floats(0, 1))
def test_percentile_agrees_with_numpy(values, p):
    expected = float(np.percentile(np.array(values), p * 100))
    assert stats.percentile(values, p) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("values", "p"), [([], 0.5), ([1.0], 1.5), ([1.0], -0.1)])
def test_percentile_of_nonsense_is_refused(values, p):
    with pytest.raises(ValueError, match="percentile"):
        stats.percentile(values, p)


def test_early_stopping_bound_is_too_low_at_most_once_in_a_hundred():
    rng = np.random.default_rng(12)
    bounds = [stats.early_stopping_bound(rng.exponential(size=1_000), 0.95) for _ in range(2_000)]
    assert sum(bound < -math.log(0.05) for bound in bounds) / 2_000 <= 0.015


@given(n=st.integers(1, 20_000), share=st.floats(0, 1), confidence=st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_agrees_with_scipy(n, share, confidence):
    successes = round(share * n)
    ours = stats.wilson_interval(successes, n, confidence)
    theirs = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert (ours.lower, ours.upper) == (pytest.approx(theirs.low, abs=1e-12), pytest.approx(theirs.high, abs=1e-12))
    assert ours.lower <= ours.value <= ours.upper


def test_wilson_of_the_reference_example():
    interval = stats.wilson_interval(8_670, 10_000)
    assert (round(interval.lower, 3), interval.value, round(interval.upper, 3)) == (0.860, 0.867, 0.874)
    assert stats.wilson_interval(0, 0) is None


@pytest.mark.parametrize(("failures", "n", "upper"), [(0, 1_000, 0.0029912), (0, 60_000, 4.99275e-05), (5, 5, 1.0)])
def test_failure_upper_bound(failures, n, upper):
    interval = stats.failure_interval(failures, n)
    assert interval.upper == pytest.approx(upper, rel=1e-4)
    assert (interval.lower, interval.value, interval.n) == (0.0, failures / n, n)


@given(n=st.integers(2, 5_000), failures=st.integers(0, 50))
def test_failure_upper_bound_agrees_with_scipy(n, failures):
    failures = min(failures, n)
    theirs = binomtest(failures, n, alternative="less").proportion_ci(0.95, method="exact")
    assert stats.failure_interval(failures, n).upper == pytest.approx(theirs.high, abs=1e-12)


def test_failure_interval_without_trials():
    assert stats.failure_interval(0, 0) is None


def test_mean_interval_needs_ten_samples_in_a_batch():
    assert stats.mean_interval(np.ones(199)) is None
    interval = stats.mean_interval(np.ones(215))
    assert interval == stats.Interval(1.0, 1.0, 1.0, 0.95, 200)


def test_mean_interval_covers_the_mean_of_correlated_samples():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        noise = rng.normal(size=4_000)
        # A moving average of ten correlates neighbors; the mean stays 3.
        correlated = 3 + np.convolve(noise, np.ones(10) / 10, mode="same")
        interval = stats.mean_interval(correlated)
        covered += interval.lower <= 3 <= interval.upper
    assert 0.92 <= covered / 400 <= 0.98
