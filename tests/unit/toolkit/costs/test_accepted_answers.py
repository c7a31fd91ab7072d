"""The cost of an accepted answer: the worked numbers, the formulas against a simulation, and what is refused."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.costs.value.accepted_answers import (
    AcceptedCost,
    AnswerChecks,
    TriesOutcome,
    accepted_cost,
    divided,
    outcome,
)
from weighbridge.costs.value.pass_rates import ItemRuns, RepeatedRuns, independent_moments

RATES = st.decimals("0.01", "1", places=3)


def exact(pass_rate, usd, *, judge="0", tries=1, fallback="0", **checked):
    """What a task and an accepted answer cost in decimals, by the functions of the product."""
    found = outcome(independent_moments(Decimal(pass_rate), tries), **checked)
    return AcceptedCost(
        found,
        Decimal(usd),
        tries_usd=found.attempts * (Decimal(usd) + Decimal(judge)),
        fallback_usd=(1 - found.accepted) * Decimal(fallback),
        wrong_usd=Decimal(0),
        has_fallback=Decimal(fallback) > 0,
    )


def test_the_worked_example_to_the_last_digit():
    found = exact("0.80", "0.00062", judge="0.00031", tries=3)
    assert found.outcome.attempts == Decimal("1.24")
    assert found.outcome.accepted == Decimal("0.992")
    assert found.tries_usd == Decimal("0.0011532")
    assert found.usd_per_accepted == Decimal("0.0011625")
    person = exact("0.80", "0.00062", judge="0.00031", tries=3, fallback="0.40")
    assert person.usd_per_task == person.usd_per_accepted == Decimal("0.0043532")


@pytest.mark.parametrize(
    ("pass_rate", "usd", "expected"),
    [("0.92", "0.00384", "0.03584"), ("0.80", "0.00062", "0.08062"), ("0.55", "0.0001", "0.1801")],
)
def test_one_try_and_a_person(pass_rate, usd, expected):
    assert exact(pass_rate, usd, fallback="0.40").usd_per_task == Decimal(expected)
    checks = AnswerChecks(pass_rate=float(pass_rate), fallback_usd=0.4)
    assert accepted_cost(checks, float(usd)).usd_per_task == pytest.approx(float(expected))


def test_the_dear_model_wins_once_a_failure_costs_more_than_the_difference():
    dear, cheap = exact("0.92", "0.00384"), exact("0.80", "0.00062")
    threshold = (dear.tries_usd - cheap.tries_usd) / (cheap.unanswered - dear.unanswered)
    assert round(threshold, 4) == Decimal("0.0268")
    below, above = threshold - Decimal("1e-6"), threshold + Decimal("1e-6")
    assert dear.at_failure_cost(below) > cheap.at_failure_cost(below)
    assert dear.at_failure_cost(above) < cheap.at_failure_cost(above)


@given(RATES, st.integers(1, 10))
def test_with_perfect_checks_an_accepted_answer_costs_the_same_for_every_number_of_tries(rate, tries):
    found = exact(rate, "0.00062", judge="0.00031", tries=tries)
    assert found.usd_per_accepted == pytest.approx(Decimal("0.00093") / rate)
    assert found.outcome.attempts == pytest.approx((1 - (1 - rate) ** tries) / rate)
    assert found.outcome.accepted == pytest.approx(1 - (1 - rate) ** tries)


@given(RATES, st.integers(1, 5), st.decimals("0", "1", places=2), st.decimals("0", "1", places=2))
def test_what_is_accepted_is_what_is_not_rejected_in_every_try(rate, tries, sensitivity, false_accepts):
    found = outcome(independent_moments(rate, tries), sensitivity=sensitivity, false_accepts=false_accepts)
    chance = rate * sensitivity + (1 - rate) * false_accepts
    assert found.accepted == pytest.approx(1 - (1 - chance) ** tries)
    assert 0 <= found.wrong <= found.accepted <= 1
    assert 1 <= found.attempts <= tries
    if chance:
        wrong = (1 - rate) * false_accepts / chance
        assert found.wrong_among_accepted == pytest.approx(wrong)


def simulated(chances, *, tries, sensitivity, false_accepts, seed):
    """Play tasks try by try: shares of accepted and of wrong among all, mean tries, rejected right answers."""
    rng = np.random.default_rng(seed)
    done = np.zeros(len(chances), bool)
    wrong, rejected, attempts = np.zeros(len(chances)), np.zeros(len(chances)), np.zeros(len(chances))
    for _ in range(tries):
        attempts += ~done
        right = rng.random(len(chances)) < chances
        accepted = rng.random(len(chances)) < np.where(right, sensitivity, false_accepts)
        rejected += ~done & right & ~accepted
        wrong += ~done & ~right & accepted
        done |= accepted
    return done.mean(), wrong.mean(), attempts.mean(), rejected.mean()


@pytest.mark.parametrize("is_independent", [True, False])
def test_a_judge_that_errs_against_a_simulation(is_independent):
    """Items of different difficulty have the moments of their chances; a judge errs on right and wrong answers."""
    rng = np.random.default_rng(3)
    chances = np.full(400_000, 0.6) if is_independent else rng.beta(0.9, 0.6, 400_000)
    moments = tuple((chances**power).mean() for power in range(4))
    found = outcome(moments, sensitivity=0.9, false_accepts=0.15)
    accepted, wrong, attempts, rejected = simulated(chances, tries=3, sensitivity=0.9, false_accepts=0.15, seed=4)
    assert found.accepted == pytest.approx(accepted, abs=0.003)
    assert found.wrong == pytest.approx(wrong, abs=0.003)
    assert found.attempts == pytest.approx(attempts, abs=0.006)
    assert found.rejected_right == pytest.approx(rejected, abs=0.003)


def test_repeated_runs_replace_independence():
    """Half of the items always pass: the second and third try are paid for nothing."""
    runs = RepeatedRuns(tuple(ItemRuns(passed=5 * (place % 2), runs=5, cluster=str(place)) for place in range(40)))
    checks = AnswerChecks(pass_rate=0.5, tries=3, fallback_usd=0.4)
    found = accepted_cost(checks, 0.001, runs=runs)
    assert (found.outcome.attempts, found.outcome.accepted) == (2.0, 0.5)
    assert found.usd_per_task == pytest.approx(2 * 0.001 + 0.5 * 0.4)
    assert accepted_cost(checks, 0.001).outcome.accepted == pytest.approx(0.875)
    drawn = accepted_cost(checks, 0.001, runs=runs.draw(3, n=500, seed=1, stream="x"))
    assert drawn.usd_per_task.mean() == pytest.approx(found.usd_per_task, rel=0.05)


def test_wrong_answers_that_are_accepted_are_paid_for():
    checks = AnswerChecks(pass_rate=0.8, sensitivity=0.95, false_accept_share=0.3, wrong_usd=2.0, judge_usd=0.001)
    found = accepted_cost(checks, 0.002)
    assert found.outcome.accepted == pytest.approx(0.8 * 0.95 + 0.2 * 0.3)
    assert found.outcome.wrong_among_accepted == pytest.approx(0.2 * 0.3 / (0.8 * 0.95 + 0.2 * 0.3))
    assert found.wrong_usd == pytest.approx(0.2 * 0.3 * 2)
    assert found.outcome.rejected_right == pytest.approx(0.8 * 0.05)
    assert found.usd_per_accepted == pytest.approx((0.003 + 0.12) / 0.82)
    assert found.usd_per_task == pytest.approx(0.123)


def test_what_nothing_accepts_costs_without_end_unless_a_person_answers():
    never = AnswerChecks(pass_rate=0.0, tries=4)
    found = accepted_cost(never, 0.001)
    assert (found.outcome.attempts, found.usd_per_accepted) == (4, float("inf"))
    assert found.outcome.wrong_among_accepted == 0
    assert accepted_cost(AnswerChecks(pass_rate=0.0, tries=4, fallback_usd=0.5), 0.001).usd_per_accepted == 0.504
    drawn = accepted_cost(AnswerChecks(pass_rate=np.array([0.0, 0.5])), 0.001)
    assert drawn.usd_per_accepted.tolist() == [float("inf"), 0.002]


def test_counts_are_drawn_and_stated_rates_are_not():
    counted = AnswerChecks(passed=184, items=200)
    assert counted.moments() == (1, 0.92)
    drawn = counted.drawn(n=5_000, seed=1, stream="a")
    assert drawn.pass_rate.mean() == pytest.approx(184.5 / 201, abs=0.001)
    assert drawn.pass_rate.std() == pytest.approx(np.sqrt(0.92 * 0.08 / 200), rel=0.05)
    stated = AnswerChecks(pass_rate=0.9)
    assert stated.drawn(n=10, seed=1, stream="a") is stated


def test_quotients_of_numbers_and_draws():
    assert (divided(1.0, 0.0, otherwise=7.0), divided(1.0, 4.0, otherwise=7.0)) == (7.0, 0.25)
    assert divided(np.array([1.0, 2.0]), np.array([0.0, 4.0]), otherwise=7.0).tolist() == [7.0, 0.5]
    assert TriesOutcome(1, 0, 0, 0).wrong_among_accepted == 0


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "pass_rate", "either pass_rate, or passed and items"),
        ({"pass_rate": 0.5, "items": 10}, "pass_rate", "either pass_rate"),
        ({"passed": 11, "items": 10}, "passed", "11 of 10 are not"),
        ({"passed": 1, "items": 100_001}, "passed", "at most 100,000 items"),
        ({"pass_rate": 0.5, "tries": 0}, "tries", "1 to 10, not 0"),
        ({"pass_rate": 0.5, "tries": 11}, "tries", "1 to 10, not 11"),
        ({"pass_rate": 1.5}, "pass_rate", "share between 0 and 1"),
        ({"pass_rate": 0.5, "sensitivity": 1.1}, "sensitivity", "share between 0 and 1"),
        ({"pass_rate": 0.5, "fallback_usd": -1.0}, "fallback_usd", "zero or more"),
        ({"pass_rate": 0.5, "judge_usd": -1.0}, "judge_usd", "zero or more"),
    ],
)
def test_checks_that_cannot_be(fields, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        AnswerChecks(**fields)
    assert refused.value.field == field
