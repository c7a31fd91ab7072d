"""Of several ticks one is at work; another takes over when that one is killed or stands still."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from governance.jobs.management import tick_lock
from tests.integration.governance.jobs import ticking

ROOT = Path(ticking.__file__).parents[4]
AT_WORK, STANDS_BY = "This tick is at work.", "Another tick is at work. This one stands by."
Start = Callable[[str], "Tick"]


class Tick:
    """A running tick and what it says."""

    def __init__(self, log: Path) -> None:
        self.log = log
        program = [sys.executable, "-m", ticking.__name__, connection.settings_dict["NAME"]]
        with log.open("w") as output:
            self.process = subprocess.Popen(program, cwd=ROOT, stdout=output, stderr=output)

    def waits_until_it_says(self, sentence: str) -> None:
        ends_s = time.monotonic() + 60
        while sentence not in self.log.read_text():
            assert time.monotonic() < ends_s, self.log.read_text()
            time.sleep(0.05)


@pytest.fixture
def start(transactional_db: None, tmp_path: Path) -> Iterator[Start]:
    started: list[Tick] = []

    def of_name(name: str) -> Tick:
        started.append(Tick(tmp_path / name))
        return started[-1]

    yield of_name
    for each in started:
        each.process.kill()
        each.process.wait()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_tick_that_stood_by_takes_over(start: Start, blow: signal.Signals) -> None:
    first = start("first")
    first.waits_until_it_says("ticked")
    second = start("second")
    second.waits_until_it_says(STANDS_BY)
    assert "ticked" not in second.log.read_text()
    first.process.send_signal(blow)
    second.waits_until_it_says(AT_WORK)
    second.waits_until_it_says("ticked")


def test_a_tick_that_stood_still_stands_by_when_it_goes_on(start: Start) -> None:
    first = start("first")
    first.waits_until_it_says("ticked")
    second = start("second")
    second.waits_until_it_says(STANDS_BY)
    first.process.send_signal(signal.SIGSTOP)
    second.waits_until_it_says("ticked")
    first.process.send_signal(signal.SIGCONT)
    first.waits_until_it_says(STANDS_BY)


@pytest.fixture
def other() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    found = connection.get_connection_params()
    with psycopg.connect(host=found["host"], user=found["user"], dbname=found["dbname"], autocommit=True) as opened:
        yield opened


def test_a_single_tick_does_nothing_while_another_is_at_work(
    db: None, other: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks: list[object] = []
    monkeypatch.setattr("governance.jobs.ticks.tick", lambda **_: ticks.append(1))
    other.execute("SELECT pg_advisory_lock(%s)", [tick_lock.TICK_LOCK])
    call_command("tick")
    assert ticks == []
    other.execute("SELECT pg_advisory_unlock(%s)", [tick_lock.TICK_LOCK])
    call_command("tick")
    assert ticks == [1]
    assert other.execute("SELECT pg_try_advisory_lock(%s)", [tick_lock.TICK_LOCK]).fetchone() == (True,)


@pytest.mark.parametrize(("every_s", "lease_s"), [(0, 0), (2, 10), (3.5, 10.5), (60, 180)])
def test_the_lease_is_longer_than_the_pause_between_ticks(every_s: float, lease_s: float) -> None:
    assert tick_lock.lease_of(every=timedelta(seconds=every_s)) == timedelta(seconds=lease_s)
