"""An imported result as one to be signed: what it must agree with, and what is signed of it."""

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.unit.toolkit.readers.files import only, sample
from weighbridge.core.attested_results import plan_digest
from weighbridge.core.errors import Invalid
from weighbridge.readers.attested import attested_result, chosen_part
from weighbridge.readers.imported_result import SubjectHint

BEGAN, ENDED = datetime(2026, 7, 20, 10, tzinfo=UTC), datetime(2026, 7, 20, 11, tzinfo=UTC)
PROFILE = "weighbridge_profile.json"
MODEL = "sha256:fc8ddaa0ef0d79403f1c2fa4f1a4a8d4764d726bc81adef1be0657edc91d8ad7"
DATA = "sha256:f2304a3ed165ef6a5a4334ee6bfabdbc32720716e09c0095ffab2efcc03c157b"
PLAN = {"request": "MRR-2026-0001", "subject": MODEL, "data": DATA}


def attested(plan=PLAN, result=None, **options):
    options = {"started_at": BEGAN, "finished_at": ENDED} | options
    return attested_result(result or only(PROFILE), plan=plan, **options)


def refusal(**options):
    with pytest.raises(Invalid) as refused:
        attested(**options)
    return refused.value.field, refused.value.reason


def test_the_metrics_of_the_catalog_are_signed_with_their_intervals():
    result = attested()
    assert (result.subject, result.data, result.plan) == (MODEL, DATA, plan_digest(PLAN))
    assert (result.tool, result.verdict) == ("Weighbridge", "indicative")
    assert (result.started_at, result.finished_at) == (BEGAN, ENDED)
    names = [metric.name for metric in result.metrics]
    assert "latency_p95_ms" in names
    assert "first_inference_ms" not in names
    accuracy = next(metric for metric in result.metrics if metric.name == "accuracy")
    assert (accuracy.value, accuracy.n, accuracy.confidence) == (Decimal("0.9"), 300, Decimal("0.95"))


def test_named_metrics_are_signed_alone_and_in_that_order():
    result = attested(metrics=("first_inference_ms", "accuracy"))
    assert [metric.name for metric in result.metrics] == ["first_inference_ms", "accuracy"]


def test_what_the_file_states_counts_before_what_is_given():
    stated = datetime(2026, 7, 19, tzinfo=UTC)
    result = dataclasses.replace(only(PROFILE), started_at=stated, tool_version="0.2")
    assert (attested(result=result).started_at, attested(result=result).tool) == (stated, "Weighbridge 0.2")


def test_a_file_that_names_no_data_claims_none():
    unnamed = dataclasses.replace(only(PROFILE), data=SubjectHint(), model=SubjectHint())
    assert attested(result=unnamed).data == ""
    assert attested(result=unnamed).subject == MODEL


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"plan": PLAN | {"subject": DATA}}, "plan", "The result is about"),
        ({"plan": PLAN | {"data": MODEL}}, "plan", "and the plan asks for"),
        ({"metrics": ("f2",)}, "metric", "The result has no f2; it has latency_p50_ms"),
        ({"started_at": None}, "started_at", "The file does not state started_at"),
        ({"finished_at": ENDED.replace(tzinfo=None)}, "finished_at", "must have a time zone"),
    ],
)
def test_what_does_not_agree_is_refused(options, field, words):
    place, reason = refusal(**options)
    assert place == field
    assert words in reason


def test_a_result_without_a_metric_of_the_catalog_needs_names():
    own = tuple(metric for metric in only(PROFILE).metrics if metric.name == "first_inference_ms")
    place, reason = refusal(result=dataclasses.replace(only(PROFILE), metrics=own))
    assert (place, reason[-36:]) == ("metric", "name some with --metric: first_inference_ms."[-36:])


def test_one_of_several_results_is_chosen_by_its_name():
    several = sample("weighbridge_compare.json")
    assert chosen_part(several, "n").part == "n"
    assert chosen_part([several[0]], None) == several[0]
    for part in (None, "z"):
        with pytest.raises(Invalid, match="name one with --part: m, n"):
            chosen_part(several, part)
