"""Alternatives: what counts as a measured variant, and how far the whole may be believed."""

from datetime import UTC, datetime

import pytest

from benchmarking.domain.alternatives import ALTERNATIVES, AlternativesWanted, wanted_from
from benchmarking.toolkit.alternatives import as_result, measure_alternatives
from benchmarking.toolkit.runners.limits import Limits
from benchmarking.toolkit.tradeoff.candidates import (
    SCHEMA,
    Answer,
    Candidate,
    Candidates,
    Measurement,
    Reason,
    VariantVerdict,
    candidates_from,
)
from governance.domain.plans import Variant
from governance.domain.refusals import Invalid
from tests.unit.benchmarking.toolkit import builders

NOW = datetime(2026, 11, 25, tzinfo=UTC)
BUSY = Reason("interference.load", "The machine was busy.")


def candidate(name, answer, status=None, *reasons):
    measurement = Measurement(status, reasons if answer is not Answer.FAILED else ()) if status else None
    said = reasons if answer is Answer.FAILED else ()
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
            candidates=(candidate("fp32", Answer.BASELINE, "valid"), *candidates),
        ),
        left_out=("FP16 is not tried.",),
    )


def test_variants_count_once_they_are_measured_well_enough():
    document = result(
        candidate("a", Answer.WORTH_IT, "valid"),
        candidate("b", Answer.SLOWER, "indicative", BUSY),
        candidate("c", Answer.NO_GAIN, "invalid", Reason("samples.too_few", "Too few.")),
        candidate("d", Answer.FAILED, None, Reason("run_crash", "It crashed.")),
        candidate("e", Answer.COSTS_QUALITY, "valid", BUSY),
    )
    assert document["metrics"]["alternatives_measured"] == {
        "value": 3, "lower": None, "upper": None, "confidence": None, "n": 1, "unit": "variants",
    }  # fmt: skip
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
    "others", [(), (candidate("d", Answer.FAILED, None, BUSY),), (candidate("x", Answer.NO_GAIN),)]
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
    from benchmarking.toolkit.optimise.recipes import RECIPES

    assert [str(variant) for variant in Variant] == [recipe.name for recipe in RECIPES]


def measure(tmp_path, **named):
    wanted = AlternativesWanted(variants=("int8-dynamic",), max_quality_drop=0.05, calibration_rows=512)
    return measure_alternatives(
        wanted, limits=Limits(), folder=tmp_path / "out", follow=(lambda share, doing: None, lambda: False),
        now=lambda: NOW, **named,
    )  # fmt: skip


def test_a_real_model_gets_a_real_variant_and_a_small_data_set_keeps_rows_to_test_on(tmp_path):
    model = builders.classifier(tmp_path / "m.onnx")
    document = measure(tmp_path, model=model, data=builders.data_set(tmp_path / "d.npz", rows=200))
    assert [each["name"] for each in document["candidates"]] == ["fp32", "int8-dynamic"]
    assert document["candidates"][0]["metrics"]["accuracy"]["n"] == 150
    assert document["manifest"]["model"]["digest"] == document["candidates"][0]["digest"]
    assert (tmp_path / "out" / "variants" / "int8-dynamic.onnx").exists() or document["metrics"] == {}


def test_too_few_rows_are_refused_in_words(tmp_path):
    model = builders.classifier(tmp_path / "m.onnx")
    with pytest.raises(Invalid, match="fewer than 100 show nothing"):
        measure(tmp_path, model=model, data=builders.data_set(tmp_path / "d.npz", rows=50))
