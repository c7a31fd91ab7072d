"""A run repeated from its manifest."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.unit.toolkit import builders
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.measure.results.raw_samples import altered_metrics, percentiles_of
from weighbridge.measure.scenarios import ProfileSettings, Server, SingleStream, WarmUp
from weighbridge.measure.studies.rerun import differences, rerun, settings_of
from weighbridge.statistics.order_statistics import percentile

pytestmark = pytest.mark.slow

SETTINGS = ProfileSettings(scenario=SingleStream(min_samples=700))


@pytest.fixture
def files(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"model")
    (tmp_path / "d.npz").write_bytes(b"data")
    return tmp_path / "m.onnx", tmp_path / "d.npz"


def metric(value, spread=0.01):
    return {"value": value, "lower": value * (1 - spread), "upper": value * (1 + spread), "confidence": 0.99, "n": 900}


def samples_of(p50, p95, n, tail):
    """Latencies (ns) with about these percentiles, in an order that follows nothing."""
    shares = (np.arange(n) + 0.5) / n
    drawn = np.interp(shares, [0, 0.5, 0.95, 1], [p50 / tail, p50, p95, p95 * tail])
    return [int(each * 1e6) for each in np.random.default_rng(5).permutation(drawn)]


def result_of(model=None, data=None, *, p50=1.0, p95=2.0, status="valid", spread=0.01, libraries="1"):
    manifest = seal_manifest(
        {
            "model": {"digest": digest_of_file(model)} if model else {},
            "data": {"digest": digest_of_file(data)} if data else None,
            "settings": to_document(SETTINGS),
            "libraries": {"numpy": libraries, "onnx": "1"},
            "machine": {"cpu": "c"},
            "engine": {"engine": "onnxruntime"},
            "isolation": "none",
        }
    )
    # Wide intervals are those of few samples that scatter.
    latencies = samples_of(p50, p95, *((20_000, 1.1) if spread < 0.1 else (150, 4)))
    stated = {
        f"latency_p{p}_ms": metric(float(percentile(np.array(latencies) / 1e6, p / 100)), spread) for p in (50, 95)
    }
    metrics = {**stated, "model_size_mb": metric(3)}
    return {
        "schema": "weighbridge.result/1",
        "metrics": metrics,
        "samples": {"latency_ns": latencies, "stride": 1},
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
        "weighbridge.rerun/1",
        False,
        then["manifest"]["digest"],
    )
    assert [each["metric"] for each in found["metrics"]] == ["latency_p50_ms", "latency_p95_ms"]
    assert found["reasons"] == (
        ["This run is not a valid measurement, so it cannot be compared."] if "status" in now else []
    )


NOTHING_IN_COMMON = ["The two results have no common percentile with raw samples."]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"metrics": {}},
        {"metrics": None},
        {"metrics": {"latency_p50_ms": 1}},
        {"samples": None},
        {"samples": {}},
        {"samples": {"latency_ns": "1"}},
        {"samples": {"latency_ns": []}},
        {"samples": {"latency_ns": [True] * 900}},
        {"samples": {"latency_ns": [0] * 900}},
        {"samples": {"latency_ns": [float("inf")] * 900}},
        {"samples": {"latency_ns": [1_000_000] * 9}},
    ],
)
def test_runs_without_a_common_percentile_tell_nothing(spoilt):
    found = rerun(result_of() | spoilt, result_of, margin=0.1)
    assert (found["answer"], found["reasons"]) == ("cannot_tell", NOTHING_IN_COMMON)


def test_a_metric_in_the_file_is_never_believed():
    """Somebody makes a slow run look like the new one: neither the metrics nor the answer follow."""
    slow, now = result_of(p50=3.0, p95=4.0), result_of()
    forged = slow | {"metrics": now["metrics"]}
    found = rerun(forged, lambda: now, margin=0.1)
    assert found["answer"] == "cannot_tell"
    assert [reason.partition(":")[0] for reason in found["reasons"]] == [
        "The first result was changed after it was measured"
    ] * 2
    assert [each["then"] for each in found["metrics"]] == pytest.approx([3.0, 4.0], rel=0.01)
    assert {each["answer"] for each in found["metrics"]} == {"different"}
    # The interval alone: metrics that are too wide to tell do not become narrow ones.
    wide = result_of(spread=0.5)
    for name in ("latency_p50_ms", "latency_p95_ms"):
        wide["metrics"][name] |= {"lower": wide["metrics"][name]["value"], "upper": wide["metrics"][name]["value"]}
    assert rerun(wide, result_of, margin=0.1)["answer"] == "cannot_tell"


def test_a_part_of_the_samples_vouches_within_its_own_bounds():
    now = result_of()
    thinned = now | {"samples": {"latency_ns": now["samples"]["latency_ns"][::4], "stride": 4}}
    assert rerun(thinned, lambda: now, margin=0.1)["answer"] == "equivalent"
    forged = thinned | {"metrics": {"latency_p50_ms": metric(1.4), "latency_p95_ms": metric(2.0)}}
    assert list(altered_metrics(forged)) == [
        f"latency_p50_ms is stated as 1.4 ms, but its samples give {held(forged):g} ms"
    ]


def held(result):
    return percentiles_of(result)["latency_p50_ms"].value


def test_response_times_are_found_anew_as_well():
    given = result_of()
    stated = {name.replace("latency", "response_time"): each for name, each in given["metrics"].items()}
    of_server = given | {"metrics": stated, "samples": {"response_ns": given["samples"]["latency_ns"], "stride": 1}}
    assert [each["metric"] for each in rerun(of_server, lambda: of_server, margin=0.1)["metrics"]] == [
        "response_time_p50_ms",
        "response_time_p95_ms",
    ]
    without = of_server | {"metrics": {}}
    assert percentiles_of(without) == {}, "of a run with queries that were never begun nothing is stated"


def test_facts_that_differ_are_listed():
    then, now = result_of()["manifest"], result_of(libraries="2")["manifest"]
    now["isolation"] = "bubblewrap"
    del now["machine"]["cpu"]
    assert differences(then, now) == [
        {"condition": "isolation", "then": "none", "now": "bubblewrap"},
        {"condition": "libraries.numpy", "then": "1", "now": "2"},
        {"condition": "machine.cpu", "then": "c", "now": None},
    ]


def test_a_profile_under_arrivals_keeps_what_its_response_times_are_found_anew_from(tmp_path):
    warmup = WarmUp(value_ms=0.0, max_duration_s=0.1)
    scenario = Server(rate_per_s=500, min_samples=700, min_duration_s=0.0, warmup=warmup)
    result = builders.measured(
        builders.classifier(tmp_path / "m.onnx"),
        settings=ProfileSettings(scenario=scenario),
        data=None,
        on_progress=lambda *_: None,
        now=datetime(2026, 11, 26, tzinfo=UTC),
    )
    stated = {name: each["value"] for name, each in result["metrics"].items() if name.startswith("response_time")}
    assert {name: each.value for name, each in percentiles_of(result).items()} == pytest.approx(stated)
    assert (len(stated), list(altered_metrics(result))) == (3, [])
