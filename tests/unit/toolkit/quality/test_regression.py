"""Errors of numbers against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    r2_score,
    root_mean_squared_error,
)

from weighbridge.quality.regression import regression_intervals

pytestmark = pytest.mark.slow

ORACLES = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "r2": r2_score,
    "mape": mean_absolute_percentage_error,
}


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(3, 80), seed=st.integers(0, 99), center=st.sampled_from([5.0, 1e6]))
def test_errors_are_those_of_scikit_learn(rows, seed, center):
    rng = np.random.default_rng(seed)
    truth = center + rng.normal(size=rows)
    answers = truth + rng.normal(0.1, 0.5, size=rows)
    found = regression_intervals(truth, answers, resamples=100, seed=1)
    assert set(found) == set(ORACLES)
    for name, oracle in ORACLES.items():
        assert found[name].value == pytest.approx(oracle(truth, answers), rel=1e-6, abs=1e-9)
        assert found[name].lower <= found[name].value <= found[name].upper
        assert found[name].n == rows


def test_intervals_are_those_of_resampled_rows():
    rng = np.random.default_rng(2)
    truth = 10 + rng.normal(size=300)
    answers = truth + rng.normal(0, 0.4, size=300)
    found = regression_intervals(truth, answers, resamples=2_000, seed=1)
    for name, oracle in ORACLES.items():
        drawn = [oracle(truth[rows], answers[rows]) for rows in rng.integers(0, 300, (1_000, 300))]
        low, high = np.quantile(drawn, [0.025, 0.975])
        width = found[name].upper - found[name].lower
        assert width == pytest.approx(high - low, rel=0.12)
        assert found[name].lower == pytest.approx(low, abs=0.1 * width)
    assert found == regression_intervals(truth, answers, resamples=2_000, seed=1)


def test_metrics_without_a_value_are_left_out():
    assert set(regression_intervals(np.array([0.0, 1.0]), np.array([1.0, 1.0]), resamples=100, seed=1)) == {
        "mae",
        "rmse",
        "r2",
    }
    assert set(regression_intervals(np.ones(3), np.ones(3), resamples=100, seed=1)) == {"mae", "rmse", "mape"}
    assert regression_intervals(np.empty(0), np.empty(0), resamples=100, seed=1) == {}


def test_resamples_in_which_all_truths_are_one_do_not_count():
    found = regression_intervals(np.array([1.0, 2.0]), np.array([1.5, 1.5]), resamples=100, seed=1)
    assert found["r2"].value == pytest.approx(0.0)
    assert np.isfinite([found["r2"].lower, found["r2"].upper]).all()
