"""Dependent samples: block lengths against another library's, bounds against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter  # noqa: TID253 -- an independent oracle
from scipy.stats import norm  # noqa: TID253 -- an independent oracle

from weighbridge.statistics.order_statistics import early_stopping_bound, minimum_samples, percentile, quantile_ranks
from weighbridge.statistics.percentile_intervals import (
    autocovariances,
    circular_block_variance,
    dependence,
    serial_percentile_interval,
)


def ar1(phi, n, seed):
    """A process in which each value keeps `phi` of the one before; its first 500 values are left out."""
    return lfilter([1], [1, -phi], np.random.default_rng(seed).normal(size=n + 500))[500:] * math.sqrt(1 - phi * phi)


def recorded(phi, n, seed):
    noise = np.random.default_rng(seed).normal(size=n)
    return lfilter([1], [1, -phi], noise)


def plain_bounds(values, p):
    """The two samples that order statistics alone put around the percentile, at 99 %."""
    low, high = quantile_ranks(len(values), p, 0.99)
    ordered = np.sort(values)
    return ordered[low - 1], ordered[high - 1]


@pytest.mark.parametrize(
    # `arch.bootstrap.optimal_block_length` of arch 8, column `circular`, on the same series.
    ("phi", "n", "seed", "length"),
    [(0.5, 2_000, 2, 12.36), (0.8, 3_000, 3, 35.22), (0.9, 5_000, 4, 66.42), (0.95, 5_000, 5, 81.45)],
)
def test_block_lengths_are_those_of_the_library_arch(phi, n, seed, length):
    assert dependence(recorded(phi, n, seed)).block == pytest.approx(length, rel=0.05, abs=1)


@pytest.mark.parametrize(("phi", "worth"), [(0.0, 1.0), (0.5, 3.0), (0.8, 9.0)])
def test_inflation_is_that_of_an_autoregressive_process(phi, worth):
    # The variance of the mean of an AR(1) process is (1 + phi) / (1 - phi) times that of independent values.
    found = np.median([dependence(ar1(phi, 20_000, seed)).inflation for seed in range(20)])
    assert found == pytest.approx(worth, rel=0.1)


def test_values_that_never_change_or_alternate_inflate_nothing():
    assert dependence(np.ones(50)).inflation == 1.0
    assert dependence(np.tile([0.0, 1.0], 200)).inflation == 1.0
    assert dependence(np.array([3.0])).inflation == 1.0


def test_a_step_makes_blocks_as_long_as_they_may_be():
    found = dependence(np.repeat([0.0, 1.0], 500))
    assert found.block <= math.ceil(3 * math.sqrt(1_000))
    assert found.inflation > 50


@given(values=st.lists(st.floats(-100, 100), min_size=3, max_size=40))
def test_autocovariances_by_their_definition(values):
    series = np.array(values)
    centered = series - series.mean()
    expected = [float(np.sum(centered[: len(values) - lag] * centered[lag:])) / len(values) for lag in range(3)]
    assert autocovariances(series, 2) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(length=st.integers(1, 10), seed=st.integers(0, 99))
def test_the_closed_form_is_the_variance_of_drawn_resamples(length, seed):
    rng = np.random.default_rng(seed)
    series = ar1(0.7, 60, seed)
    blocks = 60 // length
    starts = rng.integers(0, 60, (20_000, blocks))
    rows = (starts[:, :, None] + np.arange(length)) % 60
    drawn = series[rows].mean(axis=(1, 2)).var() * blocks * length
    assert circular_block_variance(series, length) == pytest.approx(drawn, rel=0.06)


@pytest.mark.parametrize("p", [0.5, 0.95, 0.99])
def test_independent_samples_keep_their_order_statistics(p):
    for seed in range(5):
        values = np.random.default_rng(seed).lognormal(size=3_000)
        found = serial_percentile_interval(values, p)
        if found.method == "order statistics":
            break
    assert (found.value, found.n) == (percentile(values, p), 3_000)
    assert (found.lower, found.upper) == plain_bounds(values, p)


def test_dependent_samples_get_wider_bounds_that_say_so():
    values = np.exp(0.3 * ar1(0.9, 5_000, 1))
    found, (lower, upper) = serial_percentile_interval(values, 0.95), plain_bounds(values, 0.95)
    assert found.upper - found.lower > 1.8 * (upper - lower)
    assert found.method.startswith("order statistics by circular block bootstrap: blocks of ")
    assert found.confidence == 0.99
    assert found.n == 5_000


def test_bounds_that_samples_cannot_bear_come_at_the_level_they_do_bear():
    found = [serial_percentile_interval(np.exp(0.3 * ar1(phi, 1_000, 1)), 0.99) for phi in (0.0, 0.9, 0.98)]
    levels = [interval.confidence for interval in found]
    assert levels[0] == 0.99 > levels[1] > levels[2] > 0.1


@pytest.mark.parametrize(("p", "bound"), [(0.99, "upper"), (0.01, "lower")])
def test_the_extreme_sample_stands_in_for_a_bound_that_does_not_exist(p, bound):
    for seed in range(50):
        values = np.exp(0.3 * ar1(0.7, 1_000, seed))
        found = serial_percentile_interval(values, p)
        if found.confidence < 0.99:
            assert getattr(found, bound) in (values.max(), values.min())
            return
    raise AssertionError("no series had too few samples for the bound")


@given(phi=st.sampled_from([0.9, 0.99, 0.999]), n=st.integers(130, 900), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_level_is_a_whole_percentage_and_never_nought(phi, n, seed):
    found = serial_percentile_interval(np.exp(0.3 * ar1(phi, n, seed)), 0.95)
    assert 0.01 <= found.confidence <= 0.99
    assert round(100 * found.confidence) == pytest.approx(100 * found.confidence)
    assert found.lower <= found.value <= found.upper


@pytest.mark.parametrize("p", [0.5, 0.95, 0.99])
def test_below_the_floor_of_samples_there_is_no_figure(p):
    floor = minimum_samples(p)
    values = np.random.default_rng(7).permutation(floor).astype(float)
    assert serial_percentile_interval(values[:-1], p) is None
    assert serial_percentile_interval(values, p).n == floor


@settings(max_examples=60, deadline=None)
@given(n=st.integers(662, 5_000), p=st.sampled_from([0.5, 0.9, 0.95, 0.99]), seed=st.integers(0, 99))
def test_the_interval_holds_the_percentile_and_begins_below_the_early_stopping_bound(n, p, seed):
    values = np.random.default_rng(seed).lognormal(size=n)
    found = serial_percentile_interval(values, p)
    assert found.lower <= found.value <= found.upper
    assert found.lower <= early_stopping_bound(values, p)


def test_samples_that_tie_with_the_percentile_hide_no_step():
    step = serial_percentile_interval(np.repeat([1.0, 2.0], 500), 0.95)
    assert step.confidence < 0.8
    assert "1000 samples worth " in step.method


@pytest.mark.parametrize(("phi", "n", "p"), [(0.0, 1_000, 0.5), (0.5, 3_000, 0.95), (0.8, 3_000, 0.5)])
def test_the_interval_covers_the_truth_as_often_as_it_says(phi, n, p):
    truth = math.exp(0.3 * norm.ppf(p))
    found = [serial_percentile_interval(np.exp(0.3 * ar1(phi, n, seed)), p, 0.95) for seed in range(500)]
    covered = sum(interval.lower <= truth <= interval.upper for interval in found)
    # 500 trials scatter by one point; `tests/performance` prints it for many more.
    assert 0.92 <= covered / 500 <= 0.98
