"""Promise 5, writers beside each other: no error, no deadlock, nothing lost or doubled, and budgets exact.

People file, upload, comment, vote and allocate at once while a bill is read and packets are drawn; see `writers`.
Nothing here is timed: the times of pages are kept beside the figures.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from config.web import gunicorn
from tests.promises import harness_places, harness_report

LONG = os.environ.get("WEIGHBRIDGE_PROMISES") == "long"
PEOPLE, SECONDS, ROWS, FILE_MB = (200, 3_600, 5_000_000, 100) if LONG else (20, 30, 20_000, 1)
COMMAND = ["-m", "tests.promises.writers", "--people", str(PEOPLE), "--seconds", str(SECONDS)]
COMMAND += ["--rows", str(ROWS), "--file-mb", str(FILE_MB)]
COMMAND += ["--pauses", "120", "360"] if LONG else []
WORKERS_AND_TICK = 20
"""Connections of the two workers, their processes and the tick, generously."""
TOLD = (
    *("people", "seconds", "rows", "file_mb", "failed", "deadlocks", "p95_idle_ms", "p95_ms"),
    *("connections_max", "queue_age_max_s"),
)
GROWTH_MAX, QUEUE_AGE_MAX_S = 1.3, 600.0
DONE_MIN = {"file": 5, "state": 5, "submit": 5, "upload": 5, "comment": 5, "review": 3, "vote": 3, "allocate": 3}


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    trial = subprocess.run(
        [sys.executable, *COMMAND],
        cwd=harness_places.ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS + 5_400,
        check=False,
    )
    assert trial.returncode == 0, trial.stderr[-8000:]
    heard: dict[str, Any] = json.loads(trial.stdout.splitlines()[-1])
    print(json.dumps(heard, indent=1))
    harness_report.tell("writers", __file__, **{name: heard[name] for name in TOLD})
    return heard


@pytest.mark.nightly
def test_nobody_gets_an_error_and_every_connection_is_answered(figures: dict[str, Any]) -> None:
    assert figures["failures"] == []
    assert figures["ended"] == []
    assert figures["tracebacks"] == {}
    assert {what: n for what, n in DONE_MIN.items() if figures["done"].get(what, 0) < n} == {}


@pytest.mark.nightly
def test_the_database_ends_no_transaction_because_of_a_deadlock(figures: dict[str, Any]) -> None:
    assert figures["deadlocks"] == 0


@pytest.mark.nightly
def test_what_was_answered_is_there_once_and_nothing_else_and_budgets_are_exact(figures: dict[str, Any]) -> None:
    assert figures["differences"] == {}
    assert "chain unbroken" in figures["audit"]


@pytest.mark.nightly
def test_connections_are_bounded(figures: dict[str, Any]) -> None:
    assert figures["connections_max"] <= gunicorn.workers * gunicorn.threads + WORKERS_AND_TICK


@pytest.mark.nightly
@pytest.mark.skipif(not LONG, reason="half a minute shows no growth: WEIGHBRIDGE_PROMISES=long runs for an hour")
def test_memory_is_flat_and_the_queue_is_worked_off(figures: dict[str, Any]) -> None:
    assert {name: share for name, share in figures["memory_growth"].items() if share > GROWTH_MAX} == {}
    assert figures["queue_age_max_s"] < QUEUE_AGE_MAX_S
