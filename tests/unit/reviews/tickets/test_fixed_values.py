"""Fixed values of fields: each type is sent as Jira's documentation of fields says, and no other type at all."""

from typing import Any

import pytest

from reviews.tickets.domain.fixed_values import as_entered, as_sent, is_settable, refusal_of
from reviews.tickets.jira.fields import FILLED_BY_US
from reviews.tickets.ports import FieldChoice


def field(kind: str, *options: str, items: str = "") -> FieldChoice:
    return FieldChoice(id="customfield_1", name="Area", kind=kind, items=items, is_required=True, options=options)


@pytest.mark.parametrize(
    ("choice", "value", "sent"),
    [
        (field("string"), "x", "x"),
        (field("string", "x"), "x", "x"),
        (field("paragraph"), "x\ny", {"paragraph": "x\ny"}),
        (field("number"), 1.5, 1.5),
        (field("date"), "2027-01-01", "2027-01-01"),
        (field("option", "x"), "x", {"value": "x"}),
        (field("priority", "High"), "High", {"name": "High"}),
        (field("array", "x", items="component"), ["x"], [{"name": "x"}]),
        (field("array", "x", items="version"), ["x"], [{"name": "x"}]),
        (field("array", "x", "y", items="option"), ["x", "y"], [{"value": "x"}, {"value": "y"}]),
        (field("array", items="string"), ["x", "y"], ["x", "y"]),
    ],
    ids=lambda part: f"{part.kind}-{part.items}" if isinstance(part, FieldChoice) else "",
)
def test_a_value_is_sent_in_the_form_of_its_type(choice: FieldChoice, value: Any, sent: Any) -> None:
    assert is_settable(choice)
    assert as_sent(choice, value) == sent
    assert as_entered(sent) == value


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (field("user"), "of the type user"),
        (field("option"), "of the type option"),
        (field("option-with-child", "x"), "of the type option-with-child"),
        (field("datetime"), "of the type datetime"),
        (field("array", items="user"), "of the type list of user"),
        (field("array", "x", items="attachment"), "of the type list of attachment"),
        (field("array", items="component"), "of the type list of component"),
        (field("array", items="number"), "of the type list of number"),
        (field("array"), "of the type list of unknown"),
        (field(""), "of the type unknown"),
    ],
    ids=lambda part: f"{part.kind}-{part.items}-{len(part.options)}" if isinstance(part, FieldChoice) else "",
)
def test_another_type_is_refused_in_words(choice: FieldChoice, words: str) -> None:
    assert not is_settable(choice)
    assert words in refusal_of(choice)
    assert "Weighbridge cannot fill Area (customfield_1)" in refusal_of(choice)


def test_what_jira_or_weighbridge_fills_is_one_list() -> None:
    """A required attachment is not in it: nobody fills it when a ticket is opened."""
    assert {"project", "issuetype", "summary", "description", "labels", "reporter"} == FILLED_BY_US
