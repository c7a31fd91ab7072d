"""The result of a device: the statistics of `profile`, and what its verdict doubts."""

import base64

import numpy as np
import pytest

from tests.unit.toolkit import builders
from tests.unit.toolkit.systems.device.sessions import body_of, job_of, reference_of, report_of, session_in, times
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.results.raw_samples import altered_metrics
from weighbridge.statistics.percentile_intervals import serial_percentile_interval
from weighbridge.systems.device.session import Session


def result_of(session, **changes):
    run = session.begin()["run"]
    session.monotonic.now_ns += 60  # seconds, for this clock
    return session.accept(body_of(report_of(session, run, **changes)))


def codes(document) -> dict[str, str]:
    return {reason["code"]: reason["status"] for reason in document["verdict"]["reasons"]}


def test_the_percentiles_are_those_of_the_samples_by_the_method_of_profile(tmp_path):
    document = result_of(session_in(tmp_path))
    samples = np.array(document["samples"]["latency_ns"]) / 1e6
    for name, p in {"latency_p50_ms": 0.5, "latency_p95_ms": 0.95, "latency_p99_ms": 0.99}.items():
        expected, found = serial_percentile_interval(samples, p), document["metrics"][name]
        assert (found["value"], found["lower"], found["upper"]) == (expected.value, expected.lower, expected.upper)
    assert list(altered_metrics(document)) == []
    assert document["metrics"]["load_time_ms"]["value"] == 12.5
    assert document["metrics"]["first_inference_ms"]["value"] == 3.5
    assert (document["verdict"]["status"], codes(document)) == ("valid", {})
    assert document["run"]["interference"] is None


def test_the_manifest_says_what_ran_where_and_that_nobody_attests_it(tmp_path):
    session = session_in(tmp_path)
    document = result_of(session)
    manifest = document["manifest"]
    assert seal_manifest(manifest)["digest"] == manifest["digest"]
    assert manifest["model"]["digest"] == session.job.file.digest
    assert manifest["engine"]["engine"] == "onnxruntime-web 1.30.0 wasm"
    assert manifest["isolation"] == "the browser of the device"
    assert manifest["machine"] == {
        "cpu": "not visible",
        "cpus_usable": 8,
        "memory_mb": 8_590,
        "os": "Android",
        "browser": "Chrome 140",
        "is_mobile": True,
    }
    notes = {note["code"]: note["message"] for note in document["notes"]}
    assert "nobody attests" in notes["device.unattested"]
    assert notes["device.battery"] == "The device ran on its battery: 90% at the start, 88% at the end."
    assert "seed 20260101" in manifest["inputs"]["origin"]


def test_a_browser_that_tells_less_leaves_less(tmp_path):
    session = session_in(tmp_path)
    report = report_of(session, session.begin()["run"], battery=None, pressure=None)
    report["device"] |= {"memory_gb": None, "is_isolated": False}
    document = session.accept(body_of(report))
    assert document["manifest"]["machine"]["memory_mb"] == "not visible"
    notes = {note["code"] for note in document["notes"]}
    assert notes == {"device.unattested", "device.battery", "device.not_isolated"}
    assert document["device"]["battery"] is None


def test_a_device_that_charges_needs_no_note(tmp_path):
    document = result_of(session_in(tmp_path), battery={"first": 1, "last": 1, "is_charging": True})
    assert {note["code"] for note in document["notes"]} == {"device.unattested"}


def test_wrong_answers_make_the_result_invalid(tmp_path):
    session = session_in(tmp_path)
    report = report_of(session, session.begin()["run"])
    zeros = base64.b64encode(np.zeros(3, dtype="<f4").tobytes()).decode()
    for answer in report["answers"]:
        answer["y"]["data"] = zeros
    document = session.accept(body_of(report))
    assert codes(document) == {"agreement.answers": "invalid"}
    assert document["verdict"]["status"] == "invalid"
    assert document["agreement"]["is_within"] is False


def test_short_queries_are_timed_in_blocks_and_the_verdict_says_so(tmp_path):
    block = times(*np.random.default_rng(1).normal(0.2, 0.004, 800))
    document = result_of(session_in(tmp_path), latencies=block, block=40, duration_ms=200.0)
    assert codes(document) == {"clock.blocks": "indicative"}
    assert document["metrics"]["latency_p50_ms"]["value"] == pytest.approx(0.005, rel=0.01)
    assert document["by_size"] is None


def test_a_coarse_clock_is_doubted(tmp_path):
    document = result_of(session_in(tmp_path), resolution_ms=1.0)
    assert codes(document) == {"clock.coarse": "indicative"}


def test_pressure_on_the_processors_is_doubted(tmp_path):
    assert codes(result_of(session_in(tmp_path), pressure="critical")) == {"device.pressure": "indicative"}
    assert codes(result_of(session_in(tmp_path), pressure="fair")) == {}


def test_a_device_that_slows_down_throttles(tmp_path):
    rng = np.random.default_rng(2)
    slowing = np.concatenate([rng.normal(2.0, 0.01, 500), rng.normal(3.0, 0.01, 400)])
    found = codes(result_of(session_in(tmp_path), latencies=times(*slowing), duration_ms=2_300.0))
    assert found["device.throttling"] == "indicative"
    assert found["stability.level_shift"] == "indicative"


def test_few_samples_cannot_bound_the_headline(tmp_path):
    document = result_of(session_in(tmp_path), latencies=times(*[2.0] * 20), duration_ms=41.0)
    assert codes(document)["samples.too_few"] == "invalid"
    assert {each["metric"] for each in document["missing"]} >= {"latency_p95_ms", "peak_memory_mb"}


def test_a_warm_up_that_did_not_settle_is_doubted(tmp_path):
    warm_up = {"inferences": 40, "duration_ms": 100.0, "values_ms": [9.0, *[2.0] * 39]}
    assert codes(result_of(session_in(tmp_path), warm_up=warm_up)) == {"stability.warmup": "indicative"}


def test_queries_of_different_sizes_have_percentiles_by_size(tmp_path):
    values = np.ones(12 + 200, dtype=np.float32)
    shapes = np.array([[1, 2, 3], [1, 2, 3], [1, 20, 10]])
    np.savez(tmp_path / "d.npz", **{"x0.values": values, "x0.shapes": shapes})
    model = builders.identity(tmp_path / "m.onnx", shape=["n", "h", "w"])
    job = job_of(model, tmp_path / "d.npz")
    session = Session(job, reference_of(job), "1.30.0", monotonic=builders.Clock())
    document = result_of(session)
    assert [(size["values_min"], size["values_max"]) for size in document["by_size"]] == [(6, 6), (200, 200)]
    assert sum(size["n"] for size in document["by_size"]) == 800
