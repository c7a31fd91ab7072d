"""Load tests: start a server in its own process, run a load test against it, and stop it."""

import contextlib
import http.client
import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from examples.fraud_api.settings import LIMIT_MS, FraudSettings
from examples.fraud_api.transactions import generate
from examples.steps import Clock, Say
from weighbridge.core.errors import Invalid
from weighbridge.load.expectation import Expectation
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.results.report import run_load
from weighbridge.load.target import check_target, resolve_addresses
from weighbridge.measure.verdict import Status

PROGRAM = "examples.fraud_api.servers"
START_S, BODIES, ATTEMPTS = 60.0, 500, 3


def write_bodies(path: Path, *, seed: int) -> Path:
    """Write the request bodies, which the load test sends in turn."""
    rows = generate(BODIES, seed=seed).x
    path.write_text("".join(json.dumps({"features": [round(float(value), 4) for value in row]}) + "\n" for row in rows))
    return path


def repeat_until_conclusive(
    fire: Callable[[], dict[str, Any]], *, name: str = "response_time_p95_ms", limit: float = LIMIT_MS
) -> dict[str, Any]:
    """Repeat a load test until it is valid and shows on which side of the limit the metric is, at most ATTEMPTS times.

    Other work on the machine can make a test inconclusive. The result has the number of tests in `attempts`.
    """
    result: dict[str, Any] = {}
    for attempt in range(1, ATTEMPTS + 1):
        result = {**fire(), "attempts": attempt}
        if not is_inconclusive(result["load"], name=name, limit=limit):
            break
    return result


def is_inconclusive(load: Mapping[str, Any], *, name: str = "response_time_p95_ms", limit: float = LIMIT_MS) -> bool:
    """Whether a load test is invalid, or its interval contains the limit."""
    found = load["metrics"].get(name)
    spans = found is None or found["lower"] <= limit < found["upper"]
    return bool(spans or load["verdict"]["status"] == Status.INVALID)


def run_load_test(
    server: tuple[str, str], bodies: Path, settings: FraudSettings, say: Say, now: Clock
) -> dict[str, Any]:
    """Start the server `(kind, given)`, run the load test, and return `load` (`weighbridge.load/1`) and `timings`."""
    with running_server(*server) as port, tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
        url = f"http://127.0.0.1:{port}/score"
        ask(port, "POST", "/score", bodies.read_bytes().split(b"\n")[0])  # the first request warms up the server
        plan = LoadPlan(
            url=url,
            rate_per_s=settings.rate_per_s,
            duration_s=settings.seconds,
            method="POST",
            body=str(bodies),
            headers=(("Content-Type", "application/json"),),
            connections=256,
            expect=Expectation(json_key="score", every=20),
            timeout_s=5.0,
            seed=settings.seed,
            p99_limit_ms=LIMIT_MS,
        )
        target = check_target(url, permissions=(), resolve=resolve_addresses)
        result, _ = run_load(
            plan, target, caps=LoadCaps(), folder=Path(folder), on_progress=say, should_stop=lambda: False, now=now()
        )
        return {"load": result, "timings": json.loads(ask(port, "GET", "/timings", b""))}


@contextlib.contextmanager
def running_server(kind: str, given: str) -> Iterator[int]:
    """Run a server and yield its port. Raises Invalid if it does not start."""
    command = [sys.executable, "-m", PROGRAM, kind, given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603 -- our own program
        try:
            yield _port(server)
        finally:
            server.kill()


def _port(server: "subprocess.Popen[str]") -> int:
    stdout, stderr = cast("IO[str]", server.stdout), cast("IO[str]", server.stderr)
    ready, _, _ = select.select([stdout], [], [], START_S)
    line = stdout.readline() if ready else ""
    if not line.strip().isdigit():
        server.kill()
        last = stderr.read().strip().rpartition("\n")[2]
        raise Invalid(f"The local server did not start: {last or 'no output'}.", code="server", field="server")
    return int(line)


def ask(port: int, method: str, path: str, body: bytes) -> bytes:
    """Send one request and return the body of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body)
        return connection.getresponse().read()
    finally:
        connection.close()


def metric_of(load: dict[str, Any], name: str) -> dict[str, Any]:
    """A metric of a load test. Raises Invalid with the reason if it is missing."""
    found: dict[str, Any] | None = load["metrics"].get(name)
    if found is None:
        reasons = " ".join(reason["message"] for reason in load["verdict"]["reasons"])
        raise Invalid(f"The load test gave no {name}. {reasons}", code="load", field="load")
    return found
