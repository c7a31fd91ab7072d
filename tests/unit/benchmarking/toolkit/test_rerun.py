"""A run repeated from its manifest."""

import copy
import json

import pytest

from benchmarking.toolkit.measure.manifest import sealed
from benchmarking.toolkit.measure.model import digest_of_file
from benchmarking.toolkit.measure.scenarios import ProfileSettings, SingleStream
from benchmarking.toolkit.rerun import differences, rerun, settings_of
from governance.domain.refusals import Invalid

SETTINGS = ProfileSettings(scenario=SingleStream(min_samples=700))


@pytest.fixture
def files(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"model")
    (tmp_path / "d.npz").write_bytes(b"data")
    return tmp_path / "m.onnx", tmp_path / "d.npz"


def figure(value, spread=0.01):
    return {"value": value, "lower": value * (1 - spread), "upper": value * (1 + spread), "confidence": 0.99, "n": 900}


def result_of(model=None, data=None, *, p50=1.0, p95=2.0, status="valid", spread=0.01, libraries="1"):
    manifest = sealed(
        {
            "model": {"digest": digest_of_file(model)} if model else {},
            "data": {"digest": digest_of_file(data)} if data else None,
            "settings": SETTINGS.as_document(),
            "libraries": {"numpy": libraries, "onnx": "1"},
            "machine": {"cpu": "c"},
            "engine": {"engine": "onnxruntime"},
            "isolation": "none",
        }
    )
    metrics = {"latency_p50_ms": figure(p50, spread), "latency_p95_ms": figure(p95, spread), "model_size_mb": figure(3)}
    return {
        "schema": "weighbridge.result/1",
        "metrics": metrics,
        "verdict": {"status": status},
        "manifest": json.loads(json.dumps(manifest)),
    }


def test_the_settings_of_a_result_come_back(files):
    model, data = files
    assert settings_of(result_of(model), model=model, data=None) == SETTINGS
    assert settings_of(result_of(model, data), model=model, data=data) == SETTINGS


def test_other_files_are_refused(files):
    model, data = files
    cases = (
        (result_of(model), data, None, "model_other"),
        (result_of(model), model.with_name("none.onnx"), None, "model_missing"),
        (result_of(model, data), model, None, "data_missing"),
        (result_of(model), model, data, "data_missing"),
        (result_of(model, data), model, model, "data_other"),
        (result_of(), model, None, "result_form"),
    )
    for result, given_model, given_data, code in cases:
        with pytest.raises(Invalid) as refusal:
            settings_of(result, model=given_model, data=given_data)
        assert refusal.value.code == code


@pytest.mark.parametrize(
    "spoil",
    [
        lambda result: result.pop("manifest"),
        lambda result: result["manifest"].pop("model"),
        lambda result: result["manifest"].update(data="none"),
        lambda result: result.update(schema="weighbridge.result/2"),
        lambda result: result["manifest"]["machine"].update(cpu="another"),
    ],
)
def test_what_is_no_whole_result_is_refused(files, spoil):
    result = result_of(files[0])
    spoil(result)
    with pytest.raises(Invalid) as refusal:
        settings_of(result, model=files[0], data=None)
    assert refusal.value.code == "result_form"


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        ({"p50": 1.02}, "equivalent"),
        ({"p50": 1.5}, "different"),
        ({"p50": 1.0, "p95": 1.0}, "different"),
        ({"p50": 1.1}, "cannot_tell"),
        ({"spread": 0.5}, "cannot_tell"),
        ({"status": "invalid"}, "cannot_tell"),
    ],
)
def test_times_within_the_margin_are_equivalent(now, answer):
    then = result_of()
    found = rerun(then, lambda: result_of(**now), margin=0.1)
    assert found["answer"] == answer
    assert (found["schema"], found["is_partial"], found["repeats"]) == (
        "weighbridge.rerun/1", False, then["manifest"]["digest"],
    )  # fmt: skip
    assert [each["metric"] for each in found["figures"]] == ["latency_p50_ms", "latency_p95_ms"]
    assert found["reasons"] == (
        ["This run is no valid measurement, so nothing can be told from it."] if "status" in now else []
    )


def test_runs_without_a_common_percentile_tell_nothing():
    bare = result_of()
    bare["metrics"] = {}
    assert rerun(bare, result_of, margin=0.1)["reasons"] == ["The two results have no percentile in common."]
    unbounded = copy.deepcopy(result_of())
    for held in unbounded["metrics"].values():
        held["lower"] = None
    assert rerun(result_of(), lambda: unbounded, margin=0.1)["answer"] == "cannot_tell"


def test_facts_that_differ_are_listed():
    then, now = result_of()["manifest"], result_of(libraries="2")["manifest"]
    now["isolation"] = "bubblewrap"
    del now["machine"]["cpu"]
    assert differences(then, now) == [
        {"fact": "isolation", "then": "none", "now": "bubblewrap"},
        {"fact": "libraries.numpy", "then": "1", "now": "2"},
        {"fact": "machine.cpu", "then": "c", "now": None},
    ]
