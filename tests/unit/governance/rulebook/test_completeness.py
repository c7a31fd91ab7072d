"""Checklist items by scope, number and answer, whose they are, and those that do not apply."""

import pytest

from governance.rulebook.domain.checklists import ChecklistReply, parse_checklist
from governance.rulebook.domain.evaluation.completeness import completeness, is_complete
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.scopes import EvaluationSubject
from tests.unit.governance.rulebook.builders import NOW, metric_value
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD

SUBJECT = EvaluationSubject(team="search", tier="T1", environment="prod", kind="file", format="onnx", task="ranking")
CHOICE = {"id": "personal", "kind": "choice", "title": "Personal data?", "options": ["yes", "no"]}
TEXT = {"id": "plan", "kind": "text", "title": "Plan"}
LIMIT = {"metric": "training_gpu_hours", "comparator": "above", "limit": 100, "unit": "gpu_h", "accept": ["declared"]}


def parsed(*items):
    return parse_checklist(
        {"apiVersion": "weighbridge/v1", "kind": "ReviewChecklist", "name": "c", "title": "C", "items": list(items)}
    )


def statuses(*items, replies=(), values=(), waived=None, subject=SUBJECT):
    found = completeness(
        parsed(*items),
        subject=subject,
        answers=[ChecklistReply(item_id=name, answered_by="ann", answered_at=NOW, text=text) for name, text in replies],
        index=index_values(values, catalog=STANDARD),
        now=NOW,
        waived=waived or {},
    )
    return {status.item.id: status for status in found}


def test_an_item_is_shown_for_the_requests_of_its_scope():
    item = TEXT | {"shown_when": {"scope": {"tasks": ["ranking"]}}}
    other = {"id": "boxes", "kind": "text", "title": "Boxes", "shown_when": {"scope": {"tasks": ["detection"]}}}
    assert set(statuses(item, other)) == {"plan"}


@pytest.mark.parametrize(("hours", "is_shown"), [("101", True), ("100", False), (None, True)])
def test_an_item_by_number_is_shown_unless_the_number_speaks_against_it(hours, is_shown):
    item = TEXT | {"shown_when": {"limit": LIMIT}}
    values = [metric_value("training_gpu_hours", hours)] if hours else []
    assert ("plan" in statuses(item, values=values)) is is_shown


@pytest.mark.parametrize(("reply", "is_shown"), [("yes", True), ("no", False), (None, True)])
def test_an_item_by_answer_is_shown_unless_the_answer_speaks_against_it(reply, is_shown):
    item = TEXT | {"shown_when": {"answer": {"item": "personal", "one_of": ["yes"]}}}
    replies = [("personal", reply)] if reply else []
    found = statuses(CHOICE, item, replies=replies)
    assert ("plan" in found) is is_shown
    assert found["personal"].is_complete is bool(reply)


def test_an_answer_that_is_no_option_is_none():
    found = statuses(CHOICE, replies=[("personal", "perhaps")])
    assert (found["personal"].is_complete, found["personal"].reason) == (False, "The answer must be one of yes, no.")


def test_an_item_that_does_not_apply_is_complete_and_says_why():
    found = statuses(TEXT, waived={"plan": "The model has no users yet (Lea Lead)"})["plan"]
    assert (found.is_complete, found.is_waived) == (True, True)
    assert found.reason == "Not applicable: The model has no users yet (Lea Lead)"
    assert is_complete([found])


def test_an_item_that_always_applies_is_not_waived():
    found = statuses(TEXT | {"may_waive": False}, waived={"plan": "I said so"})["plan"]
    assert (found.is_complete, found.is_waived) == (False, False)


@pytest.mark.parametrize(
    ("items", "field", "words"),
    [
        ([CHOICE | {"options": ["yes"]}], "items[0].options", "2 options or more"),
        ([TEXT | {"options": ["yes", "no"]}], "items[0].options", "choice alone"),
        ([TEXT | {"answered_by": ["king"]}], "items[0].answered_by", "team, owner, requester"),
        (
            [TEXT | {"shown_when": {"answer": {"item": "personal", "one_of": ["yes"]}}}],
            "items[0].shown_when.answer",
            "listed before",
        ),
        (
            [CHOICE, TEXT | {"shown_when": {"answer": {"item": "personal", "one_of": ["perhaps"]}}}],
            "items[1].shown_when.answer",
            "options of personal: yes, no",
        ),
        (
            [CHOICE, TEXT | {"shown_when": {"answer": {"item": "personal", "one_of": []}}}],
            "items[1].shown_when.answer",
            "options of personal",
        ),
        ([TEXT | {"shown_when": {"limit": LIMIT | {"limit": "many"}}}], "items[0].shown_when.limit.limit", "a number"),
        (
            [TEXT | {"shown_when": {"limit": LIMIT | {"versus": {"reference": "peers", "measure": "percent"}}}}],
            "items[0].shown_when.limit.versus",
            "for rules",
        ),
        ([TEXT | {"shown_when": {"weather": "fine"}}], "items[0].shown_when.weather", "unknown"),
    ],
)
def test_faulty_items_are_refused_with_their_path(items, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        parsed(*items)
    assert refusal.value.field == field
