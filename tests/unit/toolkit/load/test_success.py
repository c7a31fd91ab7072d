"""Rates of right and failed answers: counted in full, or estimated from checked bodies."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta  # noqa: TID253 -- an oracle

from weighbridge.load.results.metrics import response_times_ms
from weighbridge.load.results.samples import LoadSamples, RequestOutcome
from weighbridge.load.results.success import (
    bodies_checked,
    count_rate,
    error_interval,
    goodput,
    product_interval,
    wrong_bodies,
)
from weighbridge.statistics.order_statistics import Interval, failure_interval


def samples_with(*, answered=0, checked=0, wrong=0, lost=0, shuffled=None):
    kinds = RequestOutcome.ANSWERED, RequestOutcome.CHECKED, RequestOutcome.WRONG_ANSWER, RequestOutcome.LOST
    outcome = np.repeat(np.array(kinds, dtype=np.uint8), (answered, checked, wrong, lost))
    if shuffled is not None:
        np.random.default_rng(shuffled).shuffle(outcome)
    due = np.arange(len(outcome), dtype=np.int64) * 1_000_000
    return LoadSamples(due, due, due, due + 5_000_000, outcome)


counts = st.integers(0, 300)


@given(answered=counts, lost=counts)
def test_without_checks_the_rate_is_that_of_the_count(answered, lost):
    samples = samples_with(answered=answered, lost=lost)
    assert error_interval(samples) == failure_interval(lost, answered + lost)
    assert wrong_bodies(samples) is None
    assert goodput(samples, span_s=2.0) == count_rate(answered, 2.0)


@given(checked=counts, wrong=counts, lost=counts)
def test_where_every_body_was_checked_the_rate_is_that_of_the_count(checked, wrong, lost):
    samples = samples_with(checked=checked, wrong=wrong, lost=lost)
    assert error_interval(samples) == failure_interval(wrong + lost, checked + wrong + lost)
    assert goodput(samples, span_s=2.0) == count_rate(checked, 2.0)


@given(answered=st.integers(1, 300), checked=counts, wrong=counts, lost=counts)
def test_checked_bodies_stand_for_all(answered, checked, wrong, lost):
    samples = samples_with(answered=answered, checked=checked, wrong=wrong, lost=lost)
    n, right_status = answered + checked + wrong + lost, answered + checked + wrong
    found, rate = error_interval(samples), goodput(samples, span_s=2.0)
    if not checked + wrong:
        assert found == failure_interval(lost, n)
        return
    share = wrong / (checked + wrong)
    assert found.value == pytest.approx((lost + right_status * share) / n)
    assert rate.value == pytest.approx(right_status * (1 - share) / 2)
    assert found.lower == 0.0 <= found.value <= found.upper <= 1.0 + 1e-12
    assert rate.lower <= rate.value * (1 + 1e-12)
    assert rate.value <= rate.upper * (1 + 1e-12)
    # Fewer checks can only leave more in doubt than checks of everything, or the counted failures alone.
    assert found.upper >= failure_interval(lost, n).upper - 1e-12
    assert found.upper >= failure_interval(wrong, checked + wrong).upper - 1e-12


def test_the_bound_of_few_checks_by_hand():
    """Ten checks without a wrong body leave 1 - 0.05^(1/10) = 26 % possible, however many answers there were."""
    found = error_interval(samples_with(answered=9_990, checked=10))
    assert found.value == 0.0
    assert found.upper == pytest.approx(1 - 0.05**0.1, abs=1e-3)
    assert found.n == 10_000


def test_the_interval_agrees_with_simulated_posteriors():
    """An independent derivation: draw both shares from their beta posteriors (Jeffreys) and take the quantile."""
    samples = samples_with(answered=9_000, checked=980, wrong=20, lost=100)
    rng = np.random.default_rng(1)
    lost, wrong = rng.beta(100.5, 10_000.5, 400_000), rng.beta(20.5, 980.5, 400_000)
    found = error_interval(samples)
    assert found.upper == pytest.approx(np.quantile(1 - (1 - lost) * (1 - wrong), 0.95), rel=0.03)
    answers = rng.gamma(10_000.5, size=400_000) / 2
    low, high = np.quantile(answers * (1 - wrong), [0.025, 0.975])
    rate = goodput(samples, span_s=2.0)
    assert rate.lower == pytest.approx(low, rel=0.003)
    assert rate.upper == pytest.approx(high, rel=0.003)


def test_what_was_checked_is_counted():
    found = bodies_checked(samples_with(answered=90, checked=7, wrong=3, lost=5))
    assert found == {"checked": 10, "of": 100, "wrong": 3}
    assert wrong_bodies(samples_with(answered=90, checked=7, wrong=3)).upper == pytest.approx(beta.ppf(0.95, 4, 7))


def test_a_wrong_body_stands_for_the_answers_around_it():
    """5 % of bodies are wrong and a tenth is checked: as many response times as that are those of failures."""
    rng = np.random.default_rng(2)
    is_wrong, is_checked = rng.random(20_000) < 0.05, np.zeros(20_000, dtype=bool)
    is_checked[np.arange(0, 20_000, 10) + rng.integers(0, 10, 2_000)] = True
    samples = samples_with(answered=20_000)
    samples.outcome[is_checked] = RequestOutcome.CHECKED
    samples.outcome[is_checked & is_wrong] = RequestOutcome.WRONG_ANSWER
    unanswered = response_times_ms(samples) > 1e100
    assert unanswered.mean() == pytest.approx(error_interval(samples).value, rel=0.1)
    assert unanswered[samples.outcome == RequestOutcome.WRONG_ANSWER].all()
    assert not unanswered[samples.outcome == RequestOutcome.CHECKED].any()


def test_products_of_intervals():
    exact = Interval(0.5, 0.5, 0.5, 0.95, 10)
    wide = Interval(2.0, 1.0, 4.0, 0.95, 20)
    assert product_interval(exact, wide) == Interval(1.0, 0.5, 2.0, 0.95, 10)
    both = product_interval(wide, wide)
    assert (both.value, both.lower) == (4.0, pytest.approx(4 * math.exp(-math.sqrt(2) * math.log(2))))
    nothing = product_interval(Interval(0.0, 0.0, 3.0, 0.95, 0), Interval(0.9, 0.8, 1.0, 0.95, 5))
    assert (nothing.value, nothing.lower, nothing.upper) == (0.0, 0.0, 3.0)
