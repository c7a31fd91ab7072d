"""A model behind HTTP: a server on loopback that speaks the Open Inference Protocol."""

from datetime import UTC, datetime

import numpy as np
import pytest

from tests.refusals import has_code
from weighbridge.core.errors import Invalid
from weighbridge.measure.measurement import measure
from weighbridge.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from weighbridge.systems.endpoint import EndpointFailed, EndpointRunner
from weighbridge.systems.engine_errors import ModelFailed
from weighbridge.systems.registry import system_of

pytestmark = pytest.mark.slow

QUICK = ProfileSettings(
    scenario=SingleStream(min_samples=140, min_duration_s=0.0, warmup=WarmUp(value_ms=0.0, max_duration_s=0.2)),
    bootstraps=100,
)
TAKES = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]}
GIVES = {"outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 3], "data": [0.0, 1.0, 0.5]}]}
PLACE = "/base/v2/models/m"


@pytest.fixture
def model(desk):
    desk.answers["GET", PLACE] = (200, TAKES)
    desk.answers["POST", f"{PLACE}/infer"] = (200, GIVES)
    desk.url = f"{desk.server.url}/v2/models/m"
    return desk


def test_a_model_behind_http_is_profiled(model):
    result = measure(
        system_of({"system": "http", "options": {"url": model.url}}, QUICK),
        settings=QUICK,
        data=None,
        on_progress=lambda *_: None,
        now=datetime(2026, 11, 1, tzinfo=UTC),
        isolation="none",
    )
    assert result["metrics"]["latency_p95_ms"]["n"] == 140
    assert not {"peak_memory_mb", "model_size_mb", "flops"} & set(result["metrics"])
    reasons = [entry["message"] for entry in result["missing"]]
    assert "peak_memory_mb is not available for a model behind HTTP." in reasons
    assert result["manifest"]["engine"]["url"] == model.url
    method, path, _, body = model.asked[-1]
    assert (method, path) == ("POST", f"{PLACE}/infer")
    assert b'"shape": [1, 2], "datatype": "FP32", "data": [' in body


def test_answers_come_in_their_shape_and_type(model):
    runner = EndpointRunner(model.url)
    answer = runner.infer({"x": np.zeros((1, 2), dtype=np.float32)})[0]
    assert (answer.tolist(), answer.dtype) == ([[0.0, 1.0, 0.5]], np.float32)
    assert runner.inputs[0].shape == (None, 2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, {"error": "out of memory"}), "answered 500: .*out of memory"),
        ((200, b"<html>"), "is not valid JSON"),
        ((200, [1]), "JSON object"),
        (None, "does not answer"),
    ],
)
def test_every_failure_has_its_words_and_the_next_query_is_asked_anew(model, answer, words):
    runner = EndpointRunner(model.url)
    model.answers["POST", f"{PLACE}/infer"] = [answer, (200, GIVES)]
    x = {"x": np.zeros((1, 2), dtype=np.float32)}
    with pytest.raises(EndpointFailed, match=words):
        runner.infer(x)
    assert len(runner.infer(x)) == 1


def test_a_model_that_says_nothing_of_its_inputs_is_refused(model):
    model.answers["GET", PLACE] = (200, {})
    with pytest.raises(Invalid, check=has_code("model_inputs")):
        EndpointRunner(model.url)


@pytest.mark.parametrize("url", ["https://x/v2/models/m", "file:///etc/passwd", "http://"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(Invalid, match="is not the address of a model"):
        EndpointRunner(url)


def test_an_endpoint_that_fails_at_once_is_no_measurement(model):
    model.answers["POST", f"{PLACE}/infer"] = (500, {})
    with pytest.raises(ModelFailed, match="failed on its first inference"):
        measure(
            system_of({"system": "http", "options": {"url": model.url}}, QUICK),
            settings=QUICK,
            data=None,
            on_progress=lambda *_: None,
            now=datetime(2026, 11, 1, tzinfo=UTC),
            isolation="none",
        )
