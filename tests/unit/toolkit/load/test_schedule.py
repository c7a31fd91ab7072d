"""Schedules: exact counts where they are exact, and the right process where they are random."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.load.plan import Arrivals, LoadPlan
from weighbridge.load.schedule import due_times_ns

SEED = 7


def plan_of(arrivals, **settings):
    return LoadPlan(url="http://localhost/", arrivals=arrivals, **settings)


def due_s(arrivals, *, rate=1000.0, duration=20.0, seed=SEED, **more):
    return due_times_ns(plan_of(arrivals, rate_per_s=rate, duration_s=duration, seed=seed, **more)) / 1e9


def fits(samples, distribution):
    """The p-value of Kolmogorov and Smirnov's test."""
    from scipy.stats import kstest

    return kstest(samples, distribution).pvalue


def test_constant_arrivals_are_exact():
    assert due_times_ns(plan_of(Arrivals.CONSTANT, rate_per_s=4, duration_s=1.5, seed=1)).tolist() == [
        0,
        250_000_000,
        500_000_000,
        750_000_000,
        1_000_000_000,
        1_250_000_000,
    ]
    assert len(due_s(Arrivals.CONSTANT, rate=1000.0, duration=8.0)) == 8000
    assert len(due_s(Arrivals.CONSTANT, rate=0.1, duration=30.0)) == 3


@given(
    arrivals=st.sampled_from([each for each in Arrivals if each is not Arrivals.TRACE]),
    rate=st.floats(0.5, 300),
    start_rate=st.floats(0, 300),
    duration=st.floats(0.1, 30),
    seed=st.integers(0, 2**32),
)
def test_every_schedule_is_sorted_inside_the_duration_and_repeats(arrivals, rate, start_rate, duration, seed):
    given_ = {"rate_per_s": rate, "duration_s": duration, "seed": seed, "start_rate_per_s": start_rate}
    plan = plan_of(arrivals, week=tuple(hour % 24 for hour in range(168)), **given_)
    first = due_times_ns(plan)
    assert first.dtype == np.int64
    assert (np.diff(first) >= 0).all()
    assert len(first) == 0 or (first[0] >= 0 and first[-1] < duration * 1e9)
    assert (first == due_times_ns(plan)).all()


def test_the_gaps_of_poisson_arrivals_are_exponential():
    times = due_s(Arrivals.POISSON)
    assert fits(np.diff(times) * 1000, "expon") > 0.01
    assert abs(len(times) - 20_000) < 4 * 20_000**0.5


def test_the_counts_of_poisson_arrivals_are_poisson():
    from scipy.stats import poisson

    counts = [len(due_s(Arrivals.POISSON, rate=30.0, duration=1.0, seed=seed)) for seed in range(2000)]
    assert abs(np.mean(counts) - 30) < 0.6
    assert abs(np.var(counts) - 30) < 4
    observed = np.bincount(counts, minlength=61)[:61] / 2000
    assert np.abs(observed - poisson.pmf(np.arange(61), 30)).sum() < 0.15


def test_a_ramp_rises_in_a_straight_line():
    times = due_s(Arrivals.RAMP, rate=2000.0, start_rate_per_s=0.0)
    assert abs(len(times) - 20_000) < 600
    # Of a density that rises from zero, (t / T) squared is uniform.
    assert fits((times / 20.0) ** 2, "uniform") > 0.01


@pytest.mark.parametrize(("start", "end"), [(1500.0, 500.0), (1000.0, 1000.0), (200.0, 1800.0)])
def test_a_ramp_may_fall_or_be_level(start, end):
    times = due_s(Arrivals.RAMP, rate=end, start_rate_per_s=start)
    cumulated = start * times + (end - start) / 40.0 * times**2
    assert fits(cumulated / ((start + end) / 2 * 20.0), "uniform") > 0.01


def test_a_week_is_squeezed_hour_by_hour():
    weights = [0.0] * 168
    weights[0], weights[24], weights[167] = 1.0, 4.0, 2.0
    times = due_s(Arrivals.WEEK, rate=1000.0, duration=168.0, week=weights)
    counts = np.bincount(times.astype(int), minlength=168)
    assert set(np.flatnonzero(counts)) == {0, 24, 167}
    for hour, expected in ((0, 250), (24, 1000), (167, 500)):
        assert abs(counts[hour] - expected) < 4 * expected**0.5
