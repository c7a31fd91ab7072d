"""Intervals of load tests hold what they promise where requests are good or bad together."""

import numpy as np
import pytest

from weighbridge.load.chat.results.dependent_intervals import (
    block_shares,
    mean_interval,
    ratio_interval,
    share_interval,
)
from weighbridge.statistics.order_statistics import wilson_interval

RUNS, REQUESTS = 1_000, 2_000


def test_a_share_of_one_keeps_an_interval():
    interval = share_interval(np.ones(200, dtype=bool))
    assert (interval.value, interval.upper) == (1.0, 1.0)
    assert interval.lower == pytest.approx(wilson_interval(200, 200).lower, abs=3e-4)


def test_without_requests_there_is_no_share():
    assert share_interval(np.zeros(0, dtype=bool)) is None
    assert block_shares(np.zeros(0, dtype=bool)) == []


def test_a_few_requests_have_wilsons_interval():
    found = share_interval(np.array([True, False, True]))
    assert (found.lower, found.upper) == (wilson_interval(2, 3).lower, wilson_interval(2, 3).upper)


def test_blocks_in_order_of_time():
    assert block_shares(np.array([True, False])) == [1.0, 0.0]
    assert block_shares(np.repeat([True, False], 50)) == [1.0] * 25 + [0.0] * 25


def test_a_ratio_of_sums_is_exact():
    rng = np.random.default_rng(4)
    wholes = rng.integers(1, 9, 400).astype(float)
    parts = wholes * 0.5 + rng.normal(0, 1, 400)
    interval = ratio_interval(parts, wholes)
    residuals = parts - parts.sum() / wholes.sum() * wholes
    half = 1.9659 * np.sqrt(400 * residuals.var(ddof=1)) / wholes.sum()
    assert (interval.value, interval.n) == (pytest.approx(parts.sum() / wholes.sum()), 400)
    assert interval.upper - interval.value == pytest.approx(half, rel=1e-3)
    assert ratio_interval(np.ones(19), np.ones(19)) is None
    assert ratio_interval(np.zeros(100), np.zeros(100)) is None


def test_a_mean_of_independent_values_has_students_interval():
    values = np.random.default_rng(2).normal(5, 1, 100)
    interval = mean_interval(values)
    assert interval.value == pytest.approx(values.mean())
    assert interval.upper - interval.value == pytest.approx(1.9842 * values.std(ddof=1) / 10, rel=1e-3)


def markov(rng, *, good, stay):
    """Requests that are good with a probability, and as good as the one before with `stay`."""
    is_new = rng.random(REQUESTS) >= stay
    is_new[0] = True
    drawn = rng.random(REQUESTS) < good
    return drawn[np.maximum.accumulate(np.where(is_new, np.arange(REQUESTS), 0))]


@pytest.mark.parametrize("good", [0.8, 0.95])
def test_the_interval_of_goodput_covers_where_neighbors_depend(good):
    rng = np.random.default_rng(11)
    ours, naive = 0, 0
    for _ in range(RUNS):
        is_good = markov(rng, good=good, stay=0.8)
        found, binomial = share_interval(is_good), wilson_interval(int(is_good.sum()), REQUESTS)
        ours += found.lower <= good <= found.upper
        naive += binomial.lower <= good <= binomial.upper
    assert 0.93 <= ours / RUNS <= 0.97
    assert naive / RUNS < 0.75
