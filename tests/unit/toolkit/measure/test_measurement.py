"""A profile in this process, from file to result."""

import dataclasses
import os
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.unit.toolkit import builders
from weighbridge.core.errors import Invalid
from weighbridge.measure import measurement
from weighbridge.measure.inputs.columns import Ragged
from weighbridge.measure.inputs.data_set import DataSet, write_data_set
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.loops import arrivals, latency
from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.loops.warmup import WarmUpReport
from weighbridge.measure.results import document
from weighbridge.measure.scenarios import (
    MultiStream,
    Offline,
    ProfileSettings,
    RuntimeSettings,
    Server,
    SingleStream,
    WarmUp,
)
from weighbridge.measure.stopping import StopMeasurement
from weighbridge.quality.answers import AnswerSettings
from weighbridge.systems.engine_errors import ModelFailed, model_failure

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def settings(samples=700):
    warmup = WarmUp(value_ms=0.0, max_duration_s=0.2)
    return ProfileSettings(
        scenario=SingleStream(min_samples=samples, min_duration_s=0.0, warmup=warmup), bootstraps=100
    )


def measure(model, data=None, samples=700):
    steps = []
    result = builders.measured(
        model, settings=settings(samples), data=data, on_progress=lambda *step: steps.append(step), now=NOW
    )
    return result, steps


def test_a_classifier_with_data(tmp_path):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    result, steps = measure(model, data)
    assert (result["schema"], result["measured_at"]) == ("weighbridge.result/1", "2026-11-01T12:00:00+00:00")
    assert (result["scenario"], result["headline"]) == ("SingleStream", "latency_p95_ms")
    assert set(result["metrics"]) == {
        "latency_p50_ms",
        "latency_p95_ms",
        "latency_p99_ms",
        "throughput_per_s",
        "error_rate",
        "load_time_ms",
        "first_inference_ms",
        "model_size_mb",
        "parameters",
        "peak_memory_mb",
        "peak_memory_delta_mb",
        "accuracy",
        "f1_macro",
        "precision_macro",
        "recall_macro",
        "flops",
    }
    assert "roc_auc" in [entry["metric"] for entry in result["missing"]], "scores that add up to nothing have no order"
    accuracy = result["metrics"]["accuracy"]
    assert (accuracy["value"], accuracy["n"], accuracy["unit"], accuracy["confidence"]) == (0.9, 300, "ratio", 0.95)
    assert np.trace(result["confusion"]) == 270
    assert [entry["class"] for entry in result["per_class"]] == [0, 1, 2]
    assert result["metrics"]["parameters"]["value"] == 12
    assert result["metrics"]["flops"]["value"] == 2 * 4 * 3
    assert (result["is_partial"], result["limit"]) == (False, None)
    assert result["metrics"]["error_rate"]["value"] == 0.0
    assert result["metrics"]["latency_p50_ms"]["n"] == len(result["samples"]["latency_ns"]) == 700
    assert result["samples"]["stride"] == 1
    assert result["run"]["distinct_inputs"] == 300
    assert result["manifest"]["inputs"]["origin"] == "300 distinct rows of the data set"
    assert result["manifest"]["model"]["digest"].startswith("sha256:")
    assert result["manifest"]["data"]["digest"].startswith("sha256:")
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert steps[-1] == (1.0, "done")


def test_quality_on_degenerate_rows_is_void_and_speed_is_not(tmp_path):
    model, x = builders.classifier(tmp_path / "m.onnx"), np.ones((300, 4), np.float32)
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(300) % 3)
    result, _ = measure(model, tmp_path / "d.npz")
    quality = result["quality_verdict"]
    assert (quality["status"], [reason["code"] for reason in quality["reasons"]]) == ("invalid", ["quality.constant"])
    assert not {"accuracy", "f1_macro", "precision_macro", "recall_macro", "roc_auc"} & result["metrics"].keys()
    assert "latency_p95_ms" in result["metrics"]
    assert (result["confusion"], result["per_class"]) == (None, None)
    void = [entry for entry in result["missing"] if entry["message"].startswith("Void: ")]
    assert [entry["metric"] for entry in void] == ["accuracy", "precision_macro", "recall_macro", "f1_macro"]
    assert result["verdict"]["status"] != "valid"
    assert "All 300 rows have the same input." in [reason["message"] for reason in result["verdict"]["reasons"]]


def test_a_model_of_numbers_has_errors_and_no_confusion(tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", 1])
    x = np.linspace(1, 2, 300, dtype=np.float32)[:, None]
    np.savez(tmp_path / "d.npz", x=x, y=x[:, 0].astype(np.float64) + 0.25)
    result, _ = measure(model, tmp_path / "d.npz")
    assert result["metrics"]["mae"]["value"] == pytest.approx(0.25, abs=1e-6)
    assert {"rmse", "r2", "mape"} <= set(result["metrics"])
    assert "accuracy" not in result["metrics"]
    assert (result["confusion"], result["per_class"]) == (None, None)


def test_a_model_without_data_is_asked_drawn_rows(tmp_path):
    result, _ = measure(builders.identity(tmp_path / "m.onnx", shape=["n", 3], inputs=2), samples=140)
    assert result["manifest"]["inputs"]["origin"] == "64 rows drawn from the declared shapes, seed 20260101"
    assert (result["confusion"], result["manifest"]["data"]) == (None, None)
    missing = ["latency_p99_ms", "parameters", "flops", "energy_per_query_j"]
    assert [entry["metric"] for entry in result["missing"]] == missing
    assert "latency_p99_ms" not in result["metrics"]


def test_a_free_dimension_without_a_size_leaves_no_time(tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", "length"])
    result, steps = measure(model)
    assert [(reason["code"], reason["status"]) for reason in result["verdict"]["reasons"]] == [
        ("inputs.size", "invalid")
    ]
    assert "The free dimension length has no size" in result["verdict"]["reasons"][0]["message"]
    assert set(result["metrics"]) == {"load_time_ms", "model_size_mb"}
    missing = [entry["metric"] for entry in result["missing"]]
    assert missing == ["latency_p95_ms", "parameters", "flops"]
    assert (result["samples"], result["run"]["duration_s"]) == ({"latency_ns": [], "stride": 1}, 0.0)
    assert result["manifest"]["digest"].startswith("sha256:")
    assert steps[-1] == (1.0, "done")


def test_a_stated_size_is_measured_and_told(tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", "length"])
    stated = dataclasses.replace(settings(140), inputs=InputSettings(dims={"length": 7}))
    result = builders.measured(model, settings=stated, data=None, on_progress=lambda *_: None, now=NOW)
    assert "latency_p95_ms" in result["metrics"]
    assert result["manifest"]["inputs"]["origin"].endswith("drawn from the declared shapes, seed 20260101; length=7")
    assert result["manifest"]["settings"]["inputs"]["dims"] == {"length": 7}


def test_rows_of_different_sizes_have_latencies_by_size(tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", "length"])
    rows = Ragged.of([np.ones(1 + row % 8, dtype=np.float32) for row in range(40)])
    write_data_set(DataSet({"x": rows}, None), tmp_path / "d.npz")
    result, _ = measure(model, tmp_path / "d.npz")
    assert [(part["values_min"], part["values_max"]) for part in result["by_size"]] == [(1, 2), (3, 4), (5, 6), (7, 8)]
    assert sum(part["n"] for part in result["by_size"]) == 700
    assert all("latency_p95_ms" in part["metrics"] for part in result["by_size"])
    assert "flops" in [entry["metric"] for entry in result["missing"]]


def test_several_outputs_are_scored_by_name(tmp_path):
    x = np.random.default_rng(1).random((300, 4), dtype=np.float32)
    np.savez(tmp_path / "d.npz", x0=x, x1=x[:, ::-1].copy(), y=x.argmax(axis=1))
    model = builders.identity(tmp_path / "m.onnx", shape=["n", 4], inputs=2)
    unclear, _ = measure(model, tmp_path / "d.npz", samples=140)
    (reason,) = unclear["quality_verdict"]["reasons"]
    assert reason["code"] == "quality.not_scored"
    assert "several outputs (x0_out, x1_out); name the one to score with --output NAME" in reason["message"]
    assert ("latency_p95_ms" in unclear["metrics"], "accuracy" in unclear["metrics"]) == (True, False)
    with pytest.raises(Invalid, match="no output 'x2_out'; its outputs are x0_out, x1_out"):
        builders.measured(
            model,
            settings=dataclasses.replace(settings(), answers=AnswerSettings(output="x2_out")),
            data=tmp_path / "d.npz",
            on_progress=lambda *_: None,
            now=NOW,
        )
    accuracies = []
    for output in ("x0_out", "x1_out"):
        named = dataclasses.replace(settings(140), answers=AnswerSettings(output=output))
        result = builders.measured(model, settings=named, data=tmp_path / "d.npz", on_progress=lambda *_: None, now=NOW)
        accuracies.append(result["metrics"]["accuracy"]["value"])
    assert accuracies == [1.0, 0.0]


def test_a_state_is_carried_from_call_to_call(tmp_path):
    model = builders.counter(tmp_path / "m.onnx")
    stated = dataclasses.replace(settings(140), inputs=InputSettings(state={"state": "next"}))
    result = builders.measured(model, settings=stated, data=None, on_progress=lambda *_: None, now=NOW)
    assert "latency_p95_ms" in result["metrics"]
    assert "state from next" in result["manifest"]["inputs"]["origin"]


def test_a_model_with_a_batch_of_one_is_asked_row_by_row(tmp_path):
    model, data = (
        builders.classifier(tmp_path / "m.onnx", batch=1),
        builders.data_set(tmp_path / "d.npz", rows=40, wrong=4),
    )
    assert measure(model, data, samples=140)[0]["metrics"]["accuracy"]["value"] == 0.9


def test_a_model_that_fails_at_once_is_no_measurement(tmp_path):
    x = np.array([7, 7, 7])
    np.savez(tmp_path / "d.npz", x=x, y=x)
    with pytest.raises(ModelFailed, match="failed on its first inference") as refusal:
        measure(builders.gatherer(tmp_path / "m.onnx"), tmp_path / "d.npz")
    assert (refusal.value.code, refusal.value.field) == ("model_failed", "model")


def test_a_model_that_fails_on_some_rows_is_told_where(tmp_path):
    x = np.array([0] * 70 + [7] * 30)
    np.savez(tmp_path / "d.npz", x=x, y=np.zeros(100, dtype=int))
    result, _ = measure(builders.gatherer(tmp_path / "m.onnx"), tmp_path / "d.npz", samples=140)
    (reason,) = result["quality_verdict"]["reasons"]
    assert (reason["code"], reason["status"]) == ("quality.not_scored", "invalid")
    assert "failed on rows 64 to 99 of the data set" in reason["message"]
    assert "latency_p50_ms" in result["metrics"], "the times are kept"
    assert "accuracy" not in result["metrics"]


def test_answers_that_are_no_numbers_keep_the_times(tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", 2])
    np.savez(tmp_path / "d.npz", x=np.full((300, 2), np.nan, dtype=np.float32), y=np.arange(300) % 2)
    result, _ = measure(model, tmp_path / "d.npz")
    assert "latency_p95_ms" in result["metrics"]
    assert {"metric": "quality", "message": "Quality has no value: The model returned NaN or an infinite number."} in (
        result["missing"]
    )


def test_a_fixed_batch_is_refused_with_and_without_data(tmp_path):
    model = builders.classifier(tmp_path / "m.onnx", batch=8)
    for data in (None, builders.data_set(tmp_path / "d.npz")):
        with pytest.raises(Invalid) as refusal:
            measure(model, data)
        assert refusal.value.code == "model_batch"


def test_a_callback_that_raises_stops_the_run(tmp_path):
    def stop(_share, doing):
        if doing == "loading the model":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        builders.measured(
            builders.classifier(tmp_path / "m.onnx"), settings=settings(), data=None, on_progress=stop, now=NOW
        )


def test_long_runs_tell_how_far_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(latency, "TICK_NS", 10_000)
    _, steps = measure(builders.classifier(tmp_path / "m.onnx"), samples=140)
    measured = [share for share, doing in steps if doing == "measuring latency"]
    assert {doing for _, doing in steps} >= {"warming up", "measuring latency"}
    assert all(0.05 <= share <= 0.97 for share in measured)


def test_many_samples_are_kept_thinned():
    run = LatencyRun(np.arange(50_001), {}, 1.0, 1, WarmUpReport(0, 0.0, is_settled=True))
    kept = document._samples(run)
    assert (kept["stride"], len(kept["latency_ns"]), kept["latency_ns"][:3]) == (3, 16_667, [0, 3, 6])


def test_memory_that_the_kernel_does_not_tell_is_left_out(tmp_path, monkeypatch):
    model = builders.classifier(tmp_path / "m.onnx")
    monkeypatch.setattr(measurement.memory, "resident_bytes", lambda: None)
    found = set(measure(model, samples=140)[0]["metrics"])
    assert "peak_memory_mb" in found
    assert "peak_memory_delta_mb" not in found
    monkeypatch.setattr(measurement.memory, "peak_bytes", lambda: None)
    assert "peak_memory_mb" not in measure(model, samples=140)[0]["metrics"]


def test_running_out_of_memory_has_a_code_of_its_own():
    assert model_failure("here", MemoryError()).code == "model_memory"
    assert model_failure("here", RuntimeError("Failed to allocate")).code == "model_memory"
    assert model_failure("here", RuntimeError("x")).reason == "The model failed here (RuntimeError: x)."


def ends(doing_at, times=1):
    """A progress that asks for an end at the given phase."""
    left = [times]

    def follow(_share, doing):
        if doing == doing_at:
            left[0] -= 1
            if left[0] < 0:
                raise StopMeasurement

    return follow


@pytest.mark.parametrize(
    ("phase", "times", "cut"), [("measuring latency", 2, True), ("measuring quality", 1, True), ("done", 0, False)]
)
def test_a_run_that_is_asked_to_end_keeps_what_it_has(tmp_path, monkeypatch, phase, times, cut):
    monkeypatch.setattr(latency, "TICK_NS", 200_000)
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz", rows=3_000)
    result = builders.measured(model, settings=settings(), data=data, on_progress=ends(phase, times), now=NOW)
    assert result["is_partial"] is cut
    assert result["metrics"]["error_rate"]["n"] > 0
    assert ("accuracy" in result["metrics"]) is not cut
    assert ("accuracy" in [entry["metric"] for entry in result["missing"]]) is cut
    codes = [reason["code"] for reason in result["verdict"]["reasons"]]
    assert ("samples.partial" in codes) is (phase == "measuring latency")


def test_a_run_that_is_asked_to_end_before_it_began_has_no_result(tmp_path, monkeypatch):
    monkeypatch.setattr(latency, "TICK_NS", 1)
    with pytest.raises(ModelFailed, match="stopped before anything was measured") as refusal:
        builders.measured(
            builders.classifier(tmp_path / "m.onnx"),
            settings=settings(),
            data=None,
            on_progress=ends("warming up", 0),
            now=NOW,
        )
    assert refusal.value.code == "run_stopped"


def shaped(scenario, **changes):
    quick = {"min_duration_s": 0.0, "warmup": WarmUp(value_ms=0.0, max_duration_s=0.2)}
    return ProfileSettings(scenario=scenario(**{**quick, **changes}), bootstraps=100)


@pytest.mark.parametrize(
    ("wanted", "metric", "origin"),
    [
        (
            shaped(MultiStream, samples_per_query=4, min_samples=700),
            "latency_p99_ms",
            "75 distinct batches of 4 rows of the data set",
        ),
        (shaped(Offline, batch=8), "throughput_samples_per_s", "37 distinct batches of 8 rows of the data set"),
        (
            shaped(Offline, batch=8, concurrency=2),
            "throughput_samples_per_s",
            "37 distinct batches of 8 rows of the data set",
        ),
        (shaped(Server, rate_per_s=4_000, limit_ms=1_000), "response_time_p99_ms", "300 distinct rows of the data set"),
    ],
)
def test_every_scenario_has_its_headline(tmp_path, wanted, metric, origin):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    result = builders.measured(model, settings=wanted, data=data, on_progress=lambda *_: None, now=NOW)
    assert (result["scenario"], result["headline"]) == (wanted.scenario.NAME, metric)
    assert (
        result["metrics"][metric]["lower"] <= result["metrics"][metric]["value"] <= result["metrics"][metric]["upper"]
    )
    assert result["manifest"]["inputs"]["origin"] == origin
    assert result["metrics"]["accuracy"]["value"] == 0.9
    if isinstance(wanted.scenario, Server):
        assert result["limit"]["is_met"] is True
        assert "latency_p99_ms" not in result["metrics"]


def test_a_fixed_batch_answers_queries_of_its_size_and_whole_batches_of_the_data(tmp_path):
    model, data = builders.classifier(tmp_path / "m.onnx", batch=8), builders.data_set(tmp_path / "d.npz", wrong=296)
    result = builders.measured(
        model, settings=shaped(Offline, batch=8), data=data, on_progress=lambda *_: None, now=NOW
    )
    assert result["metrics"]["accuracy"]["n"] == 296
    assert result["metrics"]["accuracy"]["value"] == 0.0


def test_a_data_set_can_give_the_rows_alone(tmp_path):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    wanted = dataclasses.replace(settings(140), measures_quality=False)
    result = builders.measured(model, settings=wanted, data=data, on_progress=lambda *_: None, now=NOW)
    assert (result["confusion"], "accuracy" in result["metrics"]) == (None, False)
    assert result["run"]["distinct_inputs"] == 140


def test_an_estimate_of_energy_is_labeled(tmp_path):
    wanted = dataclasses.replace(settings(140), tdp_w=100.0)
    result = builders.measured(
        builders.classifier(tmp_path / "m.onnx"), settings=wanted, data=None, on_progress=lambda *_: None, now=NOW
    )
    assert result["metrics"]["energy_per_query_j"]["basis"] == "estimated"
    assert result["metrics"]["energy_per_query_j"]["value"] >= 0


def test_a_run_is_kept_on_its_processors_and_lets_them_go(tmp_path):
    before = os.sched_getaffinity(0)
    one = min(before)
    wanted = dataclasses.replace(settings(140), engine=RuntimeSettings(affinity=(one,)))
    seen = []
    result = builders.measured(
        builders.classifier(tmp_path / "m.onnx"),
        settings=wanted,
        data=None,
        now=NOW,
        on_progress=lambda *_: seen.append(os.sched_getaffinity(0)),
    )
    assert {one} in seen
    assert os.sched_getaffinity(0) == before
    assert result["manifest"]["settings"]["engine"]["affinity"] == [one]
    with pytest.raises(Invalid, match="may use only the processors") as refusal:
        builders.measured(
            tmp_path / "m.onnx",
            settings=dataclasses.replace(wanted, engine=RuntimeSettings(affinity=(9_999,))),
            data=None,
            on_progress=lambda *_: None,
            now=NOW,
        )
    assert refusal.value.field == "affinity"


def test_a_scenario_without_pauses_is_followed_but_not_probed(tmp_path, monkeypatch):
    monkeypatch.setattr(arrivals, "TICK_NS", 1_000_000)
    steps = []
    wanted = shaped(Server, rate_per_s=2_000, min_samples=200)
    builders.measured(
        builders.classifier(tmp_path / "m.onnx"),
        settings=wanted,
        data=None,
        now=NOW,
        on_progress=lambda *step: steps.append(step),
    )
    assert "measuring latency" in [doing for _, doing in steps]
