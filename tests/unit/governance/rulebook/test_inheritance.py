"""What a child inherits: answers to named text items alone, and only where the policy says so."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.rulebook.domain.checklists import ChecklistReply, parse_checklist
from governance.rulebook.domain.evaluation.completeness import completeness
from governance.rulebook.domain.evaluation.inheritance import PASSING, Inheritance, InheritedItem
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.policy import parse_policy
from governance.rulebook.domain.policy_diff import diff
from governance.rulebook.domain.scopes import EvaluationSubject
from tests.factories.policies import LEAN
from tests.unit.governance.rulebook.builders import NOW, metric_value
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.subjects.lineage import Relation, Statement

SUBJECT = EvaluationSubject(team="search", tier="T1", environment="prod", kind="file", format="onnx", task="ranking")
ITEMS = [
    {"id": "personal", "kind": "choice", "title": "Personal data?", "options": ["yes", "no"]},
    {"id": "license", "kind": "text", "title": "License", "min_length": 5},
    {"id": "safety", "kind": "text", "title": "Safety", "answered_by": ["data_steward"]},
    {"id": "words", "kind": "text", "title": "Why", "shown_when": {"answer": {"item": "personal", "one_of": ["yes"]}}},
    {"id": "rehearsed", "kind": "attestation", "title": "Rehearsed"},
    {"id": "sheet", "kind": "file", "title": "Sheet"},
    {"id": "speed", "kind": "metric", "title": "Speed", "metrics": ["latency_p95_ms"], "accept": ["measured"]},
]
NAMES = [item["id"] for item in ITEMS]
CHECKLIST = parse_checklist(
    {"apiVersion": "weighbridge/v1", "kind": "ReviewChecklist", "name": "c", "title": "C", "items": ITEMS}
)


def reply(item, text="It is MIT.", inherited_from=""):
    return ChecklistReply(
        item_id=item,
        answered_by="ann",
        answered_at=NOW,
        text=text,
        file_digest="sha256:" + "0" * 64,
        attested_by="ann",
        inherited_from=inherited_from,
    )


def statuses(answers=(), inherited=(), values=()):
    found = completeness(
        CHECKLIST,
        subject=SUBJECT,
        answers=answers,
        index=index_values(values, catalog=STANDARD),
        now=NOW,
        inherited=inherited,
    )
    return {status.item.id: status for status in found}


def policy(**section):
    return parse_policy(yaml.safe_load(LEAN) | ({"inheritance": section} if section else {}))


def test_nothing_is_inherited_by_default():
    assert policy().inheritance == Inheritance()
    assert policy().inheritance.fields == {"items": "none"}


def test_named_items_are_read_and_differences_are_shown():
    items = [{"item": "license", "statement": "license"}, {"item": "origin", "statement": "provenance"}]
    found = policy(items=items)
    assert found.inheritance.items == (
        InheritedItem("license", Statement.LICENSE),
        InheritedItem("origin", Statement.PROVENANCE),
    )
    assert [each.item for each in found.inheritance.items_through(Relation.TRAINED_ON)] == ["license"]
    assert [each.item for each in found.inheritance.items_through(Relation.QUANTIZED_FROM)] == ["license", "origin"]
    texts = [each.words for each in diff(policy(), found)]
    assert any("license (license), origin (provenance)" in text for text in texts)


@pytest.mark.parametrize("statement", sorted(set(Statement) - set(PASSING)))
def test_what_was_measured_or_decided_never_passes_on(statement):
    with pytest.raises(Invalid, match="is about the parent alone") as refusal:
        policy(items=[{"item": "quality", "statement": statement.value}])
    assert refusal.value.field == "inheritance.items[0].statement"


@pytest.mark.parametrize(
    "section",
    [
        {"items": [{"item": "a", "statement": "license"}] * 2},
        {"items": [{"item": "a", "statement": "license", "more": 1}]},
        {"items": [], "metrics": ["accuracy"]},
        {"items": [], "votes": True},
    ],
)
def test_the_section_is_strict(section):
    with pytest.raises(Invalid):
        policy(**section)


def test_an_inherited_answer_says_where_it_is_from():
    found = statuses(inherited=[reply("license", inherited_from="AUT-1 under policy default 1")])["license"]
    assert (found.is_complete, found.reason) == (True, "Inherited from AUT-1 under policy default 1.")
    assert found.inherited is not None


@given(
    st.lists(st.builds(reply, st.sampled_from(NAMES), st.sampled_from(["yes", "no", "", "It is MIT."])), max_size=6),
    st.lists(st.builds(reply, st.sampled_from(NAMES), st.sampled_from(["yes", "no", "", "It is MIT."])), max_size=6),
    st.sampled_from([(), (metric_value("latency_p95_ms", "9"),)]),
)
def test_an_inherited_answer_completes_unanswered_text_items_of_the_team_and_changes_nothing_else(
    answers, inherited, values
):
    """So it never stands for a value, an attestation, a file or a choice, never hides an item, and an own answer that
    falls short is not repaired by it.
    """
    without, having = statuses(answers, values=values), statuses(answers, inherited, values=values)
    assert list(without) == list(having)
    changed = {name for name in without if without[name] != having[name]}
    assert changed <= {"license", "words"} - {each.item_id for each in answers}
    for name in changed:
        assert (without[name].is_complete, having[name].is_complete) == (False, True)
        assert having[name].inherited in inherited
