"""The signed statement of a result: whole, and refused with the path of each fault."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from weighbridge.core.attested_results import AttestedMetric, AttestedResult, parse_result, result_statement
from weighbridge.core.errors import Invalid

BEGAN, ENDED = datetime(2026, 7, 20, 10, tzinfo=UTC), datetime(2026, 7, 20, 11, tzinfo=UTC)
A, B = (f"sha256:{letter * 64}" for letter in "ab")
METRIC = AttestedMetric(name="latency_p95_ms", value=Decimal("41.5"), unit="ms", n=3000)
RESULT = AttestedResult(
    subject=A,
    plan=B,
    data="",
    tool="loadgen 5.0",
    started_at=BEGAN,
    finished_at=ENDED,
    verdict="valid",
    manifest={"machine": "8 x H200"},
    metrics=(METRIC,),
)
STATEMENT = json.loads(json.dumps(result_statement(RESULT, subject_name="MRR-2026-0001")))


def changed(place, value):
    """The statement with another value at a place, or without it."""
    statement = copy.deepcopy(STATEMENT)
    *path, last = place
    at = statement
    for key in path:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return statement


def test_a_statement_comes_back_whole():
    again = parse_result(STATEMENT)
    assert again == RESULT
    assert again.digest == RESULT.digest


@pytest.mark.parametrize("field", ["subject", "plan"])
def test_nothing_is_stated_without_a_digest(field):
    with pytest.raises(Invalid, match=f"The {field} has no SHA-256 digest") as refusal:
        result_statement(AttestedResult(**{**vars(RESULT), field: "sha256:x"}), subject_name="x")
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        (("_type",), "https://in-toto.io/Statement/v2", "_type"),
        (("predicateType",), "other", "predicateType"),
        (("more",), 1, "more"),
        (("subject",), [], "subject"),
        (("subject",), STATEMENT["subject"] * 2, "subject"),
        (("subject", 0, "digest", "sha256"), "ab", "subject[0].digest"),
        (("subject", 0, "digest", "sha512"), "ab", "subject[0].digest.sha512"),
        (("predicate", "plan"), ..., "predicate.plan"),
        (("predicate", "plan"), "sha256:AB", "predicate.plan"),
        (("predicate", "data"), "sha256:ab", "predicate.data"),
        (("predicate", "tool"), "x" * 201, "predicate.tool"),
        (("predicate", "started_at"), "yesterday", "predicate.started_at"),
        (("predicate", "started_at"), "2026-07-20T10:00:00", "predicate.started_at"),
        (("predicate", "finished_at"), 7, "predicate.finished_at"),
        (("predicate", "verdict"), "perfect", "predicate.verdict"),
        (("predicate", "manifest"), ["8 x H200"], "predicate.manifest"),
        (("predicate", "color"), "red", "predicate.color"),
        (("predicate", "metrics", 0, "value"), "fast", "predicate.metrics[0].value"),
        (("predicate", "metrics"), STATEMENT["predicate"]["metrics"] * 2, "predicate.metrics[1].name"),
    ],
)
def test_a_fault_is_refused_with_its_path(place, value, field):
    with pytest.raises(Invalid) as refusal:
        parse_result(changed(place, value))
    assert refusal.value.field == field
