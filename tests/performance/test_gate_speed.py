"""Questions to the gate: to gunicorn with one process on one core, and to a feed file in process.

Open loop, as for deliveries: each question has its moment, and its latency counts from that moment. The page says
whether the server holds its limits; a gate that asks more often decides from a feed file.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.performance.recorder import Recorder
from tests.performance.web_server import serving
from tests.unit.toolkit.client.feed.feeds import HOUR, NOW, PUBLIC, entry, written
from weighbridge.client.feed.document import read_feed

ROOT = Path(__file__).parents[2]
RATE_PER_S, SECONDS, SENDERS = 1_000, 10, 8
P99_MS_MAX, OFFLINE_MS_MAX = 20.0, 1.0
ENTRIES = 100_000
OPTIONS = ["--config", "python:config.web.gunicorn", "--workers", "1", "--threads", "4", "--keep-alive", "30"]


@dataclass(frozen=True)
class Place:
    """A running installation: its port, a token of scope gate, and what to ask."""

    port: int
    token: str
    paths: list[str]


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One process of gunicorn on the first core, with a database of its own."""
    folder = Path(tmp_path_factory.mktemp("gate"))
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)  # the embedded server runs as a user of its own
    environment = {**os.environ, "WEIGHBRIDGE_VAR": str(folder), "DATABASE_URL": "", "BROKER_URL": "filesystem://"}
    run = [sys.executable, "-m"]
    try:
        made = subprocess.run(
            [*run, "tests.performance.gate_place"],
            cwd=ROOT,
            env=environment,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        )
        said = json.loads(made.stdout)
        paths = [f"/api/v1/gate/?subject={digest}&env={said['environment']}" for digest in said["digests"]]
        environment |= {"WEIGHBRIDGE_API_READS": "1000000"}
        with serving(folder, environment, options=OPTIONS, before=["taskset", "-c", "0"]) as port:
            yield Place(port, said["token"], paths)
    finally:
        subprocess.run([*run, "config.embedded_database", "stop"], cwd=ROOT, env=environment, check=True)


def ask(place: Place, moments_s: list[float]) -> list[float]:
    """Ask over one connection at each moment; milliseconds from the moment to the answer, which must allow."""
    headers = {"X-Forwarded-Proto": "https", "Authorization": f"Token {place.token}"}
    times_ms = []
    with contextlib.closing(HTTPConnection("127.0.0.1", place.port, timeout=60)) as connection:
        for number, due_s in enumerate(moments_s):
            time.sleep(max(0.0, due_s - time.monotonic()))
            connection.request("GET", place.paths[(number * 7919) % len(place.paths)], headers=headers)
            content = connection.getresponse().read()
            times_ms.append((time.monotonic() - due_s) * 1000)
            assert b'"answer":"allow"' in content, content
    return times_ms


def at_rate(place: Place, rate_per_s: float, seconds: float) -> tuple[float, list[float]]:
    """(answers a second, latencies in ms, sorted) at a rate of questions over all connections."""
    begun_s, count = time.monotonic() + 0.2, int(rate_per_s * seconds)
    shares = [[begun_s + number / rate_per_s for number in range(one, count, SENDERS)] for one in range(SENDERS)]
    with ThreadPoolExecutor(SENDERS) as senders:
        found = [each.result() for each in [senders.submit(ask, place, share) for share in shares]]
    times_ms = sorted(time_ms for each in found for time_ms in each)
    return count / (time.monotonic() - begun_s), times_ms


def p99_of(times_ms: list[float]) -> float:
    return statistics.quantiles(times_ms, n=100)[98]


def test_a_thousand_questions_a_second_are_answered_in_time(place: Place, keep: Recorder) -> None:
    at_rate(place, 100, len(place.paths) / 100)  # every artifact once
    reached, times_ms = at_rate(place, RATE_PER_S, SECONDS)
    rate = keep(
        "gate.rate",
        reached,
        "/s",
        at_least=RATE_PER_S * 0.98,
        title=f"Answers a second of one process on one core, with {ENTRIES:,} requests on record",
        beside=f"p99 {p99_of(times_ms):.0f} ms when asked {RATE_PER_S:,} times a second",
    )
    half = min(RATE_PER_S, reached / 2)
    _, half_ms = at_rate(place, half, SECONDS)
    keep(
        "gate.p99",
        p99_of(times_ms if rate.is_held else half_ms),
        "ms",
        at_most=P99_MS_MAX,
        title=f"p99 at {RATE_PER_S if rate.is_held else half:,.0f} questions a second",
        beside=f"p50 {statistics.median(half_ms):.1f} ms at {half:,.0f} a second",
    )


def test_a_feed_in_process_answers_within_a_millisecond(keep: Recorder, tmp_path: Path) -> None:
    rows = [
        entry(number, f"sha256:{number % 1_000:064x}", "cleared", until=NOW + HOUR) for number in range(1, ENTRIES + 1)
    ]
    path = written(tmp_path, rows)
    begun_s = time.perf_counter()
    feed = read_feed(path, keys=[PUBLIC])
    assert len(feed.latest) == 1_000
    read_s, times_ms = time.perf_counter() - begun_s, []
    for number in range(20_000):
        digest, begun_s = f"sha256:{number % 1_000:064x}", time.perf_counter()
        assert feed.answer(digest=digest, environment="prod", now=NOW).is_allowed
        times_ms.append((time.perf_counter() - begun_s) * 1000)
    found = keep(
        "gate.offline",
        p99_of(times_ms),
        "ms",
        at_most=OFFLINE_MS_MAX,
        title=f"p99 of a question to a verified feed of {ENTRIES:,} entries, in process",
        beside=f"reading and verifying the file once takes {read_s:.2f} s",
    )
    assert found.is_held
