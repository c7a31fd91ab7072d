"""How often the intervals hold the truth, on simulated data: 95 % has to mean 93 to 97 %. Figures are printed."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter  # noqa: TID253 -- simulates dependence
from scipy.stats import norm  # noqa: TID253 -- knows the truth

from weighbridge.load.expectation import Expectation
from weighbridge.load.results.samples import LoadSamples, RequestOutcome
from weighbridge.load.results.success import error_interval, goodput
from weighbridge.measure.blocks import Blocks, is_tied, noise_floor, ratio_of_medians
from weighbridge.quality.classification import roc_auc
from weighbridge.quality.paired import accuracy_drop
from weighbridge.statistics.order_statistics import quantile_ranks, wilson_interval
from weighbridge.statistics.percentile_intervals import serial_percentile_interval
from weighbridge.statistics.trend import detect_movement

SPREAD = 0.3
LEVEL = 0.95


def load_samples(*, n, lost, wrong, every, rng):
    """Requests that fail at random, and bodies that are wrong at random, of which one in `every` is read."""
    is_lost, is_wrong = rng.random(n) < lost, rng.random(n) < wrong
    is_checked = Expectation(json_key="ok", every=every).checked(n, seed=int(rng.integers(1 << 30))) & ~is_lost
    outcome = np.where(is_lost, RequestOutcome.LOST, RequestOutcome.ANSWERED).astype(np.uint8)
    outcome[is_checked] = np.where(is_wrong, RequestOutcome.WRONG_ANSWER, RequestOutcome.CHECKED)[is_checked]
    times = np.arange(n, dtype=np.int64)
    return LoadSamples(times, times, times, times, outcome)


@pytest.mark.parametrize(
    ("lost", "wrong", "every"), [(0.0, 0.05, 10), (0.01, 0.02, 10), (0.02, 0.01, 5), (0.05, 0.3, 20)]
)
def test_error_rate_with_sampled_bodies(lost, wrong, every, share):
    rng, truth = np.random.default_rng(7), 1 - (1 - lost) * (1 - wrong)
    found = (error_interval(load_samples(n=20_000, lost=lost, wrong=wrong, every=every, rng=rng)) for _ in range(2_000))
    share(
        f"error rate, {lost:.0%} lost and {wrong:.0%} wrong, 1 of {every} read", (truth <= held.upper for held in found)
    )


@pytest.mark.parametrize(("lost", "wrong", "every"), [(0.01, 0.05, 10), (0.02, 0.3, 20)])
def test_goodput_with_sampled_bodies(lost, wrong, every, share):
    rng, hits = np.random.default_rng(8), []
    for _ in range(2_000):
        n = int(rng.poisson(20_000))
        held = goodput(load_samples(n=n, lost=lost, wrong=wrong, every=every, rng=rng), span_s=10.0)
        hits.append(held.lower <= 2_000 * (1 - lost) * (1 - wrong) <= held.upper)
    share(f"right answers per second, {wrong:.0%} wrong, 1 of {every} read", hits)


def series(phi, n, seed):
    """Latencies whose logarithm is autoregressive: each keeps `phi` of the one before."""
    noise = np.random.default_rng(seed).normal(size=n + 1_000) * math.sqrt(1 - phi * phi)
    return np.exp(SPREAD * lfilter([1], [1, -phi], noise)[1_000:])


def plain_bounds(samples, p):
    """The two samples that order statistics alone put around the percentile."""
    low, high = quantile_ranks(len(samples), p, LEVEL)
    ordered = np.sort(samples)
    return ordered[low - 1], ordered[high - 1]


@pytest.mark.parametrize("p", [0.5, 0.95, 0.99])
def test_percentiles_of_independent_samples(p, share):
    truth = math.exp(SPREAD * norm.ppf(p))
    found = (plain_bounds(series(0, 3_000, seed), p) for seed in range(2_000))
    # Ranks are whole numbers: the interval may hold a little more than asked.
    share(f"p{100 * p:g}, independent", (lower <= truth <= upper for lower, upper in found), high=0.98)


@pytest.mark.parametrize("phi", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("p", [0.5, 0.95, 0.99])
def test_percentiles_of_samples_that_follow_each_other(phi, p, share):
    truth = math.exp(SPREAD * norm.ppf(p))
    found = (serial_percentile_interval(series(phi, 5_000, seed), p, LEVEL) for seed in range(1_000))
    share(f"p{100 * p:g}, autoregressive {phi}", (held.lower <= truth <= held.upper for held in found))


def test_order_statistics_alone_would_hold_too_little(share):
    truth = math.exp(0)
    found = (plain_bounds(series(0.8, 5_000, seed), 0.5) for seed in range(500))
    share(
        "p50, autoregressive 0.8, dependence ignored",
        (lower <= truth <= upper for lower, upper in found),
        low=0,
        high=0.8,
    )


@pytest.mark.parametrize(("accuracy", "n"), [(0.867, 2_000), (0.95, 500)])
def test_accuracy(accuracy, n, share):
    rng = np.random.default_rng(1)
    found = (wilson_interval(int(hits), n, LEVEL) for hits in rng.binomial(n, accuracy, 20_000))
    share(f"accuracy {accuracy} of {n} (Wilson)", (held.lower <= accuracy <= held.upper for held in found))


@pytest.mark.parametrize(("b", "c", "n"), [(0.02, 0.01, 2_000), (0.06, 0.05, 500)])
def test_paired_drop(b, c, n, share):
    rng = np.random.default_rng(2)
    truth, hits = np.ones(n, dtype=np.int64), []
    for _ in range(1_500):
        kind = rng.choice(4, size=n, p=[b, c, 0.85, 0.15 - b - c])
        baseline, variant = np.isin(kind, [0, 2]).astype(np.int64), np.isin(kind, [1, 2]).astype(np.int64)
        held = accuracy_drop(truth, baseline, variant, confidence=LEVEL)
        hits.append(held.lower <= b - c <= held.upper)
    share(f"paired drop {b - c:.2f} of {n} (Tango)", hits)


def test_roc_auc(share):
    rng = np.random.default_rng(4)
    big_truth = rng.integers(0, 4, 400_000)
    big_scores = rng.normal(size=(400_000, 4)) + 1.5 * np.eye(4)[big_truth]
    auc, hits = roc_auc(big_truth, big_scores).value, []
    for _ in range(700):
        truth = rng.integers(0, 4, 800)
        held = roc_auc(truth, rng.normal(size=(800, 4)) + 1.5 * np.eye(4)[truth])
        hits.append(held.lower <= auc <= held.upper)
    share("ROC AUC (DeLong)", hits)


def rounds(ratio, seed, *, count=24, drift=0.1):
    """Rounds in which the whole machine wavers, each model a little by itself, and each inference."""
    rng = np.random.default_rng(seed)
    level = np.exp(drift * rng.normal(size=(count, 1)))
    held = {}
    for name, factor in (("a", ratio), ("b", 1.0), ("twin", ratio)):
        own = np.exp(0.01 * rng.normal(size=(count, 1)))
        held[name] = list(1e6 * factor * level * own * rng.lognormal(0, 0.15, size=(count, 40)))
    return Blocks(held, {}, 1.0, is_complete=True)


def test_ratio_of_medians(share):
    found = (ratio_of_medians(rounds(1.3, seed), "a", "b", confidence=LEVEL) for seed in range(2_000))
    share("ratio of medians (signed ranks)", (held.lower <= 1.3 <= held.upper for held in found))


def test_equal_models_are_hardly_ever_told_apart(share):
    def is_told_apart(seed):
        blocks = rounds(1.0, seed)
        return not is_tied(ratio_of_medians(blocks, "a", "b"), noise_floor(blocks, "a", "twin"))

    share("equal models told apart (A/A floor)", map(is_told_apart, range(2_000)), low=0, high=0.01)


@pytest.mark.parametrize(("ratio", "least"), [(1.02, 0.15), (1.05, 0.9)])
def test_a_real_difference_is_seen(ratio, least, share):
    def is_told_apart(seed):
        blocks = rounds(ratio, seed)
        return not is_tied(ratio_of_medians(blocks, "a", "b"), noise_floor(blocks, "a", "twin"))

    share(f"models {ratio - 1:.0%} apart told apart in 24 rounds", map(is_told_apart, range(500)), low=least, high=1)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8, 0.95])
def test_calm_runs_hardly_ever_raise_the_alarm(phi, share):
    found = (detect_movement(series(phi, 5_000, seed)) is not None for seed in range(800))
    share(f"false alarms of trend and step at 1 % each, autoregressive {phi}", found, low=0, high=0.035)
