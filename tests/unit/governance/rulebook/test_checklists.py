from datetime import timedelta

import pytest
import yaml

from governance.rulebook.domain import defaults
from governance.rulebook.domain.checklists import ChecklistReply, ItemKind, parse_checklist
from governance.rulebook.domain.evaluation.completeness import completeness, is_complete
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.policy import parse_policy
from governance.rulebook.domain.scopes import EvaluationSubject
from tests.unit.governance.rulebook.builders import BEFORE, DIGEST, NOW, metric_value
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD

METRIC = {"id": "speed", "kind": "metric", "title": "Speed", "metrics": ["latency_p95_ms"], "accept": ["measured"]}
STUDY = {"id": "ab", "kind": "study", "title": "A/B test", "studies": ["experiment", "sweep"]}
TEXT = {"id": "why", "kind": "text", "title": "Why", "min_length": 5}


def document(*items, **fields):
    return {
        "apiVersion": "weighbridge/v1",
        "kind": "ReviewChecklist",
        "name": "standard",
        "title": "Standard",
        "items": list(items),
        **fields,
    }


SUBJECT = EvaluationSubject(team="search", tier="T1", environment="prod", kind="file", task="classification")


def status_of(item, *, answers=(), metric_values=()):
    (status,) = statuses_of(parse_checklist(document(item)), answers=answers, metric_values=metric_values)
    return status


def statuses_of(checklist, *, answers=(), metric_values=()):
    index = index_values(metric_values, catalog=STANDARD)
    return completeness(checklist, subject=SUBJECT, answers=answers, index=index, now=NOW)


def answer(item_id="why", **fields):
    return ChecklistReply(**{"item_id": item_id, "answered_by": "ada", "answered_at": BEFORE, **fields})


def test_a_document_becomes_a_checklist():
    source = document(METRIC, TEXT | {"help": "Say it.", "required": False})
    checklist = parse_checklist(source)
    assert (checklist.name, checklist.title, checklist.digest) == ("standard", "Standard", digest_of(source))
    metric, text = checklist.items
    assert (metric.kind, metric.metrics, metric.accept) == (
        ItemKind.METRIC,
        ("latency_p95_ms",),
        (Basis.MEASURED, Basis.BILLED),
    )
    assert (text.help, text.required, text.min_length, text.accept) == ("Say it.", False, 5, ())


@pytest.mark.parametrize(
    ("items", "field", "words"),
    [
        ([], "items", "must have at least one item"),
        ([TEXT, TEXT], "items[1].id", "repeats 'why'"),
        ([METRIC | {"metrics": []}], "items[0].metrics", "is missing"),
        ([METRIC | {"accept": []}], "items[0].accept", "is missing"),
        ([METRIC | {"accept": ["rumored"]}], "items[0].accept", "may list only"),
        ([TEXT | {"metrics": ["accuracy"]}], "items[0].metrics", "is allowed only for metric and cost items"),
        ([TEXT | {"accept": ["measured"]}], "items[0].accept", "is allowed only for metric and cost items"),
        ([TEXT | {"kind": "poem"}], "items[0].kind", "must be one of metric"),
        ([TEXT | {"needed": True}], "items[0].needed", "unknown"),
        ([STUDY | {"studies": []}], "items[0].studies", "must list kinds of studies"),
        ([STUDY | {"studies": ["rumor"]}], "items[0].studies", "contains 'rumor'. Use load_test"),
        ([TEXT | {"studies": ["sweep"]}], "items[0].studies", "for an item of the kind study alone"),
        ([STUDY | {"metrics": ["accuracy"]}], "items[0].metrics", "is allowed only for metric and cost items"),
    ],
)
def test_faulty_documents_are_refused_with_their_path(items, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        parse_checklist(document(*items))
    assert refusal.value.field == field


def test_unknown_keys_of_the_document_are_refused():
    with pytest.raises(Invalid, match="version is unknown"):
        parse_checklist(document(TEXT, version=2))


measured = metric_value("latency_p95_ms", "12", basis=Basis.MEASURED)


@pytest.mark.parametrize(
    ("metric_values", "complete", "why"),
    [
        ([measured], True, "Every metric has a value of an accepted basis."),
        ([], False, "Still open: Latency p95 needs a measured or billed value."),
        (
            [metric_value("latency_p95_ms", "12")],
            False,
            "Still open: Latency p95 needs a measured or billed value.",
        ),
        (
            [metric_value("latency_p95_ms", "12", basis=Basis.MEASURED, valid_until=NOW)],
            False,
            "Still open: the value of Latency p95 expired on 2026-10-05.",
        ),
        (
            [metric_value("latency_p95_ms", "12", basis=Basis.MEASURED, unit="s")],
            False,
            "Still open: Latency p95 needs a measured or billed value.",
        ),
    ],
)
def test_metric_items_are_answered_by_facts_alone(metric_values, complete, why):
    status = status_of(METRIC, metric_values=metric_values, answers=[answer("speed", text="It is fast, believe me.")])
    assert (status.is_complete, status.reason) == (complete, why)
    assert status.metric_values == (tuple(metric_values) if complete else ())


def test_every_fact_of_an_item_is_needed():
    item = METRIC | {"kind": "cost", "metrics": ["latency_p95_ms", "training_cost_usd"], "accept": ["declared"]}
    status = status_of(item, metric_values=[measured])
    assert status.is_complete is False
    assert status.metric_values == (measured,)
    assert (
        "Training cost needs a declared or estimated or derived or attested or measured or billed value"
        in status.reason
    )


@pytest.mark.parametrize(
    ("kind", "fields", "complete"),
    [
        ("text", {"text": "12345"}, True),
        ("text", {"text": " 1234 "}, False),
        ("file", {"file_digest": DIGEST}, True),
        ("file", {"file_digest": "abc", "text": "12345"}, False),
        ("attestation", {"attested_by": "ada"}, True),
        ("attestation", {"text": "12345"}, False),
    ],
)
def test_other_items_are_answered_by_a_person(kind, fields, complete):
    status = status_of(TEXT | {"kind": kind}, answers=[answer(**fields)])
    assert status.is_complete is complete
    assert (status.reason == "Answered by ada.") is complete


def test_of_several_answers_the_latest_counts():
    long, short = answer(text="long enough"), answer(text="no", answered_at=BEFORE + timedelta(hours=1))
    assert status_of(TEXT, answers=[short, long]).is_complete is False
    assert status_of(TEXT, answers=[long]).is_complete is True
    assert status_of(TEXT).reason == "This item has no answer yet."


def test_only_required_items_must_be_complete():
    checklist = parse_checklist(document(TEXT, TEXT | {"id": "extra", "required": False}))
    open_statuses = statuses_of(checklist)
    done = statuses_of(checklist, answers=[answer(text="12345")])
    assert [status.is_complete for status in done] == [True, False]
    assert (is_complete(open_statuses), is_complete(done)) == (False, True)


def test_the_default_checklist_asks_what_the_review_needs():
    checklist = parse_checklist(yaml.safe_load(defaults.text_of(defaults.CHECKLIST)))
    policy = parse_policy(yaml.safe_load(defaults.text_of(defaults.POLICY)))
    assert policy.checklist == checklist.name
    assert {item.id: (item.kind.value, item.required) for item in checklist.items} == {
        "business-metrics": ("metric", True),
        "performance-latency": ("metric", True),
        "performance-latency-elsewhere": ("metric", True),
        "performance-quality": ("metric", True),
        "quality": ("text", True),
        "cost-training": ("cost", True),
        "cost-one-year": ("cost", True),
        "cheaper-alternatives": ("text", True),
        "owner-and-rollback": ("text", True),
        "rollback-rehearsed": ("attestation", True),
        "data-sheet": ("file", False),
    }
    costs = {name for item in checklist.items if item.kind is ItemKind.COST for name in item.metrics}
    assert costs == {"training_cost_usd", "training_gpu_hours", "inference_cost_1y_usd", "total_cost_1y_usd"}


def test_a_study_item_is_answered_by_a_study_of_its_kinds_alone():
    checklist, index = parse_checklist(document(STUDY)), index_values((), catalog=STANDARD)
    assert not checklist.items[0].kind.is_answered_by_people

    def found(**given):
        (status,) = completeness(
            checklist, subject=SUBJECT, answers=[answer("ab", text="Yes.")], index=index, now=NOW, **given
        )
        return status.is_complete, status.reason

    assert found() == (False, "Still open: A/B test or Sweep.")
    assert found(studies={"device": "a device"}) == (False, "Still open: A/B test or Sweep.")
    assert found(studies={"sweep": "a sweep", "experiment": "a test"}) == (True, "Answered by: a test; a sweep.")
