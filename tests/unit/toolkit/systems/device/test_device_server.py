"""The server of the page: one secret path, strict headers, bounded requests."""

import http.client
import json
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from tests.unit.toolkit import builders
from tests.unit.toolkit.certificates import certificate_in
from tests.unit.toolkit.systems.device.sessions import (
    body_of,
    job_of,
    reference_of,
    report_of,
    runtime_in,
    session_in,
)
from weighbridge.client.integrations.admission.server import tls_context
from weighbridge.core.errors import Invalid
from weighbridge.systems.device import server as servers
from weighbridge.systems.device.report import REPORT
from weighbridge.systems.device.runtime import FILES
from weighbridge.systems.device.server import PAGE, DeviceServer


@pytest.fixture
def serve(tmp_path):
    """Start a server and call it."""
    started = []

    def start(**options) -> "Visitor":
        runtime = runtime_in(tmp_path / "runtime")
        server = DeviceServer(("127.0.0.1", 0), session_in(tmp_path), runtime, **options)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        started.append((server, thread))
        return Visitor(server)

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


class Visitor:
    """Calls a server as a browser does."""

    def __init__(self, server: DeviceServer) -> None:
        self.server, self.session = server, server.session

    def call(self, name: str, body: bytes | None = None, *, method: str = "", token: str | None = None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        path = f"/{self.server.token if token is None else token}/{name}"
        connection.request(method or ("GET" if body is None else "POST"), path, body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def raw(self, *parts: bytes, pause_s: float = 0.0) -> bytes:
        """Send bytes in parts, and return what comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.server.server_port), timeout=10) as client:
            for part in parts:
                client.sendall(part)
                time.sleep(pause_s)
            received = b""
            while chunk := client.recv(65_536):
                received += chunk
            return received


@pytest.mark.parametrize("name", ["", "page.css", "page.js", "icon.svg"])
def test_the_page_is_isolated_and_loads_nothing_from_elsewhere(serve, name):
    answer, content = serve().call(name)
    assert answer.status == 200
    assert content == (PAGE[name] if name else PAGE["index.html"]).read_bytes()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Server"] == "weighbridge"


def test_the_page_has_no_address_of_another_site_and_nothing_inline():
    for path in PAGE.values():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, path.name
        assert "innerHTML" not in text
    page = PAGE["index.html"].read_text()
    assert "<style" not in page
    assert "style=" not in page
    assert "onclick" not in page


def test_a_device_gets_the_model_its_inputs_and_the_runtime(serve):
    visitor = serve()
    job = visitor.session.job
    assert visitor.call("model")[1] == job.model.read_bytes()
    assert visitor.call("queries")[1] == job.values
    answer, content = visitor.call(f"runtime/{FILES[3]}")
    assert (answer.headers["Content-Type"], content) == ("application/wasm", FILES[3].encode())
    about = json.loads(visitor.call("about")[1])
    assert about == {"name": "m.onnx", "bytes": job.model.stat().st_size, "samples": 200, "duration_s": 0.0} | {
        "has_code": False
    }


def test_weights_beside_the_model_are_sent_by_their_number_alone(serve, tmp_path):
    job = job_of(builders.bundle(tmp_path / "b.onnx"))
    visitor = serve()
    visitor.session.job, visitor.session.reference = job, reference_of(job)
    run = json.loads(visitor.call("runs", b"")[1])
    assert (run["weights"], list(run["weight_digests"])) == (["b.bin"], ["b.bin"])
    assert visitor.call("weights/0")[1] == (tmp_path / "b.bin").read_bytes()
    for name in ("weights/1", "weights/b.bin", "weights/-1", "weights/00", "weights/", "weights"):
        assert visitor.call(name)[0].status == 404
    report = report_of(visitor.session, run["run"])
    assert visitor.call("results", body_of(report | {"weights": {}}))[0].status == 400
    assert visitor.call("results", body_of(report))[0].status == 200
    assert visitor.session.results[0]["manifest"]["model"]["weights"] == run["weight_digests"]


def test_a_run_is_opened_and_its_result_taken_once(serve):
    visitor = serve()
    run = json.loads(visitor.call("runs", b"")[1])
    assert (run["answers"], run["version"], len(run["queries"])) == (8, "1.30.0", 64)
    body = body_of(report_of(visitor.session, run["run"]))
    answer, content = visitor.call("results", body)
    assert answer.status == 200
    summary = json.loads(content)
    assert summary["verdict"]["status"] == "valid"
    assert set(summary["metrics"]) >= {"latency_p50_ms", "load_time_ms"}
    assert summary["here"] == {}
    assert visitor.call("results", body)[0].status == 404
    assert len(visitor.session.results) == 1


def test_the_profile_of_the_serving_machine_is_shown_beside(serve):
    visitor = serve()
    visitor.session.here = {"metrics": {"latency_p50_ms": {"value": 1.0}, "accuracy": {"value": 0.9}}}
    run = json.loads(visitor.call("runs", b"")[1])["run"]
    summary = json.loads(visitor.call("results", body_of(report_of(visitor.session, run)))[1])
    assert summary["here"] == {"latency_p50_ms": {"value": 1.0}}


def test_a_device_can_say_that_it_cannot_measure(serve):
    visitor = serve()
    run = json.loads(visitor.call("runs", b"")[1])["run"]
    body = json.dumps({"run": run, "reason": "There is no such operator."}).encode()
    assert visitor.call("refusals", body)[0].status == 200
    assert visitor.session.refusals == ["There is no such operator."]


@pytest.mark.parametrize("token", ["", "x", "..", "%2e%2e"])
@pytest.mark.parametrize("name", ["", "model", "runs", "results"])
def test_without_the_secret_nothing_answers(serve, token, name):
    visitor = serve()
    for body in (None, b"{}"):
        answer, content = visitor.call(name, body, token=token)
        assert (answer.status, json.loads(content)) == (404, {"reason": "There is nothing here."})
    assert visitor.session._open == {}


@pytest.mark.parametrize(
    "name",
    [
        "../m.onnx",
        "runtime/../m.onnx",
        "runtime/package.json",
        "runtime/%2e%2e/m.onnx",
        "runtime//etc/passwd",
        "page.py",
        "__init__.py",
        "model/",
        "qr.svg",
        "results",
    ],
)
def test_no_other_path_answers(serve, name):
    assert serve().call(name)[0].status == 404


def test_a_path_beyond_ascii_is_no_secret(serve):
    assert b" 404 " in serve().raw("GET /\u00e4/model HTTP/1.1\r\n\r\n".encode())


def test_unknown_posts_and_methods_do_not_answer(serve):
    visitor = serve()
    assert visitor.call("model", b"{}")[0].status == 404
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        answer, content = visitor.call("", method=method)
        assert (answer.status, json.loads(content)["reason"]) == (501, "There is nothing here.")


def test_a_code_is_served_where_there_is_one(serve):
    visitor = serve()
    visitor.server.picture = b"<svg/>"
    answer, content = visitor.call("qr.svg")
    assert (answer.headers["Content-Type"], content) == ("image/svg+xml", b"<svg/>")
    assert json.loads(visitor.call("about")[1])["has_code"] is True


@pytest.mark.parametrize(
    ("length", "status"),
    [(str(REPORT.bytes_max + 1), 413), ("9" * 11, 413), ("9" * 30, 400), ("-1", 400), ("x", 400), ("\u0663", 400)],
)
def test_a_body_of_another_length_is_not_read(serve, length, status):
    visitor = serve()
    head = f"POST /{visitor.server.token}/results HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"
    assert f" {status} ".encode() in visitor.raw(head.encode())
    assert visitor.session.results == []


def test_a_body_without_a_length_or_that_ends_early_is_refused(serve):
    visitor = serve()
    head = f"POST /{visitor.server.token}/results HTTP/1.1\r\n"
    assert b" 400 " in visitor.raw(head.encode() + b"\r\n")
    with socket.create_connection(("127.0.0.1", visitor.server.server_port), timeout=10) as client:
        client.sendall(head.encode() + b"Content-Length: 100\r\n\r\nabc")
        client.shutdown(socket.SHUT_WR)
        assert b"ended early" in client.makefile("rb").read()


def test_a_client_that_sends_one_byte_after_the_other_is_cut_off(serve, monkeypatch):
    """Each byte comes in time, the request as a whole does not."""
    monkeypatch.setattr(servers, "HEAD_S", 0.3)
    visitor = serve()
    begun = time.monotonic()
    with pytest.raises((ConnectionError, BrokenPipeError)):
        visitor.raw(*[b"G"] * 200, pause_s=0.05)
    assert time.monotonic() - begun < 8


def test_after_the_deadline_nothing_is_read():
    one, other = socket.socketpair()
    with one, other:
        other.sendall(b"late")
        reader = servers.DeadlineReader(one, until=time.monotonic() - 1)
        assert reader.readable()
        with pytest.raises(TimeoutError):
            reader.read(4)


def test_a_body_that_drips_is_cut_off(serve, monkeypatch):
    monkeypatch.setattr(servers, "BODY_S", 0.3)
    visitor = serve()
    head = f"POST /{visitor.server.token}/results HTTP/1.1\r\nContent-Length: 5000\r\n\r\n".encode()
    with pytest.raises((ConnectionError, BrokenPipeError)):
        visitor.raw(head, *[b"a"] * 200, pause_s=0.05)
    assert visitor.session.results == []


def test_idle_connections_keep_nobody_out_for_long(serve, monkeypatch):
    monkeypatch.setattr(servers, "HEAD_S", 0.3)
    visitor = serve()
    idle = [socket.create_connection(("127.0.0.1", visitor.server.server_port)) for _ in range(40)]
    until = time.monotonic() + 8
    while time.monotonic() < until:
        try:
            assert visitor.call("about")[0].status == 200
            break
        except (ConnectionError, http.client.HTTPException):
            time.sleep(0.05)
    else:
        pytest.fail("the server did not answer again")
    for each in idle:
        each.close()


def test_the_last_device_gets_its_answer_before_the_server_ends(serve):
    visitor = serve()
    with visitor.server.answering():
        begun = time.monotonic()
        visitor.server.wait_for_answers(0.2)
        assert time.monotonic() - begun >= 0.2
        waiting = threading.Thread(target=visitor.server.wait_for_answers)
        waiting.start()
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_page_is_served_to_the_newer_protocol_too(tmp_path):
    with DeviceServer(("::1", 0), session_in(tmp_path), runtime_in(tmp_path / "runtime")) as server:
        assert (server.server_name, server.address_family) == ("::1", socket.AF_INET6)


def test_a_client_that_goes_away_is_not_mentioned(serve, capfd):
    visitor = serve()
    with socket.create_connection(("127.0.0.1", visitor.server.server_port)) as client:
        client.sendall(f"GET /{visitor.server.token}/runtime/{FILES[0]} HTTP/1.1\r\n\r\n".encode())
    visitor.raw(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert visitor.call("about")[0].status == 200
    assert capfd.readouterr() == ("", "")


def test_a_broken_connection_is_not_reported(serve, capfd):
    visitor = serve()
    visitor.server.handle_error(None, None)
    assert capfd.readouterr() == ("", "")


def test_a_page_is_served_with_tls(serve, tmp_path):
    certificate_in(tmp_path)
    visitor = serve(tls=tls_context(tmp_path))
    context = ssl.create_default_context(cafile=str(tmp_path / "tls.crt"))
    connection = http.client.HTTPSConnection("127.0.0.1", visitor.server.server_port, context=context, timeout=10)
    connection.request("GET", f"/{visitor.server.token}/about")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["name"]) == (200, "m.onnx")
    connection.close()


@pytest.mark.parametrize("address", [("192.0.2.1", 0), ("127.0.0.1", 99_999)])
def test_an_address_that_cannot_be_used_is_refused(tmp_path, address):
    with pytest.raises(Invalid, match="cannot be used") as refusal:
        DeviceServer(address, session_in(tmp_path), runtime_in(tmp_path / "runtime"))
    assert refusal.value.field == "host"


def test_the_files_of_the_page_are_in_the_package():
    assert set(PAGE) == {"index.html", "page.css", "page.js", "icon.svg"}
    assert all(Path(path).parent.name == "page" for path in PAGE.values())
