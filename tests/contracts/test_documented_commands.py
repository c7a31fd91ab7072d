"""Every command that a page shows is typed by a test, as it stands there, or left out with a reason."""

import json
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer

from examples.support_assistant.double.law import Law
from examples.support_assistant.double.running import double_process
from tests.contracts.prompt import type_in
from tests.contracts.shown import ROOT, Shown, every_line
from tests.contracts.stages import LEFT_OUT, TOOLKIT
from tests.contracts.test_documented_operations import OPERATIONS
from tests.unit.toolkit.load import http2_servers, stand_in_server
from weighbridge.cli.app import app

pytestmark = pytest.mark.slow

EVERY = every_line()
OURS = [shown for shown in EVERY if shown.program.startswith("weighbridge ")]
DONE_OR_DOUBTED = {0, 1}  # 1: measured, but the machine was too busy for the metric values to count


def is_left_out(shown: Shown) -> bool:
    """Whether no test types it."""
    return any(shown.program.startswith(command) for command in LEFT_OUT)


def test_every_command_is_typed_or_left_out_with_a_reason() -> None:
    assert len(EVERY) > 100
    nowhere = [shown for shown in EVERY if shown.page not in {*TOOLKIT, *OPERATIONS} and shown.runs]
    assert [shown for shown in nowhere if not is_left_out(shown)] == []
    pages = {shown.page for shown in EVERY if not is_left_out(shown)}
    assert pages >= {*TOOLKIT, *OPERATIONS}, "a page that is staged shows something"


@pytest.mark.parametrize("command", LEFT_OUT)
def test_what_is_left_out_is_shown_and_the_test_that_runs_it_is_there(command: str) -> None:
    assert any(shown.program.startswith(command) for shown in EVERY), "no page shows it any more"
    for path in re.findall(r"tests/\S+\.py", LEFT_OUT[command]):
        assert command.split()[-1].rpartition(".")[2] in (ROOT / path).read_text()


@pytest.mark.parametrize(
    "target", sorted({shown.line.split()[1] for shown in EVERY if shown.program.startswith("make ")})
)
def test_a_target_that_a_page_shows_is_there(target: str) -> None:
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, ".venv" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("shown", OURS, ids=lambda shown: f"{shown.page}: {shown.line[:60]}")
def test_a_command_on_a_page_exists_with_its_options(shown: Shown) -> None:
    command, arguments = typer.main.get_command(app), shlex.split(shown.program, comments=True)[1:]
    while hasattr(command, "commands"):
        name, arguments = arguments[0], arguments[1:]
        assert name in command.commands, f"there is no command {name}"
        command = command.commands[name]
    context = command.make_context(command.name, list(arguments))  # raises for an option that does not exist
    context.close()


class Answers(BaseHTTPRequestHandler):
    """A model behind HTTP, by the Open Inference Protocol, that answers anything else with a prediction."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._say({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}], "predictions": [1]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say({"outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 1], "data": [0.5]}]})

    def _say(self, document: object) -> None:
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def loaded() -> Iterator[str]:
    """A quick server in a process of its own."""
    yield from served([sys.executable, stand_in_server.__file__])


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    """A server of HTTP/2 in a process of its own."""
    yield from served([sys.executable, "-m", http2_servers.__name__])


@pytest.fixture(scope="module")
def chat() -> Iterator[str]:
    """A double of a server of language models."""
    with double_process(Law(ttft_ms=5, tpot_ms=1)) as double:
        yield double.address


def served(program: list[str]) -> Iterator[str]:
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.kill()


# These measure models for half a minute and more each; that their commands exist is tested with every change.
LONG = {
    f"docs/how-to/{name}.md"
    for name in (
        "choose-a-model",
        "choose-a-scenario",
        "compare-models",
        "find-the-highest-rate",
        "load-test-a-language-model",
        "load-test-an-endpoint",
        "log-to-a-tracker",
        "make-a-model-cheaper",
        "profile-a-model",
        "profile-any-model",
        "project-costs",
        "use-the-price-book",
    )
}


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.nightly] if page in LONG else []) for page in TOOLKIT]
)
def test_the_pages_of_the_toolkit_are_typed_as_they_stand(
    page: str, tmp_path: Path, endpoint: str, loaded: str, shared: str, chat: str
) -> None:
    stage = TOOLKIT[page]
    for name, build in stage.files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        build(tmp_path / name)
    lines = [shown.line for shown in EVERY if shown.page == page and shown.runs and not is_left_out(shown)]
    for example, own in stage.instead.items():
        assert any(example in line for line in lines), f"the page does not show {example}"
        here = own.format(endpoint=endpoint, loaded=loaded, shared=shared, chat=chat)
        lines = [line.replace(example, here) for line in lines]
    typed = type_in(lines, tmp_path)
    for line, code in zip(typed.lines, typed.codes, strict=True):
        answers = DONE_OR_DOUBTED | ({2} if line.split()[1] in stage.unclear else set())
        assert code in answers, typed.told()
    assert "Traceback" not in typed.said, typed.told()
    LOOKED_AT.get(page, lambda _: None)(tmp_path)


def found_a_rate(folder: Path) -> None:
    """The search has an answer, or says that its time was up; on a busy machine not even the first timing may end."""
    kept = folder / "rate.json"
    assert not kept.exists() or json.loads(kept.read_text())["limit_ms"] == 20


def measured_load(folder: Path) -> None:
    assert json.loads((folder / "load.json").read_text())["metrics"]["response_time_p50_ms"]["n"] > 400
    search = folder / "search.json"  # as above: on a busy machine its time may be up before there is anything to keep
    assert not search.exists() or json.loads(search.read_text())["limit_ms"] == 200


def made_variants(folder: Path) -> None:
    made = json.loads((folder / "network-variants" / "candidates.json").read_text())["candidates"]
    assert {each["name"] for each in made} == {"fp32", "graph-optimized", "pruned-50", "student"}


LOOKED_AT = {
    "docs/how-to/find-the-highest-rate.md": found_a_rate,
    "docs/how-to/load-test-an-endpoint.md": measured_load,
    "docs/how-to/make-a-model-cheaper.md": made_variants,
}
