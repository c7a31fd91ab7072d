"""Two one-sided tests against scipy's t-test on shifted samples."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_ind  # noqa: TID253 -- an independent oracle

from weighbridge.core.errors import Invalid
from weighbridge.statistics.equivalence import EquivalenceAnswer, ratio_equivalence, tost
from weighbridge.statistics.order_statistics import Interval


@pytest.mark.parametrize(
    ("ratio", "error", "answer"),
    [
        (1.0, 0.01, EquivalenceAnswer.EQUIVALENT),
        (1.05, 0.02, EquivalenceAnswer.EQUIVALENT),
        (1.09, 0.02, EquivalenceAnswer.CANNOT_TELL),
        (1.0, 0.2, EquivalenceAnswer.CANNOT_TELL),
        (1.3, 0.02, EquivalenceAnswer.DIFFERENT),
        (1 / 1.3, 0.02, EquivalenceAnswer.DIFFERENT),
    ],
)
def test_equality_has_to_be_shown(ratio, error, answer):
    found = tost(math.log(ratio), error, margin=0.1)
    assert found.answer is answer
    assert (found.p_value < 0.05) is (answer is EquivalenceAnswer.EQUIVALENT)
    assert found.lower < found.ratio < found.upper
    assert (found.confidence, found.margin) == (pytest.approx(0.9), 0.1)


@pytest.mark.parametrize(("ratio", "p_value"), [(1.05, 0.0), (1.2, 1.0)])
def test_figures_without_spread_are_compared_exactly(ratio, p_value):
    assert tost(math.log(ratio), 0.0, margin=0.1).p_value == p_value


def test_the_p_value_is_the_larger_of_two_shifted_tests():
    rng = np.random.default_rng(3)
    first, second = np.exp(rng.normal(0, 0.3, 4_000)), np.exp(rng.normal(0.085, 0.3, 4_000))
    x, y = np.log(first), np.log(second)
    error = math.hypot(x.std(ddof=1), y.std(ddof=1)) / math.sqrt(4_000)
    edge = math.log(1.1)
    below = ttest_ind(y - edge, x, alternative="less", equal_var=False).pvalue
    above = ttest_ind(y + edge, x, alternative="greater", equal_var=False).pvalue
    assert tost(y.mean() - x.mean(), error, margin=0.1).p_value == pytest.approx(max(below, above), rel=0.02)


def test_the_width_of_an_interval_is_its_error():
    def figure(value, error, z, confidence):
        return Interval(value, value * math.exp(-z * error), value * math.exp(z * error), confidence, 100)

    first, second = figure(100.0, 0.03, 2.575829, 0.99), figure(102.0, 0.04, 1.959964, 0.95)
    found = ratio_equivalence(first, second, margin=0.1)
    assert found.ratio == pytest.approx(1.02)
    # The two errors, 3 and 4 %, add up to 5 % as the sides of a triangle do.
    assert math.log(found.upper / found.ratio) == pytest.approx(1.644854 * 0.05, rel=1e-4)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: tost(0.0, 0.1, margin=0.0),
        lambda: tost(0.0, 0.1, margin=0.1, alpha=0.5),
        lambda: ratio_equivalence(Interval(1, 0, 2, 0.95, 9), Interval(1, 1, 2, 0.95, 9), margin=0.1),
    ],
)
def test_what_has_no_answer_is_refused(ask):
    with pytest.raises(Invalid):
        ask()
