"""Value: the worked example of the method's source, and the trap that accuracy alone is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.costs.value.answer_quality import Confusion, Deflection, Detection, ForecastQuality, Uplift

FRAUD = Detection(prevalence=0.01, loss_per_false_negative_usd=120, loss_per_false_positive_usd=5)


def yearly(tpr, fpr):
    return FRAUD.year_usd((tpr, fpr), 10_000_000)


def test_five_points_of_recall_are_worth_600_000_and_less_with_more_false_alarms():
    assert yearly(0.85, 0.010) - yearly(0.80, 0.010) == pytest.approx(600_000)
    assert yearly(0.85, 0.012) - yearly(0.80, 0.010) == pytest.approx(501_000)


def test_accuracy_can_rise_while_value_falls():
    def accuracy(tpr, fpr):
        return 0.01 * tpr + 0.99 * (1 - fpr)

    assert accuracy(0.5, 0.001) > accuracy(0.8, 0.01)
    assert yearly(0.5, 0.001) < yearly(0.8, 0.01)


@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 500), st.integers(1, 500))
def test_the_matrix_says_what_the_rates_say(tp, fn, fp, tn):
    confusion = np.array([[tn, fp], [fn, tp]])
    values = np.array([[1.0, -5.0], [-120.0, 7.0]])
    n = tp + fn + fp + tn
    stakes = Detection(
        prevalence=(tp + fn) / n,
        gain_per_true_positive_usd=7,
        loss_per_false_negative_usd=120,
        loss_per_false_positive_usd=5,
        gain_per_true_negative_usd=1,
    )
    by_rates = stakes.year_usd((tp / (tp + fn), fp / (fp + tn)), 1_000)
    assert float((confusion * values).sum() / n * 1_000) == pytest.approx(by_rates, abs=1e-6)


def test_rates_are_drawn_from_the_beta_that_was_seen():
    counts = {"true_positives": 80, "false_negatives": 20, "false_positives": 10, "true_negatives": 990}
    seen = Confusion(**counts, operating_point="0.5", source="a test")
    recall, alarms = seen.draw(n=50_000, seed=3, stream="x")
    assert recall.mean() == pytest.approx(81 / 102, abs=0.002)
    assert alarms.mean() == pytest.approx(11 / 1_002, abs=0.0005)
    assert recall.std() == pytest.approx((81 * 21 / (102**2 * 103)) ** 0.5, rel=0.03)


def test_other_kinds_of_worth():
    assert Uplift(order_usd=50, margin=0.3).year_usd(0.001, 1e6) == pytest.approx(15_000)
    assert ForecastQuality(usd_per_unit_error=3).year_usd(2, 100) == -600
    assert Deflection(usd_per_contact=6).year_usd(0.02, 1e5) == 12_000
