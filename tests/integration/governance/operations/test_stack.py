"""The processes of one installation: started together, watched, and ended together, whatever they do."""

import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread

import pytest
from django.core.management import call_command
from pytest_django import Settings

from governance.operations.management import stack as module
from governance.operations.management.commands import up
from governance.operations.management.stack import Stack

PATIENCE_S = 120.0


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def until(log: Path, text: str) -> str:
    """The log once it holds `text`."""
    deadline = time.monotonic() + PATIENCE_S
    while text not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert text in log.read_text()
    return log.read_text()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "var" / "logs"


def test_a_process_gets_its_environment_and_a_log_of_its_own(logs: Path) -> None:
    with Stack(logs=logs, environment={"GREETING": "good morning"}) as stack:
        stack.start("one", python("import os, sys; print(os.environ['GREETING']); sys.exit('and good night')"))
        stack.children["one"].wait(PATIENCE_S)
        assert (logs / "one.log").read_text().split("\n") == ["good morning", "and good night", ""]
        assert stack.ended() == ["one"]


def test_everything_is_stopped_at_the_end(logs: Path) -> None:
    with Stack(logs=logs) as stack:
        stack.start("one", ["sleep", "600"])
        stack.start("two", ["sleep", "600"])
        pids = [child.pid for child in stack.children.values()]
        assert stack.ended() == []
        assert all(is_running(pid) for pid in pids)
    assert not any(is_running(pid) for pid in pids)
    assert stack.children == {}


def test_everything_is_stopped_after_a_failure_too(logs: Path) -> None:
    stack = Stack(logs=logs)
    with pytest.raises(ZeroDivisionError), stack:
        fail_with_a_child(stack)
    assert stack.children == {}


def fail_with_a_child(stack: Stack) -> None:
    stack.start("one", ["sleep", "600"])
    raise ZeroDivisionError


def test_a_process_that_does_not_listen_is_killed_with_its_children(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_PATIENCE_S", 0.2)
    stubborn = "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    stubborn += (
        "child = subprocess.Popen(['sleep', '600']); print('child', child.pid, 'up', flush=True); time.sleep(600)"
    )
    with Stack(logs=logs) as stack:
        stack.start("one", python(stubborn))
        child = int(until(logs / "one.log", "up").split()[1])
        parent = stack.children["one"].pid
    assert not is_running(parent)
    deadline = time.monotonic() + PATIENCE_S
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(child)


def test_a_restart_ends_the_process_with_its_children(logs: Path) -> None:
    code = "import subprocess, time; child = subprocess.Popen(['sleep', '600']); print(child.pid, 'up', flush=True); "
    with Stack(logs=logs) as stack:
        stack.start("one", python(code + "time.sleep(600)"))
        first, child = stack.children["one"].pid, int(until(logs / "one.log", "up").split()[0])
        stack.restart("one")
        assert not is_running(first)
        deadline = time.monotonic() + PATIENCE_S
        while is_running(child) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not is_running(child)
        second = stack.children["one"]
        assert second.pid != first
        second.kill()
        second.wait()
        stack.restart("one")
        assert stack.ended() == []


def test_one_stack_for_one_folder(logs: Path) -> None:
    with Stack(logs=logs):
        with pytest.raises(SystemExit, match=r"Another `make run` or `make demo` uses .*var. Stop it first"):
            Stack(logs=logs).__enter__()
        with Stack(logs=logs.parent.parent / "other" / "logs"):
            pass
    with Stack(logs=logs):
        pass


class Answer(BaseHTTPRequestHandler):
    """Answers with the status in the path."""

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.mark.parametrize("status", [200, 404, 503])
def test_any_answer_means_that_the_server_is_up(logs: Path, status: int) -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as server, Stack(logs=logs) as stack:
        thread = Thread(target=server.serve_forever)
        thread.start()
        stack.wait_for(f"http://127.0.0.1:{server.server_port}/{status}")
        server.shutdown()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_process_that_ends_at_once_is_named_with_its_log(logs: Path) -> None:
    with Stack(logs=logs) as stack:
        stack.start("web", python("raise SystemExit(3)"))
        with pytest.raises(SystemExit, match=r"The process web ended immediately\. See .*web\.log"):
            stack.wait_for(f"http://127.0.0.1:{free_port()}/")


def test_a_server_that_never_answers_is_given_up(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_PATIENCE_S", 0.3)
    with Stack(logs=logs) as stack, pytest.raises(SystemExit, match=r"did not answer within 0\.3 s\. See .*logs"):
        stack.wait_for(f"http://127.0.0.1:{free_port()}/")


def test_what_an_installation_consists_of(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, str] = {}
    monkeypatch.setattr(Stack, "start", lambda self, name, command: started.update({name: " ".join(command)}))
    Stack(logs=logs).start_all(port=8123)
    assert set(started) == {"web", "effects", "packets", "bench", "tick"}
    assert "gunicorn --config python:config.web.gunicorn config.wsgi --bind 127.0.0.1:8123" in started["web"]
    assert "-Q effects -n" in started["effects"]
    assert "-Q packets -n" in started["packets"]
    assert "-Q bench.cpu" in started["bench"]
    assert "manage.py tick --every 2" in started["tick"]


# up

ONE_ANSWER = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
HTTPServer(("127.0.0.1", {port}), Answer).handle_request()
"""


class Tiny(Stack):
    """A web server that answers once and ends."""

    def start_all(self, *, port: int) -> None:
        self.start("web", python(ONE_ANSWER.format(port=port)))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Path:
    monkeypatch.setattr(up, "Stack", Tiny)
    settings.VAR_DIR = tmp_path
    return tmp_path


def test_up_starts_again_what_ended_and_stops_at_ctrl_c(
    db: None, tiny: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    naps: list[float] = []
    restarted: list[str] = []
    settings.EMBEDDED_DATABASE = None

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if restarted:
            raise KeyboardInterrupt
        assert len(naps) < 1000
        wait(0.02)

    wait = time.sleep
    monkeypatch.setattr(up, "time", type("Clock", (), {"sleep": staticmethod(nap)}))
    monkeypatch.setattr(Tiny, "restart", lambda self, name: restarted.append(name))
    out, complaints, port = StringIO(), StringIO(), free_port()
    call_command("up", "--port", str(port), stdout=out, stderr=complaints, no_color=True)
    serves = f"Weighbridge runs at http://127.0.0.1:{port}/ (logs in {tiny / 'logs'}; press Ctrl-C to stop).\n"
    assert out.getvalue() == f"{serves}Stopping.\n"
    assert restarted == ["web"]
    assert complaints.getvalue()[9:] == (
        f"The process web ended (exit status 0). It is started again. Its log: {tiny / 'logs' / 'web.log'}\n"
    )
