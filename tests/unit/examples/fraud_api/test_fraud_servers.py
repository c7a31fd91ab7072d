"""The servers: what they answer, what they count, and that the stand-in behaves as declared."""

import asyncio
import contextlib
import json
import runpy
import sys

import numpy as np
import pytest

from examples.fraud_api import load_tests, networks, servers
from examples.fraud_api.servers import ServedConnection, Timings, model_responder, stand_in_responder
from examples.fraud_api.settings import StandIn
from weighbridge.core.errors import Invalid
from weighbridge.optimization.methods.networks import export

ROW = json.dumps({"features": [0.0] * 12}).encode()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "c.onnx"
    export(networks.light(), path, example=np.zeros((1, 12), np.float32))
    return path


class Wire:
    """A transport that remembers what was written."""

    def __init__(self, *, is_closing: bool = False) -> None:
        self.sent, self._is_closing = b"", is_closing

    def is_closing(self) -> bool:
        return self._is_closing

    def write(self, data: bytes) -> None:
        self.sent += data


def request(method: str, path: str, body: bytes = b"") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def answers(connection: ServedConnection, wire: Wire, *requests: bytes) -> list[tuple[int, dict]]:
    connection.connection_made(wire)
    for each in requests:
        connection.data_received(each)
    parts = wire.sent.split(b"HTTP/1.1 ")[1:]
    return [(int(part[:3]), json.loads(part.partition(b"\r\n\r\n")[2])) for part in parts]


def test_a_model_answers_rows_refuses_others_and_counts_its_time(model) -> None:
    timings = Timings()
    assert timings.as_document() == {"answered": 0, "mean_s": 0.0, "cv": 0.0}
    whole = request("POST", "/score", ROW)
    found = answers(
        ServedConnection(model_responder(model), timings),
        Wire(),
        whole[:40],
        whole[40:],
        request("POST", "/score", b'{"features": [1]}'),
        request("POST", "/score", b"no JSON"),
        request("GET", "/timings"),
        request("GET", "/"),
    )
    assert [status for status, _ in found] == [200, 400, 400, 200, 404]
    assert isinstance(found[0][1]["score"], float)
    assert found[1][1] == {"error": "Send features: a list of 12 numbers."}
    assert found[3][1]["answered"] == 3
    assert found[3][1]["mean_s"] > 0


def test_timings_are_mean_and_relative_spread() -> None:
    timings = Timings()
    timings.seconds += [1.0, 3.0]
    assert timings.as_document() == {"answered": 2, "mean_s": 2.0, "cv": 0.5}
    still = Timings()
    still.seconds.append(0.0)
    assert still.as_document()["cv"] == 0.0


def test_nothing_is_written_to_a_connection_that_closes(model) -> None:
    wire = Wire(is_closing=True)
    assert answers(ServedConnection(model_responder(model), Timings()), wire, request("POST", "/score", ROW)) == []


def test_the_stand_in_follows_its_law_and_says_what_it_is() -> None:
    now, calls, written = [0.0], [], []
    law = StandIn(median_ms=80, sigma=0.35, error_rate=0.1, limit_per_s=1_000)
    respond = stand_in_responder(law, later=lambda *call: calls.append(call), clock=lambda: now[0])
    for _ in range(5_000):
        now[0] += 0.01
        respond(b"", lambda status, answer: written.append((status, answer)))
    assert written == []
    delays = np.array([seconds for seconds, *_ in calls])
    assert np.median(delays) == pytest.approx(0.080, rel=0.03)
    assert np.log(delays).std() == pytest.approx(0.35, rel=0.05)
    for _, write, status, answer in calls:
        write(status, answer)
    assert np.mean([status == 503 for status, _ in written]) == pytest.approx(0.1, abs=0.015)
    assert all(answer["stand_in"] is True for _, answer in written)


def test_the_stand_in_limits_the_rate() -> None:
    refused, calls = [], []
    law = StandIn(limit_per_s=10)
    respond = stand_in_responder(law, later=lambda *call: calls.append(call), clock=lambda: 5.0)
    for _ in range(15):
        respond(b"", lambda status, answer: refused.append((status, answer["stand_in"])))
    assert (len(calls), refused) == (10, [(429, True)] * 5)


@pytest.mark.parametrize("kind", ["model", "stand-in"])
def test_a_server_tells_its_port_and_answers_there(kind, model, capsys, monkeypatch) -> None:
    given = str(model) if kind == "model" else json.dumps({"median_ms": 1.0, "error_rate": 0.0})

    async def ask() -> bytes:
        said = asyncio.Event()
        monkeypatch.setattr(sys.stdout, "flush", said.set)
        task = asyncio.create_task(servers.serve(kind, given))
        await said.wait()
        line = capsys.readouterr().out
        reader, writer = await asyncio.open_connection("127.0.0.1", int(line))
        writer.write(request("POST", "/score", ROW))
        answer = await reader.readuntil(b"}")
        writer.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return answer

    assert b'"score": ' in asyncio.run(ask())


def test_the_program_serves_what_it_is_asked_to(monkeypatch) -> None:
    import uvloop

    ran = []
    monkeypatch.setattr(uvloop, "run", lambda serving: (ran.append(serving.cr_frame.f_locals), serving.close()))
    monkeypatch.setattr(sys, "argv", ["servers", "model", "c.onnx"])
    monkeypatch.delitem(sys.modules, load_tests.PROGRAM)
    runpy.run_module(load_tests.PROGRAM, run_name="__main__")
    assert ran == [{"kind": "model", "given": "c.onnx"}]


def test_a_server_that_does_not_start_is_said() -> None:
    with pytest.raises(Invalid, match=r"did not start: .*absent"), load_tests.running_server("model", "/absent.onnx"):
        pass


def test_a_server_that_says_nothing_is_not_waited_for_forever(monkeypatch) -> None:
    monkeypatch.setattr(load_tests, "START_S", 0.0)
    with pytest.raises(Invalid, match="no output"), load_tests.running_server("stand-in", "{}"):
        pass


def test_a_metric_that_a_load_test_has_not_is_said() -> None:
    load = {"metrics": {}, "verdict": {"reasons": [{"message": "Too few requests."}]}}
    with pytest.raises(Invalid, match=r"gave no response_time_p95_ms\. Too few requests\."):
        load_tests.metric_of(load, "response_time_p95_ms")
