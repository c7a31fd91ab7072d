"""A profile in this process, from file to result."""

from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarking.toolkit import profile as profiling
from benchmarking.toolkit.measure import latency
from benchmarking.toolkit.measure.inputs import DataSet, InputSpec
from benchmarking.toolkit.measure.latency import LatencyRun
from benchmarking.toolkit.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from benchmarking.toolkit.measure.warmup import WarmUpReport
from benchmarking.toolkit.profile import ModelFailed, model_failure, prepare_queries, profile
from governance.domain.refusals import Invalid
from tests.unit.benchmarking.toolkit import builders

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def settings(samples=700):
    warmup = WarmUp(value_ms=0.0, max_duration_s=0.2)
    return ProfileSettings(
        scenario=SingleStream(min_samples=samples, min_duration_s=0.0, warmup=warmup), bootstraps=100
    )


def measure(model, data=None, samples=700):
    steps = []
    result = profile(
        model=model, settings=settings(samples), data=data, on_progress=lambda *step: steps.append(step), now=NOW
    )
    return result, steps


def test_a_classifier_with_data(tmp_path):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    result, steps = measure(model, data)
    assert (result["schema"], result["measured_at"]) == ("weighbridge.result/1", "2026-11-01T12:00:00+00:00")
    assert (result["scenario"], result["headline"]) == ("SingleStream", "latency_p95_ms")
    assert set(result["metrics"]) == {
        "latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s", "error_rate", "load_time_ms",
        "first_inference_ms", "model_size_mb", "parameters", "peak_memory_mb", "peak_memory_delta_mb", "accuracy", "f1_macro",
    }  # fmt: skip
    accuracy = result["metrics"]["accuracy"]
    assert (accuracy["value"], accuracy["n"], accuracy["unit"], accuracy["confidence"]) == (0.9, 300, "ratio", 0.95)
    assert np.trace(result["confusion"]) == 270
    assert result["metrics"]["parameters"]["value"] == 12
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


def test_a_model_without_data_is_asked_drawn_rows(tmp_path):
    result, _ = measure(builders.identity(tmp_path / "m.onnx", shape=["n", 3], inputs=2), samples=140)
    assert result["manifest"]["inputs"]["origin"] == "64 rows drawn from the declared shapes, seed 20260101"
    assert (result["confusion"], result["manifest"]["data"]) == (None, None)
    assert [entry["metric"] for entry in result["missing"]] == ["latency_p99_ms"]
    assert "latency_p99_ms" not in result["metrics"]


def test_free_dimensions_make_a_result_indicative(tmp_path):
    result, _ = measure(builders.identity(tmp_path / "m.onnx", shape=["n", "length"]), samples=140)
    assert "environment.inputs" in [reason["code"] for reason in result["verdict"]["reasons"]]


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
    with pytest.raises(ModelFailed, match=r"failed on rows 64 to 99 of the data set"):
        measure(builders.gatherer(tmp_path / "m.onnx"), tmp_path / "d.npz", samples=140)


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
        profile(
            model=builders.classifier(tmp_path / "m.onnx"), settings=settings(), data=None, on_progress=stop, now=NOW
        )


def test_long_runs_tell_how_far_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(latency, "TICK_NS", 10_000)
    _, steps = measure(builders.classifier(tmp_path / "m.onnx"), samples=140)
    measured = [share for share, doing in steps if doing == "measuring latency"]
    assert {doing for _, doing in steps} >= {"warming up", "measuring latency"}
    assert all(0.05 <= share <= 0.97 for share in measured)


def test_many_rows_are_cut_to_a_seeded_choice(monkeypatch):
    monkeypatch.setattr(profiling, "MAX_DISTINCT_INPUTS", 5)
    x = np.arange(100, dtype=np.float32).reshape(100, 1)
    specs = [InputSpec("x", "float32", ("n", 1))]
    rows = [
        float(feed["x"][0, 0])
        for feed in prepare_queries(specs, DataSet(x, np.zeros(100, dtype=np.int64)), seed=3).feeds
    ]
    again = prepare_queries(specs, DataSet(x, np.zeros(100, dtype=np.int64)), seed=3).feeds
    assert (len(set(rows)), rows) == (5, [float(feed["x"][0, 0]) for feed in again])


def test_many_samples_are_kept_thinned():
    run = LatencyRun(np.arange(50_001), {}, 1.0, 1, WarmUpReport(0, 0.0, is_settled=True))
    kept = profiling._samples(run)
    assert (kept["stride"], len(kept["latency_ns"]), kept["latency_ns"][:3]) == (3, 16_667, [0, 3, 6])


def test_memory_that_the_kernel_does_not_tell_is_left_out(tmp_path, monkeypatch):
    model = builders.classifier(tmp_path / "m.onnx")
    monkeypatch.setattr(profiling.memory, "resident_bytes", lambda: None)
    found = set(measure(model, samples=140)[0]["metrics"])
    assert "peak_memory_mb" in found
    assert "peak_memory_delta_mb" not in found
    monkeypatch.setattr(profiling.memory, "peak_bytes", lambda: None)
    assert "peak_memory_mb" not in measure(model, samples=140)[0]["metrics"]


def test_running_out_of_memory_has_a_code_of_its_own():
    assert model_failure("here", MemoryError()).code == "model_memory"
    assert model_failure("here", RuntimeError("Failed to allocate")).code == "model_memory"
    assert model_failure("here", RuntimeError("x")).reason == "The model failed here (RuntimeError: x)."
