"""Trend and level shift against pymannkendall, a definition, and simulated calm."""

import math

import numpy as np
import pymannkendall
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.toolkit.statistics.test_percentile_intervals import ar1
from weighbridge.statistics.trend import (
    Shift,
    Trend,
    block_medians,
    detect_movement,
    hamed_rao_factor,
    mann_kendall,
    pettitt,
)


def calm(n, seed, phi=0.0):
    return np.exp(0.1 * ar1(phi, n, seed))


@settings(max_examples=60, deadline=None)
@given(n=st.integers(12, 60), seed=st.integers(0, 999), slope=st.floats(-0.05, 0.05), ties=st.booleans())
def test_mann_kendall_is_that_of_pymannkendall(n, seed, slope, ties):
    values = 10 + ar1(0.6, n, seed) + slope * np.arange(n)
    values = np.round(values, 1) if ties else values
    # Theirs narrows the variance as well, to below zero if need be.
    with np.errstate(invalid="ignore"):
        theirs = pymannkendall.hamed_rao_modification_test(values)
    plain = pymannkendall.original_test(values)
    residuals = values - np.arange(1, n + 1) * theirs.slope
    assert hamed_rao_factor(residuals) == pytest.approx(theirs.var_s / plain.var_s)
    ours = mann_kendall(values)
    assert ours.change == pytest.approx(theirs.slope * n / np.median(values))
    wider = theirs if theirs.var_s > plain.var_s else plain
    assert ours.p_value == pytest.approx(wider.p, abs=1e-9)


def test_values_that_never_change_have_no_trend():
    assert mann_kendall(np.full(20, 3.0)) == Trend(0.0, 1.0)


@given(values=st.lists(st.integers(0, 9), min_size=3, max_size=30))
def test_pettitt_is_its_definition(values):
    series = np.array(values, dtype=float) + 1
    n = len(series)
    scores = [float(np.sign(series[:t, None] - series[None, t:]).sum()) for t in range(1, n)]
    largest = max(abs(score) for score in scores)
    found = pettitt(series)
    assert found.p_value == pytest.approx(min(1.0, 2 * math.exp(-6 * largest**2 / (n**3 + n**2))))
    assert abs(scores[round(found.at * n) - 1]) == largest


def test_a_step_by_hand():
    # Five below, five above: K = 25, p = 2 exp(-6 * 625 / 1100).
    found = pettitt(np.array([1.0, 1.1, 1.2, 1.05, 1.15, 2.0, 2.1, 2.2, 2.05, 2.15]))
    assert found == Shift(0.5, pytest.approx(2.1 / 1.1 - 1), pytest.approx(2 * math.exp(-3750 / 1100)))


@pytest.mark.parametrize("n", [100, 3_000, 20_000])
def test_a_step_is_told_from_a_slope(n):
    noise = calm(n, 1)
    step = detect_movement(noise * np.where(np.arange(n) < 0.6 * n, 1.0, 1.3))
    assert isinstance(step, Shift)
    assert (step.at, step.change) == (pytest.approx(0.6, abs=0.06), pytest.approx(0.3, abs=0.08))
    slope = detect_movement(noise * np.linspace(1.0, 1.4, n))
    assert isinstance(slope, Trend)
    assert slope.change == pytest.approx(0.33, abs=0.08)


def test_a_slope_too_slight_for_a_step_and_a_step_too_late_for_a_slope():
    level = np.ones(4_000)
    level[3_300:] = 1.5
    late = detect_movement(calm(4_000, 3) * level)
    assert isinstance(late, Shift)
    assert late.at == pytest.approx(0.825, abs=0.03)
    slight = [detect_movement(calm(2_000, seed) * np.linspace(1, 1.02, 2_000)) for seed in range(60)]
    assert {type(found) for found in slight} == {Trend, Shift, type(None)}


def test_blocks_grow_with_dependence_and_need_a_hundred_samples():
    assert len(block_medians(calm(20_000, 1))) == 100
    assert len(block_medians(calm(2_000, 1, phi=0.95))) == 20
    assert 20 < len(block_medians(calm(3_000, 1, phi=0.8))) < 100
    assert len(block_medians(calm(4_000, 1) * np.where(np.arange(4_000) < 2_600, 1, 2))) == 100
    assert block_medians(np.arange(4.0 * 25)[:99]) is None
    assert detect_movement(np.arange(1.0, 100.0)) is None
    assert detect_movement(np.zeros(200)) is None


def test_block_medians_are_medians_of_equal_blocks():
    values = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 20)
    assert block_medians(np.append(values, 9.0)).tolist() == [3.0] * 20


@pytest.mark.parametrize(("phi", "n"), [(0.0, 3_000), (0.5, 3_000), (0.8, 3_000), (0.95, 20_000)])
def test_calm_raises_no_flood_of_alarms(phi, n):
    alarms = sum(detect_movement(calm(n, seed, phi)) is not None for seed in range(400))
    # Two tests at 1 % each: at most 8 of 400 expected, 15 leaves room for chance (p < 0.01).
    assert alarms <= 15


def test_a_hundred_thousand_samples_take_no_time():
    import time

    values = calm(100_000, 1)
    begun = time.process_time()
    detect_movement(values)
    assert time.process_time() - begun < 1.0
