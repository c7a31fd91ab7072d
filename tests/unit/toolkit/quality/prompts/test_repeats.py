"""Repeated attempts: pass@k by counting, and how often answers differ."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.quality.prompts.builders import RIGHT, WRONG, prompt
from weighbridge.quality.prompts.answer_file import PromptAnswer
from weighbridge.quality.prompts.attempts import attempts_of
from weighbridge.quality.prompts.outcomes import Scoring
from weighbridge.quality.prompts.repeats import pass_at, repeats_of


@given(st.data())
def test_pass_at_k_is_the_share_of_samples_with_a_pass(data):
    n = data.draw(st.integers(1, 7))
    passed, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    results = [True] * passed + [False] * (n - passed)
    samples = [any(sample) for sample in itertools.combinations(results, k)]
    assert pass_at(n, passed, k) == pytest.approx(sum(samples) / len(samples))


def repeated(texts, **changes):
    prompts = [prompt(f"t-{n}", **changes) for n in range(len(texts))]
    numbered = [(n, attempt, text) for n, each in enumerate(texts) for attempt, text in enumerate(each)]
    answers = [PromptAnswer(id=f"t-{n}", attempt=attempt, text=text) for n, attempt, text in numbered]
    scoring = Scoring(prompts)
    return repeats_of(attempts_of(prompts, answers, scoring), scoring, 0.95)


def test_only_prompts_with_several_answers_count():
    found = repeated([[RIGHT, WRONG, RIGHT], [RIGHT, RIGHT], [WRONG, WRONG], [RIGHT]])
    assert (found["prompts"], found["attempts"], list(found["pass_at"])) == (3, 2, ["1", "2"])
    assert found["pass_at"]["1"]["value"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found["pass_at"]["2"]["value"] == pytest.approx(2 / 3)
    assert (found["different"]["value"], found["different"]["n"]) == (pytest.approx(1 / 3), 3)


def test_without_repeats_or_scorers_there_is_less():
    assert repeated([[RIGHT], [WRONG]]) is None
    found = repeated([[RIGHT, WRONG], [RIGHT, RIGHT]], expected=None)
    assert found["pass_at"] == {"1": None, "2": None}
    assert found["different"]["value"] == 0.5
