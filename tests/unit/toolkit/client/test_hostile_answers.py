"""Whatever a server answers, the clients of the toolkit end in their own errors: in time, and in little memory."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.standins.hostile_http import ANSWERS, odd, serving
from weighbridge.client.gate import GateVerdict, ask_server
from weighbridge.client.server import PlatformServer, ServerRefused
from weighbridge.core.canonical import digest_of
from weighbridge.systems import endpoint
from weighbridge.systems.endpoint import EndpointFailed, EndpointRunner

NOW = datetime(2026, 7, 1, tzinfo=UTC)
# The slow answers last 20 s. Where a test needs a right answer as well, the time is long enough for a busy machine.
TIMEOUT_S, PATIENT_S, IN_TIME_S, MEMORY_BYTES = 1.0, 15.0, 18.0, 250_000_000
X = {"x": np.zeros((1, 2), dtype=np.float32)}
MODEL = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]}


@pytest.fixture(autouse=True)
def limited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(endpoint, "TIMEOUT_S", TIMEOUT_S)
    tracemalloc.start()
    began_s = time.monotonic()
    yield
    took_s, peak = time.monotonic() - began_s, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took_s < IN_TIME_S
    assert peak < MEMORY_BYTES


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_opens_the_gate(name: str) -> None:
    with serving(ANSWERS[name]) as url:
        reply = ask_server(
            PlatformServer(url, "token", timeout_s=TIMEOUT_S),
            digest=digest_of(1),
            environment="prod",
            keys=(),
            now=lambda: NOW,
        )
    assert reply.answer is GateVerdict.UNKNOWN


@pytest.mark.parametrize("name", ANSWERS)
def test_nothing_sent_counts_as_taken(name: str) -> None:
    with serving(ANSWERS[name]) as url, pytest.raises(ServerRefused) as refused:
        PlatformServer(url, "token", timeout_s=TIMEOUT_S).post("/api/v1/requests/", {"title": "T"}, key="k")
    assert len(refused.value.reason) > 0


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_is_one_of_a_model(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "TIMEOUT_S", PATIENT_S)
    with serving(ANSWERS[name], first={"/v2/models/a": json.dumps(MODEL).encode()}) as url:
        runner = EndpointRunner(f"{url}/v2/models/a")
        monkeypatch.setattr(endpoint, "TIMEOUT_S", TIMEOUT_S)
        with pytest.raises(EndpointFailed):
            runner.infer(X)[0]


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_describes_a_model(name: str) -> None:
    with serving(ANSWERS[name]) as url, pytest.raises(EndpointFailed):
        EndpointRunner(f"{url}/v2/models/a")


ODD = [
    {"inputs": 5, "outputs": 5},
    {"inputs": "abc", "outputs": "abc"},
    {"inputs": [5], "outputs": [5]},
    {"inputs": [{}], "outputs": [{}]},
    {"inputs": [{"name": "x", "datatype": "FP32", "shape": "no"}], "outputs": [{"data": [1], "datatype": "SECRET"}]},
    {
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [[1]]}],
        "outputs": [{"data": [[1], 2], "datatype": "FP32", "shape": [2]}],
    },
    {
        "inputs": [{"name": "x", "datatype": "FP32", "shape": {"a": 1}}],
        "outputs": [{"data": [1], "datatype": "FP32", "shape": [10**12]}],
    },
    {
        "inputs": [{"name": "x", "datatype": "FP32", "shape": None}],
        "outputs": [{"data": [1], "datatype": "FP32", "shape": [10**30]}],
    },
]


@pytest.mark.parametrize("document", ODD)
def test_an_answer_of_another_form_is_a_failure(document: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "TIMEOUT_S", PATIENT_S)
    with serving(odd(document), first={"/v2/models/a": json.dumps(MODEL).encode()}) as url:
        runner = EndpointRunner(f"{url}/v2/models/a")
        with pytest.raises(EndpointFailed, match="in the form of"):
            runner.infer(X)
        with pytest.raises(EndpointFailed, match="in the form of"):
            EndpointRunner(f"{url}/v2/models/b")
