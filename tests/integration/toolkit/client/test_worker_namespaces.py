"""Two network namespaces on one machine: a worker has an address, a token and a key, and its link is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from benchmarking.runs.actions import runs
from benchmarking.runs.models import Run
from benchmarking.runs.queries.runs import describe
from governance.inventory.models import ModelVersion
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast, make_cast
from tests.factories.sandbox import allow_any_walls
from tests.factories.workers import Elsewhere, make_worker
from weighbridge.systems.sandbox.bubblewrap import package_root

HERE, THERE = "10.79.31.1", "10.79.31.2"
NAME, NEAR, FAR = f"wb-{os.getpid()}", f"wbn{os.getpid()}"[:15], f"wbf{os.getpid()}"[:15]
LEASE_S, CUT_S, PATIENCE_S = 12, 1.3, 120.0
PLAN = {"scenario": "SingleStream", "min_samples": 64, "settings": {"min_duration_s": 3.0}}


def ip(*words: str) -> bool:
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode == 0


def makes_namespaces() -> bool:
    """Whether the kernel and our rights allow it."""
    is_made = os.geteuid() == 0 and ip("netns", "add", f"{NAME}-try")
    return is_made and ip("netns", "del", f"{NAME}-try")


pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not makes_namespaces(), reason="network namespaces need root"),
]


@pytest.fixture
def link() -> Iterator[None]:
    """A namespace of its own, and a cable to it."""
    made = [
        ip("netns", "add", NAME),
        ip("link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", NAME),
        ip("addr", "add", f"{HERE}/30", "dev", NEAR),
        ip("link", "set", NEAR, "up"),
        ip("-n", NAME, "addr", "add", f"{THERE}/30", "dev", FAR),
        ip("-n", NAME, "link", "set", FAR, "up"),
        ip("-n", NAME, "link", "set", "lo", "up"),
    ]
    yield
    ip("link", "del", NEAR)
    ip("netns", "del", NAME)
    assert all(made)


@pytest.fixture
def cast(transactional_db: None, now: datetime, settings: Settings) -> Cast:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"LEASE_S": LEASE_S}
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, HERE]
    cast = make_cast(now=now)
    allow_any_walls(by=cast.admin, now=now)
    return cast


@pytest.fixture
def version(cast: Cast, now: datetime) -> ModelVersion:
    return make_version(by=cast.author, now=now)


@pytest.fixture
def server(link: None, cast: Cast) -> Iterator[str]:
    found = LiveServer(HERE)
    yield found.url
    found.stop()


@pytest.fixture
def worker(server: str, cast: Cast, now: datetime, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The program in the other namespace, with an environment that names nothing of the server."""
    rack: Elsewhere = make_worker(cast=cast, now=now)
    (tmp_path / "token").write_text(rack.token)
    (tmp_path / "key.pem").write_text(rack.key_pem)
    options = ["--token-file", "token", "--key", "key.pem", "--server", server, "--plain-http", "--without-bubblewrap"]
    command = ["ip", "netns", "exec", NAME, sys.executable, "-m", "weighbridge", "worker", *options]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package_root()), "PYTHONUNBUFFERED": "1"}
    with (tmp_path / "said").open("w") as said:
        program = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=said, stderr=said, text=True)
        yield program
        program.kill()
        program.wait()
    connections.close_all()


def wait_until(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


def queue(version: ModelVersion, key: str, **fields: Any) -> Run:
    by, now = version.registered_by, timezone.now()
    return runs.queue(key=key, version=version, plan=PLAN, asked_for="", by=by, now=now, **{"dataset": None} | fields)


def test_a_worker_behind_a_killed_link_loses_and_doubles_nothing(
    cast: Cast, version: ModelVersion, worker: "subprocess.Popen[str]", now: datetime, tmp_path: Path
) -> None:
    def said() -> str:
        return (tmp_path / "said").read_text()

    def state(run: Run) -> str:
        run.refresh_from_db()
        return run.state

    short = queue(version, "short", dataset=make_dataset(by=cast.author, now=now))
    wait_until(lambda: state(short) == "running")
    ip("link", "set", NEAR, "down")
    time.sleep(CUT_S)
    ip("link", "set", NEAR, "up")
    wait_until(lambda: state(short) in {"done", "failed"})
    assert (short.state, short.error, short.attempts, describe(short).worker) == ("done", "", 1, "rack-7"), said()

    long = queue(version, "long")
    wait_until(lambda: state(long) == "running")
    ip("link", "set", NEAR, "down")
    wait_until(lambda: f"run {long.pk}: left" in said())
    ip("link", "set", NEAR, "up")
    wait_until(lambda: state(long) in {"done", "failed"})
    assert (long.state, long.error, long.attempts) == ("done", "", 2), said()

    given_back = queue(version, "back")
    wait_until(lambda: state(given_back) == "running")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0, said()
    assert (state(given_back), given_back.attempts) == ("queued", 0)
    assert said().endswith(f"run {given_back.pk}: given back\n")
    assert list((tmp_path / "weighbridge-worker").glob("run-*")) == []
