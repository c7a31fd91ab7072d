"""The saving of an accepted answer: its interval covers the truth, with clusters, prices in a range, and pairs."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.unit.toolkit.optimization.language.builders import LARGE, SMALL, plan_document
from weighbridge.costs.uncertainty import Range
from weighbridge.optimization.language.answer_costs import (
    AnswerValues,
    DrawSettings,
    StatedPart,
    drawn_answers,
    saving_of,
)
from weighbridge.optimization.language.plan_file import plan_from

GROUPS, EACH, FALLBACK = 60, 4, 0.02
CLUSTERS = [f"c-{place // EACH}" for place in range(GROUPS * EACH)]
ONES = np.ones(len(CLUSTERS))
PLAN = plan_from(plan_document(SMALL, baseline=LARGE, fallback_usd=FALLBACK), Path())
SETTINGS = DrawSettings(draws=800)


def values(passed, usd):
    return AnswerValues(passed, tuple(map(Fraction, usd)), (), CLUSTERS)


def simulated(rng):
    """Two models whose prompts are harder, and longer, by cluster; the true saving is 0.004 USD."""
    effect = np.repeat(rng.normal(0, 0.08, GROUPS), EACH)
    long = np.repeat(rng.lognormal(0, 0.5, GROUPS), EACH) / np.exp(0.125)
    one, other = ((rng.random(len(CLUSTERS)) < share + effect).astype(float) for share in (0.8, 0.7))
    return values(one, 0.007 * long), values(other, 0.001 * long)


@pytest.mark.slow
def test_the_interval_of_the_saving_covers_the_truth_and_an_unpaired_one_is_wider():
    rng, covered, runs, widths = np.random.default_rng(5), 0, 400, []
    for _ in range(runs):
        before, after = (drawn_answers(each, PLAN, SETTINGS) for each in simulated(rng))
        saving = saving_of(before, after, SETTINGS)
        covered += saving.lower <= 0.006 - 0.1 * FALLBACK <= saving.upper
        spread = before.accepted_draws - np.roll(after.accepted_draws, 1)
        widths.append((saving.upper - saving.lower) / np.subtract(*np.quantile(spread, [0.975, 0.025])))
    assert 0.93 <= covered / runs <= 0.97
    assert np.mean(widths) < 0.97


def test_a_range_of_a_price_is_drawn_once_for_all_who_pay_it():
    passed = np.tile([1.0, 1.0, 0.0, 1.0], GROUPS)
    spread = Range(0.001, 0.004)
    sides = [
        AnswerValues(passed, (Fraction(0),) * len(passed), (StatedPart(name, spread, ONES),), CLUSTERS)
        for name in ("own", "own", "other")
    ]
    own, same, other = (drawn_answers(side, PLAN, SETTINGS) for side in sides)
    assert saving_of(own, same, SETTINGS).upper == 0
    apart = saving_of(own, other, SETTINGS)
    assert (apart.value, apart.lower < -0.001, apart.upper > 0.001) == (0, True, True)
    assert own.usd_per_request == pytest.approx(spread.median)
    assert own.usd_per_accepted == pytest.approx(spread.median + 0.25 * FALLBACK)
