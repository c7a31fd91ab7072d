"""Means of clustered values: the error by hand, and the coverage of intervals by simulation."""

import math

import numpy as np
import pytest
from scipy.stats import t  # noqa: TID253 -- an independent oracle

from weighbridge.statistics.clustered import (
    CLUSTERED,
    STUDENT,
    WILD,
    cluster_sums,
    clustered_interval,
    clustered_share,
    wild_interval,
)
from weighbridge.statistics.order_statistics import wilson_interval

NAMES = np.repeat(np.arange(40), 10)


def drawn(rng, clusters, size, share, icc):
    """Return answers of clusters whose own shares vary so that two of them correlate by `icc`."""
    scale = (1 - icc) / icc
    own = rng.beta(scale * share, scale * (1 - share), clusters)
    return (rng.random((clusters, size)) < own[:, None]).astype(np.float64).ravel()


def test_the_error_is_that_of_the_formula():
    values, clusters = np.array([1.0, 1.0, 0.0, 0.0, 1.0]), ["a", "a", "b", "b", "c"]
    sums = cluster_sums(values, clusters)
    # Deviations from 0.6, by cluster: 0.8, -1.2 and 0.4.
    error = math.sqrt(0.8**2 + 1.2**2 + 0.4**2) / 5 * math.sqrt(3 / 2)
    assert (sums.mean, sums.n, sums.clusters) == (0.6, 5, 3)
    assert sums.error == pytest.approx(error, rel=1e-12)
    interval = clustered_interval(sums, 0.95)
    assert interval.upper - interval.value == pytest.approx(t.ppf(0.975, 2) * error, rel=1e-12)
    assert (interval.n, interval.method) == (5, CLUSTERED)


def test_without_clusters_it_is_students_interval():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    interval = clustered_interval(cluster_sums(values), 0.9)
    half = t.ppf(0.95, 3) * values.std(ddof=1) / 2
    assert (interval.lower, interval.upper) == (pytest.approx(4 - half), pytest.approx(4 + half))
    assert interval.method == STUDENT


def test_a_single_cluster_has_no_interval():
    sums = cluster_sums(np.array([1.0, 0.0]), ["a", "a"])
    assert math.isnan(sums.error)
    assert clustered_interval(sums, 0.95) is clustered_share(sums, 0.95) is wild_interval(sums, 0.95, seed=1) is None


def test_clusters_that_do_not_differ_prove_nothing():
    sums = cluster_sums(np.ones(40), np.repeat(np.arange(8), 5))
    interval, trials = clustered_share(sums, 0.95), wilson_interval(8, 8)
    assert (interval.value, interval.upper) == (1.0, 1.0)
    assert interval.lower == pytest.approx(trials.lower)
    flat = wild_interval(sums, 0.95, seed=1)
    assert (flat.lower, flat.upper) == (1.0, 1.0)


def test_a_share_stays_within_its_range():
    values = np.zeros(400)
    values[:3] = 1.0
    interval = clustered_share(cluster_sums(values, NAMES), 0.95)
    assert interval.lower == 0.0


@pytest.mark.slow
def test_the_clustered_interval_covers_and_the_plain_one_does_not():
    rng, share, runs = np.random.default_rng(11), 0.7, 1_500
    clustered = plain = 0
    for _ in range(runs):
        values = drawn(rng, 40, 10, share, icc=0.3)
        mine = clustered_share(cluster_sums(values, NAMES), 0.95)
        other = clustered_share(cluster_sums(values), 0.95)
        clustered += mine.lower <= share <= mine.upper
        plain += other.lower <= share <= other.upper
    assert 0.93 <= clustered / runs <= 0.97
    assert plain / runs < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [8, 16])
def test_the_wild_bootstrap_covers_with_few_clusters(clusters):
    rng, runs = np.random.default_rng(12), 250
    names, hits = np.repeat(np.arange(clusters), 10), 0
    for run in range(runs):
        better, worse = (drawn(rng, clusters, 10, 0.7, icc=0.3) for _ in range(2))
        interval = wild_interval(cluster_sums(better - worse, names), 0.95, seed=run, draws=399)
        hits += interval.lower <= 0 <= interval.upper
    # Four standard errors of the simulation around 95 %.
    assert abs(hits / runs - 0.95) < 4 * math.sqrt(0.95 * 0.05 / runs)


def test_the_wild_interval_holds_what_its_test_does_not_reject():
    rng = np.random.default_rng(13)
    sums = cluster_sums(rng.normal(0.1, 1.0, 400), NAMES)
    interval, students = wild_interval(sums, 0.95, seed=1), clustered_interval(sums, 0.95)
    assert interval.method == WILD
    # With 40 equal clusters of normal values, both are nearly the same.
    assert interval.lower == pytest.approx(students.lower, abs=0.1 * sums.error)
    assert interval.upper == pytest.approx(students.upper, abs=0.1 * sums.error)
    assert wild_interval(sums, 0.95, seed=1) == interval


def test_two_clusters_have_an_interval_without_an_end():
    sums = cluster_sums(np.array([0.0, 1.0]))
    interval = wild_interval(sums, 0.95, seed=1)
    assert interval.upper - interval.lower > 10
