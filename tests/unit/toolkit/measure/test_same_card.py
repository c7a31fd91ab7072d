"""Figures of different graphics cards are never compared as if they were of one: checks, reruns, joined results."""

import json

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.measure import test_rerun as reruns
from tests.unit.toolkit.tradeoff.test_joined import profile
from weighbridge.api.checking import check
from weighbridge.measure.conditions.gpu.same_card import card_difference, name_of_card
from weighbridge.measure.studies.rerun import differences, rerun
from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.joined import joined
from weighbridge.tradeoff.recommendation import recommend
from weighbridge.tradeoff.requirements import Requirements

T4, L4, UNKNOWN = {"card": {"name": "NVIDIA T4"}}, {"card": {"name": "NVIDIA L4"}}, {"card": {"name": None}}
OTHER = "One was measured on NVIDIA T4, the other on NVIDIA L4, and figures of different cards are not compared."


def on(gpu, document):
    """Return a result as if it was measured on a card."""
    return document | {"manifest": document["manifest"] | ({"gpu": gpu} if gpu else {})}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (T4, T4, True),
        (T4, {"card": {"name": "NVIDIA T4", "uuid_hash": "another"}}, True),
        (None, None, True),
        (T4, L4, False),
        (T4, None, False),
        (None, L4, False),
        (UNKNOWN, UNKNOWN, False),
        (T4, UNKNOWN, False),
    ],
)
def test_cards_are_the_same_by_their_names_and_unknown_ones_never(one, other, is_same):
    manifests = [{"gpu": gpu} if gpu else {} for gpu in (one, other)]
    assert (card_difference(*manifests) == "") is is_same
    assert (card_difference(*reversed(manifests)) == "") is is_same


def test_a_document_without_a_manifest_has_no_card():
    assert card_difference(None, {}) == ""
    assert [name_of_card(each) for each in (None, {"gpu": UNKNOWN}, {"gpu": L4})] == [
        "no card",
        "a card whose name is not recorded",
        "NVIDIA L4",
    ]


def measured(gpu):
    metrics = {
        "latency_p95_ms": {"value": 10.0, "lower": 9.0, "upper": 11.0},
        "gpu_energy_per_query_j": {"value": 0.5},
        "accuracy": {"value": 0.9, "lower": 0.88, "upper": 0.92},
        "model_size_mb": {"value": 2.0},
    }
    return on(gpu, {"metrics": metrics, "manifest": {"machine": {}}})


@pytest.mark.parametrize("metric", ["latency_p95_ms", "gpu_energy_per_query_j"])
def test_a_baseline_of_another_card_cannot_tell(metric):
    condition = f"{metric} > 1.1 * baseline"
    assert check(measured(T4), [condition], baseline=measured(T4))["answer"] == "false"
    found = check(measured(L4), [condition], baseline=measured(T4))
    assert found["answer"] == "cannot_tell"
    assert OTHER in "".join(found.parts())


@pytest.mark.parametrize("condition", ["accuracy < baseline.lower", "model_size_mb > baseline", "latency_p95_ms > 50"])
def test_what_no_card_changes_is_compared_with_any_baseline(condition):
    assert check(measured(L4), [condition], baseline=measured(T4))["answer"] == "false"


def test_the_command_says_so_and_leaves_with_the_code_of_no_answer(tmp_path):
    for name, gpu in (("now", L4), ("kept", T4)):
        (tmp_path / f"{name}.json").write_text(json.dumps(measured(gpu)))
    words = ("result", "check", tmp_path / "now.json", "--fail-if", "latency_p95_ms > baseline", "--baseline")
    done = weighbridge(*words, tmp_path / "kept.json")
    assert (done.exit_code, OTHER in " ".join(done.output.split())) == (2, True)
    assert weighbridge(*words, tmp_path / "now.json").exit_code == 0


def test_a_rerun_on_another_card_cannot_tell_and_says_which():
    then, now = on(T4, reruns.result_of()), on(L4, reruns.result_of())
    found = rerun(then, lambda: now, margin=0.1)
    assert (found["answer"], found["reasons"]) == ("cannot_tell", [OTHER])
    assert found["differences"] == [{"condition": "card.name", "then": "NVIDIA T4", "now": "NVIDIA L4"}]
    assert rerun(then, lambda: on(T4, reruns.result_of()), margin=0.1)["answer"] == "equivalent"


def test_a_rerun_names_the_conditions_of_the_card_that_differ():
    first = {"gpu": {"card": {"name": "NVIDIA T4", "uuid_hash": "a", "driver": "570"}}}
    second = {"gpu": {"card": {"name": "NVIDIA T4", "uuid_hash": "b", "driver": "575"}}}
    assert [each["condition"] for each in differences(first, second)] == ["card.driver", "card.uuid_hash"]
    assert [each["condition"] for each in differences({}, second)] == ["card.driver", "card.name", "card.uuid_hash"]


def test_a_candidate_of_another_card_is_at_most_indicative():
    named = [("fp32", on(T4, profile(8.0))), ("int8", on(L4, profile(3.0))), ("fp16", on(T4, profile(4.0)))]
    fp32, int8, fp16 = joined(named).candidates
    assert (fp32.measurement.status, fp16.measurement.status) == (Status.VALID, Status.VALID)
    assert int8.measurement.status is Status.INDICATIVE
    assert [(reason.code, reason.message) for reason in int8.measurement.reasons] == [("gpu.other_card", OTHER)]


def test_a_recommendation_names_the_card():
    choice = joined([("fp32", on(T4, profile(8.0))), ("int8", on(T4, profile(3.0)))])
    assert "Measured on a test with NVIDIA T4; on the device itself speed and order may differ." in (
        recommend(choice, Requirements(())).not_known
    )
