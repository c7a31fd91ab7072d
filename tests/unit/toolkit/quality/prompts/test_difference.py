"""Differences of two models on the same prompts: intervals, answers, and the rule to stop, by simulation."""

import numpy as np
import pytest

from tests.unit.toolkit.quality.prompts.builders import prompt
from weighbridge.core.errors import Invalid
from weighbridge.quality.paired import score_bounds
from weighbridge.quality.prompts.attempts import PromptValues
from weighbridge.quality.prompts.difference import (
    FIRST_LOOK,
    SCORE,
    PairedAnswer,
    answer_of,
    check_margin,
    difference_entry,
    difference_interval,
    paired_difference,
    stopping,
)
from weighbridge.statistics.clustered import CLUSTERED, STUDENT, WILD, cluster_sums


def values(numbers, clusters=0, start=0):
    prompts = [prompt(f"t-{n}", cluster=f"c-{n % clusters}" if clusters else "") for n in range(start, len(numbers))]
    return PromptValues(tuple(prompts), np.array(numbers[start:], dtype=np.float64))


@pytest.mark.parametrize(
    ("lower", "upper", "margin", "answer"),
    [
        (0.01, 0.05, 0.02, "better"),
        (-0.05, -0.01, 0.02, "worse"),
        (-0.01, 0.01, 0.02, "equivalent"),
        (0.005, 0.015, 0.02, "equivalent"),
        (-0.01, 0.02, 0.02, "cannot_tell"),
        (-0.02, 0.01, 0.02, "cannot_tell"),
        (0.0, 0.05, 0.02, "cannot_tell"),
        (-0.01, 0.01, None, "cannot_tell"),
        (0.005, 0.015, None, "better"),
    ],
)
def test_the_interval_answers(lower, upper, margin, answer):
    assert answer_of(lower, upper, margin) == answer


def test_pairs_are_by_prompt_and_others_are_counted():
    paired = paired_difference(values([1, 0, 1, 1]), values([0, 0, 1, 1, 1], start=1))
    assert paired.values.values.tolist() == [0.0, 0.0, 0.0]
    assert [each.id for each in paired.values.prompts] == ["t-1", "t-2", "t-3"]
    assert paired.unpaired == 2
    with pytest.raises(Invalid, match="fewer than two scored prompts") as refused:
        paired_difference(values([1, 0]), values([1, 1], start=1))
    assert refused.value.code == "answers_pairs"


def test_single_answers_without_clusters_have_tangos_interval():
    numbers = [1] * 12 + [-1] * 5 + [0] * 83
    interval = difference_interval(values(numbers), 0.95, seed=1)
    assert (interval.value, interval.method) == (pytest.approx(0.07), SCORE)
    assert (interval.lower, interval.upper) == pytest.approx(score_bounds(12, 5, 100, confidence=0.95))


def test_the_method_follows_attempts_and_clusters():
    rng = np.random.default_rng(5)
    numbers = rng.choice([-1, 0, 1], 400, p=[0.1, 0.7, 0.2])
    assert difference_interval(values(numbers / 2), 0.95, seed=1).method == STUDENT
    assert difference_interval(values(numbers, 40), 0.95, seed=1).method == CLUSTERED
    assert difference_interval(values(numbers, 10), 0.95, seed=1).method == WILD
    assert difference_interval(values(numbers[:20], 1), 0.95, seed=1) is None


def test_clusters_that_do_not_differ_count_as_one_prompt_each():
    interval = difference_interval(values([0] * 40, 8), 0.95, seed=1)
    assert interval.method == SCORE
    assert (interval.lower, interval.upper) == pytest.approx(score_bounds(0, 0, 8, confidence=0.95))


def test_an_entry_without_an_interval_cannot_tell():
    paired = paired_difference(values([1, 0, 1], 1), values([0, 0, 1], 1))
    entry = difference_entry(paired, None, 0.02, 100)
    assert (entry["difference"], entry["answer"], entry["stopping"]) == (None, "cannot_tell", None)
    assert (entry["clusters"], entry["disagreement"]) == (1, pytest.approx(1 / 3))


def test_a_look_comes_not_too_early_and_says_when_to_stop():
    early = stopping(cluster_sums(np.ones(FIRST_LOOK - 1)), 0.95, 0.02, 500)
    assert (early["interval"], early["stop"], early["answer"]) == (None, False, None)
    rng = np.random.default_rng(6)
    clear = stopping(cluster_sums(rng.choice([-1.0, 0.0, 1.0], 400, p=[0.05, 0.55, 0.4])), 0.95, 0.02, 500)
    assert (clear["stop"], clear["answer"]) == (True, "better")
    same = stopping(cluster_sums(rng.choice([-1.0, 0.0, 1.0], 400, p=[0.1, 0.8, 0.1])), 0.95, 0.02, 500)
    assert (same["stop"], same["answer"]) == (False, "cannot_tell")


@pytest.mark.slow
@pytest.mark.parametrize(("true", "wrong"), [(0.0, {"better", "worse"}), (0.05, {"equivalent", "worse"})])
def test_looking_after_every_ten_prompts_is_rarely_wrong(true, wrong):
    """A margin of 0.05, looked at from 50 to 1,000 prompts: an ordinary interval would err far more often."""
    rng, runs, errs, ordinary = np.random.default_rng(7), 400, 0, 0
    for _ in range(runs):
        numbers = rng.choice([-1.0, 0.0, 1.0], 1_000, p=[0.15 - true / 2, 0.7, 0.15 + true / 2])
        looks = range(FIRST_LOOK, 1_001, 10)
        answers = [stopping(cluster_sums(numbers[:n]), 0.95, 0.05, 500)["answer"] for n in looks]
        stops = next((answer for answer in answers if answer != "cannot_tell"), "cannot_tell")
        errs += stops in wrong
        ends = [(numbers[:n].mean(), 1.96 * numbers[:n].std() / np.sqrt(n)) for n in looks]
        ordinary += any(answer_of(mean - half, mean + half, 0.05) in wrong for mean, half in ends)
    assert errs / runs <= 0.05
    assert ordinary / runs > 0.08


def test_a_margin_needs_a_baseline_and_a_range():
    check_margin(None, has_baseline=False)
    check_margin(0.02, has_baseline=True)
    for margin, has_baseline in ((0.02, False), (0.0, True), (1.0, True)):
        with pytest.raises(Invalid) as refused:
            check_margin(margin, has_baseline=has_baseline)
        assert refused.value.field == "margin"


def test_the_words_of_answers_are_stable():
    assert list(PairedAnswer) == ["better", "worse", "equivalent", "cannot_tell"]
