"""Deliveries of Jira as they come in a busy hour: 50 a second for 20 seconds, to gunicorn and PostgreSQL as in
production.

Open loop: each delivery has its moment, and its latency counts from that moment, so that a server that falls behind
cannot hide it. Jira opens a connection for each delivery, and so does this.
"""

import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest

from config import embedded_database
from tests.performance.recorder import Recorder
from tests.performance.web_server import serving
from tests.standins.jira.issues import Issues
from tests.standins.jira.webhooks import Delivery, Webhooks

ROOT = Path(__file__).parents[2]
RATE_PER_S, SECONDS = 50, 20
COUNT = RATE_PER_S * SECONDS
P95_MS_MAX = 200.0
SECRET = "the secret of the hook"


@dataclass(frozen=True)
class Place:
    """A running installation."""

    port: int
    database: str
    issues: list[str]


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Gunicorn as the container starts it, with a database of its own."""
    folder = Path(tmp_path_factory.mktemp("inbound"))
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)  # the embedded server runs as a user of its own
    own = {"WEIGHBRIDGE_VAR": str(folder), "DATABASE_URL": "", "BROKER_URL": "filesystem://"}
    environment = {**os.environ, **own}
    try:
        made = subprocess.run(
            [sys.executable, "-m", "tests.performance.inbound_place"],
            cwd=ROOT,
            env=environment,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        )
        said = json.loads(made.stdout)
        with serving(folder, environment, options=["--workers", "2", "--threads", "4", "--timeout", "120"]) as port:
            yield Place(
                port, f"host={said['socket']} user=postgres dbname={embedded_database.DATABASE}", said["issues"]
            )
    finally:
        subprocess.run(
            [sys.executable, "-m", "config.embedded_database", "stop"], cwd=ROOT, env=environment, check=True
        )


def send(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of one call over a connection of its own; 0 where there was no answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {**headers, "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def deliver(port: int, delivery: Delivery, due_s: float) -> tuple[int, float]:
    """(status, milliseconds since its moment) of one delivery, sent at its moment."""
    time.sleep(max(0.0, due_s - time.monotonic()))
    try:
        status = send(port, "POST", "/hooks/jira/1/", delivery.body, delivery.headers())
    except OSError:
        status = 0
    return status, (time.monotonic() - due_s) * 1000


def test_fifty_deliveries_a_second_are_stored_once_each_and_answered_in_time(place: Place, keep: Recorder) -> None:
    hooks = Webhooks(Issues.__new__(Issues), SECRET, rng=random.Random(0))
    deliveries = [
        hooks.signed(
            {
                "timestamp": int(time.time() * 1000),
                "webhookEvent": "jira:issue_updated",
                "number": number,
                "issue": {"id": place.issues[number % len(place.issues)]},
            }
        )
        for number in range(COUNT)
    ]
    begun_s = time.monotonic() + 0.5
    with ThreadPoolExecutor(64) as senders:
        sent = [
            senders.submit(deliver, place.port, delivery, begun_s + number / RATE_PER_S)
            for number, delivery in enumerate(deliveries)
        ]
        answers = [each.result() for each in sent]
    statuses, times_ms = Counter(status for status, _ in answers), sorted(taken_ms for _, taken_ms in answers)
    p50_ms, p95_ms, p99_ms = (statistics.quantiles(times_ms, n=100)[percent - 1] for percent in (50, 95, 99))
    keep(
        "deliveries.p95",
        p95_ms,
        "ms",
        at_most=P95_MS_MAX,
        title=f"p95 of {COUNT:,} signed deliveries at {RATE_PER_S} a second, from the moment each is due",
        beside=f"p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms, slowest {times_ms[-1]:.1f} ms; answers {dict(statuses)}",
    )
    assert statuses == {202: COUNT}
    kept = {hashlib.sha256(delivery.body).hexdigest() for delivery in deliveries}
    with psycopg.connect(place.database) as connection:
        rows = connection.execute("SELECT identifier, body_digest FROM tickets_webhookdelivery").fetchall()
        asked = connection.execute("SELECT count(*) FROM jobs_outboxmessage WHERE kind = 'ticket.read'").fetchone()
    assert len(rows) == len(kept) == COUNT
    assert {digest.removeprefix("sha256:") for _, digest in rows} == kept
    assert {identifier for identifier, _ in rows} == {delivery.identifier for delivery in deliveries}
    assert asked == (COUNT,)
    assert p95_ms < P95_MS_MAX
