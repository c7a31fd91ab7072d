"""Value: the worked example of the method's source, and the trap that accuracy alone is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.costs.value import value
from weighbridge.costs.value.value import Worth

FRAUD = Worth(false_negative_usd=-120, false_positive_usd=-5)


def yearly(tpr, fpr):
    return value.yearly_value_usd(FRAUD, cases=10_000_000, prevalence=0.01, tpr=tpr, fpr=fpr)


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
    worth = Worth(true_positive_usd=7, false_negative_usd=-120, false_positive_usd=-5, true_negative_usd=1)
    n = tp + fn + fp + tn
    by_rates = value.yearly_value_usd(
        worth, cases=1_000, prevalence=(tp + fn) / n, tpr=tp / (tp + fn), fpr=fp / (fp + tn)
    )
    assert float((confusion * values).sum() / n * 1_000) == pytest.approx(by_rates, abs=1e-6)


def test_rates_are_drawn_from_the_beta_that_was_seen():
    recall, alarms = value.drawn_rates(
        true_positives=80, false_negatives=20, false_positives=10, true_negatives=990, n=50_000, seed=3
    )
    assert recall.mean() == pytest.approx(81 / 102, abs=0.002)
    assert alarms.mean() == pytest.approx(11 / 1_002, abs=0.0005)
    assert recall.std() == pytest.approx((81 * 21 / (102**2 * 103)) ** 0.5, rel=0.03)


def test_five_percent_more_accuracy_for_twenty_percent_more_cost():
    factor = 1.1**-1 + 1.1**-2
    assert value.net_value_usd(600_000, 200_000, years=2, discount_rate=0.1, adoption=0.5) == pytest.approx(
        300_000 * factor - 200_000
    )
    assert value.break_even_gain(120_000, value_per_point_usd=120_000, adoption=0.5) == pytest.approx(2.0)


def test_other_kinds_of_worth():
    assert value.uplift_usd(visits=1e6, conversion_gain=0.001, order_usd=50, margin=0.3) == pytest.approx(15_000)
    assert value.error_cost_usd(error_fall=2, usd_per_unit_error=3, cases=100) == 600
    assert value.deflection_usd(contacts=1e5, resolved_gain=0.02, usd_per_contact=6) == 12_000
