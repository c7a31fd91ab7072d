"""What `manage.py up` does when something ends, hangs or takes nothing: it says so, starts it again, or gives up."""

import contextlib
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from config import embedded_database
from governance.jobs import actions as jobs
from governance.jobs.models import Pulse
from governance.jobs.queries import BROKER, QUEUE, TICK
from governance.operations.management import supervision
from governance.operations.management.supervision import SignWatch, Supervisor

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Child:
    """A process with an exit code."""

    def __init__(self, returncode: int | None = None) -> None:
        self.returncode = returncode


class Processes:
    """In the place of a stack: a restart is noted, and the process runs again."""

    def __init__(self, *names: str) -> None:
        self.children, self.logs = {name: Child() for name in names}, Path("logs")
        self.restarted: list[str] = []

    def ended(self) -> list[str]:
        return [name for name, child in self.children.items() if child.returncode is not None]

    def restart(self, name: str) -> None:
        self.restarted.append(name)
        self.children[name] = Child()


class Scene:
    """A supervisor, its clock, and what it said."""

    def __init__(self, *names: str, revive: Callable[[], bool] | None = None) -> None:
        self.stack, self.said, self.at_s = Processes(*names), list[str](), 0.0
        self.supervisor = Supervisor(
            self.stack,  # type: ignore[arg-type]
            say=self.said.append,
            revive=revive,
            clock=lambda: self.at_s,
        )

    def pass_time(self, seconds: int, *, signs: Mapping[str, bool]) -> None:
        """Every second, those of `signs` that are True show one."""
        for _ in range(seconds):
            self.at_s += 1
            for name, is_shown in signs.items():
                if is_shown:
                    Pulse.record(name=name, at=NOW + self.at_s * SECOND)
            self.supervisor.look()


def test_a_process_that_ended_is_started_again_with_a_sentence(db: None) -> None:
    scene = Scene("web", "effects")
    scene.stack.children = {"web": Child(3), "effects": Child(-9)}
    scene.supervisor.look()
    assert scene.stack.restarted == ["web", "effects"]
    assert scene.said == [
        "The process web ended (exit status 3). It is started again. Its log: logs/web.log",
        "The process effects ended (signal 9). It is started again. Its log: logs/effects.log",
    ]


def test_a_process_that_ends_again_and_again_is_given_up(db: None) -> None:
    scene = Scene("web")
    for _ in range(10):
        scene.stack.children["web"] = Child(1)
        scene.supervisor.look()
        scene.at_s += 5.5
    scene.stack.children["web"] = Child(1)
    with pytest.raises(SystemExit, match=r"web ended .* It has ended 10 times within a minute\. Stopping; nothing"):
        scene.supervisor.look()
    assert len(scene.stack.restarted) == 10
    scene.at_s += 5.1
    scene.supervisor.look()
    assert len(scene.stack.restarted) == 11


BENCH, EFFECTS = QUEUE + "bench.cpu", QUEUE + "effects"


def test_a_worker_that_takes_nothing_is_started_again(db: None) -> None:
    scene = Scene("effects", "bench", "tick")
    scene.pass_time(2, signs={TICK: True, BENCH: True, EFFECTS: True})
    scene.pass_time(35, signs={TICK: True, BENCH: True, EFFECTS: False})
    assert scene.stack.restarted == []
    scene.pass_time(1, signs={TICK: True, BENCH: True, EFFECTS: False})
    assert scene.stack.restarted == ["effects"]
    assert scene.said == ["The process effects takes nothing. It is started again. Its log: logs/effects.log"]
    scene.pass_time(120, signs={TICK: True, BENCH: True, EFFECTS: False})
    assert scene.stack.restarted == ["effects"], "a process that begins is given longer"
    scene.pass_time(50, signs={TICK: True, BENCH: True, EFFECTS: True})
    assert scene.stack.restarted == ["effects"]


def test_a_tick_that_hangs_is_started_again_and_no_worker_is_blamed(db: None) -> None:
    scene = Scene("effects", "tick")
    scene.pass_time(2, signs={TICK: True, EFFECTS: True})
    scene.pass_time(36, signs={TICK: False, EFFECTS: False})
    assert scene.stack.restarted == ["tick"]
    scene.pass_time(30, signs={TICK: True, EFFECTS: False})
    assert scene.stack.restarted == ["tick"]


def test_workers_are_not_blamed_for_a_broker_that_is_away(db: None) -> None:
    scene = Scene("effects", "tick")
    scene.pass_time(200, signs={TICK: True, BROKER: True})
    assert scene.stack.restarted == []
    Pulse.record(name=BROKER, at=None)
    scene.pass_time(122, signs={TICK: True})
    assert scene.stack.restarted == ["effects"]


def test_a_clock_that_jumps_restarts_nothing(db: None) -> None:
    watch = SignWatch()
    assert watch.stalled({"a": NOW}, at_s=0.0) == []
    assert watch.stalled({"a": NOW + timedelta(days=400)}, at_s=30.0) == []
    assert watch.stalled({"a": NOW}, at_s=60.0) == []
    assert watch.stalled({"a": NOW}, at_s=95.0) == []
    assert watch.stalled({"a": NOW}, at_s=96.0) == ["a"]
    watch.forget("a", "b")
    assert watch.stalled({"a": NOW}, at_s=97.0) == []


def test_a_database_that_does_not_answer_is_told_once_and_blames_nobody(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene("effects", "tick")
    scene.pass_time(1, signs={})

    def away(name: str) -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(supervision, "pulse", away)
        patch.setattr(supervision.connection, "close", lambda: None)
        scene.pass_time(60, signs={})
    assert scene.said == ["The database does not respond. Work waits."]
    scene.pass_time(36, signs={})
    assert scene.said[1:] == ["The database responds again."]
    assert scene.stack.restarted == []


def test_a_database_that_ended_is_told(db: None) -> None:
    answers = [False, True, False]
    scene = Scene("web", revive=answers.pop)
    for _ in range(3):
        scene.supervisor.look()
    assert scene.said == ["The database ended. It was started again; nothing is lost."]


def test_a_database_that_does_not_start_is_tried_and_given_up(db: None) -> None:
    def fails() -> bool:
        raise subprocess.CalledProcessError(1, "pg_ctl")

    scene = Scene("web", revive=fails)
    for _ in range(10):
        scene.supervisor.look()
    assert len(scene.said) == 10
    assert scene.said[0].startswith("The database ended and does not start (CalledProcessError: ")
    with pytest.raises(SystemExit, match="Stopping; nothing is lost"):
        scene.supervisor.look()


class Server:
    """In the place of the embedded server."""

    def __init__(self, *, is_running: bool) -> None:
        self.running, self.started = is_running, 0
        self._lock = contextlib.nullcontext()

    def get_postmaster_info(self) -> Any:
        return self

    def is_running(self) -> bool:
        return self.running

    def ensure_postgres_running(self) -> None:
        self.started += 1


@pytest.mark.parametrize("is_running", [True, False])
def test_the_embedded_database_is_started_only_if_it_has_ended(
    is_running: bool, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    server = Server(is_running=is_running)
    monkeypatch.setattr(embedded_database, "server", lambda folder: server)
    assert embedded_database.revive() is not is_running
    assert server.started == (0 if is_running else 1)


def test_a_doubtful_clock_is_told_once(db: None) -> None:
    scene = Scene("tick")
    jobs.observe_clock(now=NOW, database=NOW)
    scene.supervisor.look()
    jobs.observe_clock(now=NOW + timedelta(days=400), database=NOW + timedelta(days=400))
    for _ in range(3):
        scene.supervisor.look()
    (said,) = scene.said
    assert said.startswith("The clock is 400 days ahead of its course")
    assert said.endswith("Until then, nothing expires, lapses or closes.")
    jobs.confirm_clock(now=NOW, database=NOW)
    scene.supervisor.look()
    assert scene.said[1:] == ["The clock is trusted again."]
