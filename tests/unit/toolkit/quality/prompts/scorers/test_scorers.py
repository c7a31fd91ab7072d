"""Scorers without code: what is right, what is wrong, and which documents are refused."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import PromptAnswer, ToolCall
from weighbridge.quality.prompts.scorers.document import scorer_of


def is_right(document, text="", calls=()):
    return scorer_of(document).check(
        PromptAnswer(id="t", text=text, tool_calls=tuple(ToolCall(*call) for call in calls))
    )


CHOICE = {"scorer": "choice", "value": "B", "choices": {"A": "shipping", "B": "returns", "C": "billing"}}
LABELS = {"scorer": "choice", "value": "returns", "choices": ["shipping", "returns"]}


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, " yes\n", True),
        ({}, "Yes", False),
        ({"ignore_case": True}, "YES", True),
        ({"trim": False}, " yes", False),
        ({}, "\uff59\uff45\uff53", True),
        ({"nfkc": False}, "\uff59\uff45\uff53", False),
        ({"value": ["no", "nein"]}, "nein", True),
        ({"value": ["no", "nein"]}, "yes", False),
    ],
)
def test_exact(options, text, expected):
    assert is_right({"scorer": "exact", "value": "yes"} | options, text) is expected


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, "Fee 12 EUR for Order", True),
        ({}, "12 EUR", False),
        ({"ignore_case": True}, "order: 12 eur", True),
        ({"trim": True}, "Order 12 EUR", True),
    ],
)
def test_contains_all(options, text, expected):
    assert is_right({"scorer": "contains_all", "value": ["Order", "12 EUR"]} | options, text) is expected


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, "it is ORD-12345.", True),
        ({}, "it is ord-12345.", False),
        ({"ignore_case": True}, "it is ord-12345.", True),
        ({"whole": True}, " ORD-12345\n", True),
        ({"whole": True}, "it is ORD-12345", False),
    ],
)
def test_regex(options, text, expected):
    assert is_right({"scorer": "regex", "pattern": r"ORD-\d{5}"} | options, text) is expected


def test_a_pattern_has_a_time_limit():
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        is_right({"scorer": "regex", "pattern": r"^(a|aa)+$"}, "a" * 80 + "!")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, "You have 14 days, or 30 days", True),
        ({"take": "first"}, "You have 14 days, or 30 days", False),
        ({}, "none", False),
        ({}, "30.0", True),
        ({}, "-30", False),
        ({}, "\u221230", False),
        ({}, "2-30", True),
        ({}, "3e1", True),
        ({}, "30.4", False),
        ({"absolute": 0.4}, "30.4", True),
        ({"absolute": 0.4}, "30.41", False),
        ({"relative": 0.1}, "33", True),
        ({"relative": 0.1, "absolute": 1}, "33.1", False),
        ({"value": 1234567.5}, "1,234,567.5", True),
        ({"value": 1234567.5, "thousands": "."}, "1.234.567,5", True),
        ({"value": 1234567.5, "thousands": " "}, "1\u202f234 567.5", True),
        ({"value": 1234567.5, "thousands": ""}, "1,234,567.5", False),
        ({"value": 0.5}, "p is .5", True),
        ({"value": 1234}, "1234", True),
        ({"value": 5678}, "12,345678", False),
        ({}, "1" * 50, False),
    ],
)
def test_numeric(options, text, expected):
    assert is_right({"scorer": "numeric", "value": 30} | options, text) is expected


@given(value=st.integers(-(10**12), 10**12), separator=st.sampled_from([",", "", "_"]))
@settings(max_examples=100, deadline=None)
def test_a_written_number_is_read(value, separator):
    written = f"{value:,}".replace(",", separator)
    assert is_right({"scorer": "numeric", "value": value, "thousands": separator}, f"The total is {written}.")
    assert not is_right({"scorer": "numeric", "value": value + 1, "thousands": separator}, f"The total is {written}.")


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        (CHOICE, "B", True),
        (CHOICE, "B.", True),
        (CHOICE, "(B) because", True),
        (CHOICE, "**B**", True),
        (CHOICE, "The answer is B", True),
        (CHOICE, "Answer: B", True),
        (CHOICE, "This goes to Returns.", True),
        (CHOICE, "B) returns", True),
        (CHOICE, "A", False),
        (CHOICE, "B or A? The answer is A", False),
        (CHOICE, "returns or billing", False),
        (CHOICE, "Be careful", False),
        (CHOICE, "A returns desk", True),
        (CHOICE, "returnsdesk", False),
        (CHOICE, "", False),
        (LABELS, "returns", True),
        (LABELS, "shipping and returns", False),
    ],
)
def test_choice_and_what_is_ambiguous_is_wrong(document, text, expected):
    assert is_right(document, text) is expected


SCHEMA = {
    "scorer": "json_schema",
    "schema": {
        "type": "object",
        "required": ["to"],
        "properties": {"to": {"$ref": "#/$defs/team"}},
        "$defs": {"team": {"type": "string", "pattern": "^[a-z]+$"}},
    },
    "equal": {"/to": "returns"},
}


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, '{"to": "returns"}', True),
        ({}, ' {"to": "returns", "more": 1} ', True),
        ({}, '{"to": "billing"}', False),
        ({}, '{"to": "RETURNS"}', False),
        ({}, '{"to": 3}', False),
        ({}, "returns", False),
        ({}, '```json\n{"to": "returns"}\n```', False),
        ({"fenced": True}, 'Here:\n```json\n{"to": "returns"}\n```', True),
        ({"fenced": True}, '```{"to": "returns"}```', True),
        ({"fenced": True}, '{"to": "returns"}', True),
        ({"schema": True, "equal": {"/a/0/b~1c": 1}}, '{"a": [{"b/c": 1.0}]}', True),
        ({"schema": True, "equal": {"/a/0/b~1c": 1}}, '{"a": [{"b/c": true}]}', False),
        ({"schema": True, "equal": {"/a/1": 1}}, '{"a": [1]}', False),
        ({"schema": True, "equal": {"/a/x": 1}}, '{"a": 1}', False),
        ({"schema": None, "equal": {"": [1, {"x": None}]}}, '[1, {"x": null}]', True),
    ],
)
def test_json_schema(options, text, expected):
    assert is_right(SCHEMA | options, text) is expected


TOOL = {"scorer": "tool_call", "name": "route", "arguments": {"to": "returns", "n": 1}}


@pytest.mark.parametrize(
    ("options", "calls", "expected"),
    [
        ({}, [("route", '{"n": 1.0, "to": "returns"}')], True),
        ({}, [("route", '{"n": 1, "to": "returns", "x": 2}')], False),
        ({"allow_more": True}, [("route", '{"n": 1, "to": "returns", "x": 2}')], True),
        ({}, [("send", '{"n": 1, "to": "returns"}')], False),
        ({}, [("route", '{"n": 1, "to": "returns"}')] * 2, False),
        ({}, [("route", '{"n": 1')], False),
        ({}, [("route", "[]")], False),
        ({}, [], False),
        ({"arguments": None}, [("route", "")], True),
    ],
)
def test_tool_call(options, calls, expected):
    assert is_right(TOOL | options, calls=calls) is expected


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "expected.scorer is missing."),
        ({"scorer": "python"}, "expected.scorer must be one of exact, regex, numeric, choice"),
        ({"scorer": "exact", "value": "x", "tirm": True}, "expected.tirm is unknown"),
        ({"scorer": "exact", "value": []}, "expected.value must be a text, or 1 to 100 texts"),
        ({"scorer": "exact", "value": [3]}, "expected.value must be a text, or 1 to 100 texts"),
        ({"scorer": "regex", "pattern": "("}, "expected.pattern is no regular expression: missing )"),
        ({"scorer": "regex", "pattern": "x" * 2_001}, "expected.pattern has more than 2,000 characters."),
        ({"scorer": "numeric", "value": "many"}, "expected.value must be a number."),
        ({"scorer": "numeric", "value": 1, "absolute": -1}, "expected.absolute must be zero or more."),
        ({"scorer": "numeric", "value": 1, "thousands": ";"}, "expected.thousands must be one of"),
        (CHOICE | {"value": "D"}, "expected.value must be one of A, B, C."),
        (CHOICE | {"choices": ["A", "A"]}, "expected.choices must be 2 to 52 different labels"),
        (CHOICE | {"choices": {"A": 1, "B": 2}}, "expected.choices must be 2 to 52 different labels"),
        (CHOICE | {"choices": "AB"}, "expected.choices must be 2 to 52 different labels"),
        ({"scorer": "json_schema"}, "expected.schema or equal must be given."),
        (SCHEMA | {"equal": {"to": 1}}, "expected.equal must have at most 100 JSON pointers"),
        (SCHEMA | {"schema": 3}, "expected.schema must be an object, true or false."),
        (SCHEMA | {"schema": {"type": "text"}}, "expected.schema is no JSON Schema: 'text' is not valid"),
        (
            SCHEMA | {"schema": {"items": [{"$ref": "https://example.com/s.json"}]}},
            "expected.schema refers to 'https://example.com/s.json'; write what it needs into its $defs",
        ),
        (SCHEMA | {"schema": {"patternProperties": {}}}, "expected.schema has patternProperties"),
        (SCHEMA | {"schema": {"properties": {"a": {"pattern": "("}}}}, "expected.schema"),
        (TOOL | {"arguments": [1]}, "expected.arguments must be an object."),
    ],
)
def test_a_bad_document_is_refused(document, reason):
    with pytest.raises(Invalid) as refused:
        scorer_of(document)
    assert refused.value.reason.startswith(reason)


@pytest.mark.parametrize("target", ["#/$defs/none", "#"])
def test_a_schema_that_leads_nowhere_is_refused_when_it_is_used(target):
    scorer = scorer_of({"scorer": "json_schema", "schema": {"$ref": target}})
    with pytest.raises(Invalid, match="a \\$ref leads nowhere, or to itself") as refused:
        scorer.check(PromptAnswer(id="t", text="{}"))
    assert refused.value.code == "scorer_schema"


def test_a_scorer_has_the_digest_of_its_document():
    assert scorer_of(TOOL).digest == digest_of(TOOL)
    assert scorer_of(TOOL).digest != scorer_of(TOOL | {"allow_more": True}).digest
