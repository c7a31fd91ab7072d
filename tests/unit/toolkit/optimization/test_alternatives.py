"""Alternatives: what counts as a measured variant, and how far the whole may be believed."""

import dataclasses
from datetime import UTC, datetime
from functools import partial

import pytest

from benchmarking.runs.domain.alternatives import wanted_from
from governance.rulebook.domain.benchmark_plans import VariantName
from tests.unit.toolkit import builders
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.scenarios import ProfileSettings, SingleStream
from weighbridge.optimization import alternatives
from weighbridge.optimization.alternatives import (
    ALTERNATIVES,
    AlternativesWanted,
    as_result,
    is_evidence,
    measure_alternatives,
)
from weighbridge.systems.sandbox.bubblewrap import ALWAYS, layers_here, uses_bubblewrap
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import RunCanceled
from weighbridge.tradeoff.candidates import (
    SCHEMA,
    Candidate,
    Candidates,
    Measurement,
    VariantAnswer,
    VariantVerdict,
    VerdictReason,
    candidates_from,
)

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CANDIDATES_KEYS = ("schema", *(field.name for field in dataclasses.fields(Candidates)))
BUSY = VerdictReason("interference.load", "The machine was busy.")


def candidate(name, answer, status=None, *reasons):
    measurement = Measurement(status, reasons if answer is not VariantAnswer.FAILED else ()) if status else None
    said = reasons if answer is VariantAnswer.FAILED else ()
    return Candidate(
        name=name,
        family="f",
        made_by="a test",
        metrics={},
        verdict=VariantVerdict(answer, said),
        measurement=measurement,
    )


def result(*candidates):
    return as_result(
        Candidates(
            measured_at=NOW.isoformat(),
            baseline="fp32",
            candidates=(candidate("fp32", VariantAnswer.BASELINE, "valid"), *candidates),
        ),
        left_out=("FP16 is not tried.",),
    )


def test_variants_count_once_they_are_measured_well_enough():
    document = result(
        candidate("a", VariantAnswer.WORTH_IT, "valid"),
        candidate("b", VariantAnswer.SLOWER, "indicative", BUSY),
        candidate("c", VariantAnswer.NO_GAIN, "invalid", VerdictReason("samples.too_few", "Too few.")),
        candidate("d", VariantAnswer.FAILED, None, VerdictReason("run_crash", "It crashed.")),
        candidate("e", VariantAnswer.COSTS_QUALITY, "valid", BUSY),
    )
    assert document["metrics"]["alternatives_measured"] == {
        "value": 3,
        "lower": None,
        "upper": None,
        "confidence": None,
        "n": 1,
        "unit": "variants",
    }
    assert document["verdict"] == {
        "status": "indicative",
        "reasons": [
            {"code": "interference.load", "message": "b, e: The machine was busy."},
            {"code": "samples.too_few", "message": "c: Too few."},
            {"code": "failed.run_crash", "message": "d: It crashed."},
        ],
    }
    assert (document["schema"], document["scenario"], document["left_out"]) == (
        SCHEMA,
        ALTERNATIVES,
        ["FP16 is not tried."],
    )
    assert len(candidates_from(document).candidates) == 6


@pytest.mark.parametrize(
    "others", [(), (candidate("d", VariantAnswer.FAILED, None, BUSY),), (candidate("x", VariantAnswer.NO_GAIN),)]
)
def test_where_nothing_was_measured_it_is_no_evidence(others):
    document = result(*others)
    assert (document["verdict"]["status"], document["metrics"]) == ("invalid", {})


def test_the_plan_of_a_run_says_what_is_wanted():
    plan = {
        "scenario": ALTERNATIVES,
        "variants": ["fp16"],
        "max_quality_drop": 0.02,
        "calibration_rows": 9,
        "hardware": "cpu",
    }
    assert wanted_from(plan) == AlternativesWanted(variants=("fp16",), max_quality_drop=0.02, calibration_rows=9)


def test_a_policy_can_name_what_the_toolkit_can_make():
    from weighbridge.optimization.recipes import RECIPES

    assert [str(variant) for variant in VariantName] == [recipe.name for recipe in RECIPES]


def test_fences_that_differ_are_all_told():
    one, two = (candidate(name, VariantAnswer.BASELINE, "valid") for name in "ab")
    found = Candidates(measured_at=NOW.isoformat(), baseline="a", candidates=(one, two))
    assert found.isolation() is None
    told = [dataclasses.replace(each, isolation=words) for each, words in ((one, "rlimits"), (two, "a wall"))]
    assert (
        dataclasses.replace(
            found, candidates=(*told, dataclasses.replace(one, name="c", isolation="rlimits"))
        ).isolation()
        == "rlimits; a wall"
    )


SHORT = ProfileSettings(scenario=SingleStream(min_duration_s=0.5), bootstraps=100)


@pytest.fixture
def short(monkeypatch):
    """Profiles take half a second instead of several."""
    monkeypatch.setattr(alternatives, "TrialSettings", partial(alternatives.TrialSettings, profile=SHORT))


def measure(tmp_path, **named):
    wanted = AlternativesWanted(variants=("int8-dynamic",), max_quality_drop=0.05, calibration_rows=512, family="mine")
    return measure_alternatives(
        wanted,
        limits=Limits(),
        folder=tmp_path / "out",
        follow=(lambda share, doing: None, lambda: False),
        now=lambda: NOW,
        **named,
    )


def test_a_real_model_gets_a_real_variant_and_a_small_data_set_keeps_rows_to_test_on(tmp_path):
    model = builders.classifier(tmp_path / "m.onnx")
    document = measure(tmp_path, model=model, data=builders.data_set(tmp_path / "d.npz", rows=200))
    assert [each["name"] for each in document["candidates"]] == ["fp32", "int8-dynamic"]
    assert document["candidates"][0]["metrics"]["accuracy"]["n"] == 150
    assert document["manifest"]["model"]["digest"] == document["candidates"][0]["digest"]
    (fence,) = {each["isolation"] for each in document["candidates"]}
    assert fence == document["manifest"]["isolation"]
    assert (fence.endswith(", ".join(ALWAYS)), uses_bubblewrap(fence)) == (True, layers_here().bubblewrap is not None)
    assert seal_manifest(document["manifest"])["digest"] == document["manifest"]["digest"]
    assert (tmp_path / "out" / "variants" / "int8-dynamic.onnx").exists() or document["metrics"] == {}


def test_too_few_rows_are_refused_in_words(tmp_path):
    model = builders.classifier(tmp_path / "m.onnx")
    with pytest.raises(Invalid, match="fewer than 100 show nothing"):
        measure(tmp_path, model=model, data=builders.data_set(tmp_path / "d.npz", rows=50))


def test_rivals_are_measured_beside_it_and_one_that_cannot_be_has_failed_alone(tmp_path, short):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz", rows=200)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model at all")
    rivals = {"other": builders.classifier(tmp_path / "other.onnx"), "broken": broken}
    document = measure(tmp_path, model=model, rivals=rivals, data=data)
    found = candidates_from({key: document[key] for key in CANDIDATES_KEYS})
    assert [each.name for each in found.candidates] == [
        "mine-fp32",
        "mine-int8-dynamic",
        "other-fp32",
        "other-int8-dynamic",
        "broken-fp32",
    ]
    assert (found.baseline, document["left_out"]) == ("mine-fp32", [])
    failed = found.named("broken-fp32")
    assert (failed.verdict.answer, failed.metrics) == (VariantAnswer.FAILED, {})
    assert failed.verdict.reasons[0].message
    assert any(each["message"].startswith("broken-fp32: ") for each in document["verdict"]["reasons"])
    counted = document["metrics"].get("alternatives_measured", {"value": 0})["value"]
    assert counted == int(is_evidence(found.named("mine-int8-dynamic"))), "variants of rivals do not count"
    assert sorted(document["manifest"]["families"]) == ["broken", "mine", "other"]
    assert document["manifest"]["model"]["digest"] == found.named("mine-fp32").digest
    assert (failed.isolation, found.isolation()) == (None, document["manifest"]["isolation"])
    assert found.named("other-int8-dynamic").isolation == found.isolation(), "rivals are strangers just as much"


def test_whoever_stops_the_run_stops_the_rivals_too(tmp_path, monkeypatch):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz", rows=200)
    asked = []

    def run(planned, **_):
        asked.append(planned.family)
        if len(asked) > 1:
            raise RunCanceled("It was stopped.")
        return Candidates(
            measured_at=NOW.isoformat(),
            baseline="fp32",
            candidates=(candidate("fp32", VariantAnswer.BASELINE, "valid"),),
        )

    monkeypatch.setattr(alternatives.series, "run", run)
    with pytest.raises(RunCanceled):
        measure(tmp_path, model=model, rivals={"a": model, "b": model}, data=data)
    assert len(asked) == 2


def test_progress_is_that_of_the_whole():
    told = []
    follow = alternatives._part((lambda share, doing: told.append((share, doing)), lambda: True), "resnet", 1, 4)
    follow[0](0.5, "measuring")
    assert (told, follow[1]()) == ([(0.375, "resnet, measuring")], True)


@pytest.mark.parametrize(
    ("count", "words"), [(1, "m0"), (3, "m0, m1, m2"), (4, "m0, m1, m2 and 1 more"), (12, "All 12 candidates")]
)
def test_a_doubt_names_its_candidates_in_one_line(count: int, words: str) -> None:
    assert alternatives._some_of([f"m{number}" for number in range(count)], total=12) == words
