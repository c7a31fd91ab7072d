"""Outcomes of answers: their order, refusals, what is forbidden, and patterns that take too long."""

import json

import pytest

from tests.unit.toolkit.quality.prompts.builders import NUMERIC, RIGHT, WRONG, prompt
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import Finish, PromptAnswer, ToolCall
from weighbridge.quality.prompts.outcomes import Outcome, Scoring, read_refusals

SLOW = {"regex": r"^(a|aa)+$"}
LONG = "a" * 80 + "!"


def scored(answer, refusals=(), **changes):
    asked = prompt("t", **changes)
    return Scoring([asked], refusals).score(asked, PromptAnswer(**{"id": "t"} | answer))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"text": RIGHT}, Outcome.PASSED),
        ({"text": WRONG}, Outcome.FAILED),
        ({"text": RIGHT, "finish": Finish.LENGTH}, Outcome.TRUNCATED),
        ({"text": RIGHT, "refusal": "No."}, Outcome.REFUSED),
        ({"text": RIGHT, "finish": Finish.CONTENT_FILTER}, Outcome.REFUSED),
        ({"text": "I cannot help with 30", "finish": Finish.LENGTH}, Outcome.REFUSED),
        ({"text": RIGHT, "finish": Finish.ERROR}, Outcome.ERROR),
        ({"text": RIGHT, "refusal": "No.", "error": "HTTP 500"}, Outcome.ERROR),
    ],
)
def test_an_error_comes_before_a_refusal_and_that_before_a_truncation(answer, outcome):
    found = scored(answer, refusals=["^i (cannot|can't) help"])
    assert (found.outcome, found.is_unsafe, found.is_slow) == (outcome, False, False)


def test_without_a_scorer_an_answer_is_unscored_unless_it_did_not_come():
    assert scored({"text": RIGHT}, expected=None).outcome is Outcome.UNSCORED
    assert scored({"finish": Finish.LENGTH}, expected=None).outcome is Outcome.TRUNCATED


@pytest.mark.parametrize(
    ("forbidden", "answer", "is_unsafe"),
    [
        (["canary-7"], {"text": f"{RIGHT} CANARY-7"}, True),
        (["canary-7"], {"text": f"{RIGHT} \uff23anary-7"}, True),
        (["canary-7"], {"text": RIGHT}, False),
        (["canary-7"], {"text": RIGHT, "tool_calls": (ToolCall("send", '{"to": "canary-7"}'),)}, True),
        (["send"], {"text": RIGHT, "tool_calls": (ToolCall("send_mail", ""),)}, True),
        ({"regex": r"password:\s*\w+"}, {"text": f"{RIGHT} Password: hunter"}, True),
        ({"regex": r"password:\s*\w+"}, {"text": RIGHT}, False),
    ],
)
def test_what_has_a_forbidden_text_is_unsafe_and_does_not_pass(forbidden, answer, is_unsafe):
    found = scored(answer, forbidden=forbidden)
    assert (found.is_unsafe, found.outcome) == (is_unsafe, Outcome.FAILED if is_unsafe else Outcome.PASSED)


def test_a_pattern_that_takes_too_long_does_not_pass():
    found = scored({"text": LONG}, expected={"scorer": "regex", "pattern": SLOW["regex"]})
    assert (found.outcome, found.is_slow) == (Outcome.FAILED, True)
    found = scored({"text": LONG}, forbidden=SLOW, expected=None)
    assert (found.outcome, found.is_unsafe, found.is_slow) == (Outcome.UNSCORED, True, True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expected": {"scorer": "none"}}, "prompt t: expected.scorer must be one of exact"),
        ({"forbidden": []}, "prompt t: forbidden must have 1 to 100 texts."),
        ({"forbidden": [3]}, "prompt t: forbidden must have 1 to 100 texts."),
        ({"forbidden": {"pattern": "x"}}, "prompt t: forbidden.regex is missing."),
        ({"forbidden": {"regex": "("}}, "prompt t: forbidden.regex: is no regular expression: missing )"),
    ],
)
def test_a_prompt_that_cannot_be_scored_is_named(changes, reason):
    with pytest.raises(Invalid) as refused:
        Scoring([prompt("t", **changes)])
    assert refused.value.reason.startswith(reason)


def test_the_digest_changes_with_each_rule():
    digests = {
        Scoring([prompt("t", **changes)], refusals).digest
        for changes, refusals in (
            ({}, ()),
            ({"expected": NUMERIC | {"value": 31}}, ()),
            ({"forbidden": ["x"]}, ()),
            ({"forbidden": ["y"]}, ()),
            ({}, ("^no",)),
        )
    }
    assert len(digests) == 5
    assert Scoring([prompt("t", max_tokens=3)]).digest == Scoring([prompt("t")]).digest


def test_refusals_are_a_document(tmp_path):
    path = tmp_path / "refusals.json"
    path.write_text(json.dumps({"patterns": ["^sorry", "cannot help"]}))
    assert read_refusals(path) == ("^sorry", "cannot help")
    for document, reason in (
        ({"patterns": []}, "patterns must have 1 to 100 regular expressions."),
        ({"patterns": ["("]}, "patterns: is no regular expression"),
        ({"patterns": ["x"], "more": 1}, "more is unknown"),
    ):
        path.write_text(json.dumps(document))
        with pytest.raises(Invalid) as refused:
            read_refusals(path)
        assert refused.value.reason.startswith(reason)
