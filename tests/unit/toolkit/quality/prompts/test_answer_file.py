"""Answer files: what is written is read again, and what is refused."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weighbridge.core.documents import cleaned
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import (
    Finish,
    PromptAnswer,
    TokenUsage,
    ToolCall,
    answer_lines,
    read_answers,
)

TEXT = st.text(max_size=20).map(cleaned)
TOKENS = st.none() | st.integers(0, 1000)


@st.composite
def usages(draw):
    whole, out = draw(TOKENS), draw(TOKENS)
    part, thought = draw(TOKENS), draw(TOKENS)
    return TokenUsage(
        input_tokens=whole,
        cached_tokens=part if None in (part, whole) else min(part, whole),
        output_tokens=out,
        reasoning_tokens=thought if None in (thought, out) else min(thought, out),
    )


ANSWERS = st.builds(
    PromptAnswer,
    id=st.sampled_from(["a", "b", "é"]),
    attempt=st.integers(0, 5),
    text=TEXT,
    finish=st.sampled_from(Finish),
    reasoning=TEXT,
    tool_calls=st.lists(st.builds(ToolCall, TEXT, TEXT), max_size=2).map(tuple),
    refusal=TEXT,
    error=TEXT,
    usage=st.none() | usages(),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(ANSWERS, min_size=1, max_size=5, unique_by=lambda each: (each.id, each.attempt)))
def test_what_is_written_is_read_again(tmp_path, answers):
    path = tmp_path / "a.jsonl"
    path.write_bytes(answer_lines(answers))
    assert read_answers(path).answers == tuple(answers)


def written(path, line):
    path.write_text(json.dumps({"id": "t", "finish": "stop"} | line) + "\n")
    return path


def test_a_line_needs_little_and_arguments_may_be_an_object(tmp_path):
    line = {"tool_calls": [{"name": "route", "arguments": {"b": 1.0, "a": "x"}}]}
    (answer,) = read_answers(written(tmp_path / "a.jsonl", line)).answers
    assert answer == PromptAnswer(id="t", tool_calls=(ToolCall("route", '{"a":"x","b":1}'),))


def test_what_a_model_wrote_is_read_although_it_cannot_be_stored(tmp_path):
    answer = PromptAnswer(id="t", text="a\0b\ud800", error="\0")
    (tmp_path / "a.jsonl").write_bytes(answer_lines([answer]))
    assert read_answers(tmp_path / "a.jsonl").answers == (PromptAnswer(id="t", text="a\ufffdb\ufffd", error="\ufffd"),)
    written(tmp_path / "a.jsonl", {"text": "a\0"})
    assert read_answers(tmp_path / "a.jsonl").answers[0].text == "a\ufffd"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "x" * 201}, "a.jsonl line 1.id has more than 200 characters."),
        ({"attempt": -1}, "a.jsonl line 1.attempt must be a whole number, 0 or more."),
        ({"finish": None}, "a.jsonl line 1.finish is missing."),
        (
            {"finish": "eos"},
            "a.jsonl line 1.finish must be one of stop, length, tool_calls, content_filter, error.",
        ),
        ({"text": 3}, "a.jsonl line 1.text must be text."),
        ({"tool_calls": [{"name": "x", "arguments": [1]}]}, "a.jsonl line 1.tool_calls[0].arguments must be text."),
        ({"tool_calls": [{"name": "x"}] * 201}, "a.jsonl line 1.tool_calls has more than 200 calls."),
        ({"usage": {"tokens": 3}}, None),
        (
            {"usage": {"input_tokens": 3, "cached_tokens": 4}},
            "The usage has 4 cached_tokens of 3 input_tokens; input_tokens must include them.",
        ),
        (
            {"usage": {"output_tokens": 3, "reasoning_tokens": 4}},
            "The usage has 4 reasoning_tokens of 3 output_tokens; output_tokens must include them.",
        ),
    ],
)
def test_a_bad_line_is_refused_with_its_place(tmp_path, change, reason):
    with pytest.raises(Invalid) as refused:
        read_answers(written(tmp_path / "a.jsonl", change))
    if reason is None:
        assert refused.value.reason.startswith("a.jsonl line 1.usage.tokens is unknown")
    else:
        assert refused.value.reason == reason


def test_an_attempt_does_not_repeat(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(answer_lines([PromptAnswer(id="t", attempt=1), PromptAnswer(id="t", attempt=1)]))
    with pytest.raises(Invalid, match="repeats attempt 1 of the prompt 't'") as refused:
        read_answers(path)
    assert refused.value.code == "answers_repeat"
