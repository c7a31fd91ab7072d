"""A database that stands still: its connections end after a while, and `/livez` answers meanwhile."""

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from config.database.base import DatabaseWrapper, LimitedConnection, limit_web_requests
from tests.architecture.tree import ROOT

PATIENCE_S = 60.0


class Wire:
    """A TCP port that carries bytes to the database of the tests, until it stands still and swallows them."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.stands_still, self.is_over = threading.Event(), threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.is_over.is_set():
            if select.select([self.listener], [], [], 0.1)[0]:
                threading.Thread(target=self._carry, args=(self.listener.accept()[0],), daemon=True).start()
        self.listener.close()

    def _carry(self, near: socket.socket) -> None:
        found = connection.settings_dict
        with contextlib.suppress(OSError), near, socket.socket(socket.AF_UNIX) as far:
            far.connect(f"{found['HOST']}/.s.PGSQL.{found['PORT'] or 5432}")
            while not self.is_over.is_set():
                for source in select.select([near, far], [], [], 0.1)[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    if not self.stands_still.is_set():
                        (far if source is near else near).sendall(data)


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.is_over.set()


@pytest.fixture
def wrapper(wire: Wire, django_db_blocker: object, db: None) -> Iterator[DatabaseWrapper]:
    """A connection of its own, over the wire."""
    found = connection.settings_dict
    options = {**found["OPTIONS"], "connect_timeout": 60}
    wrapper = DatabaseWrapper({**found, "HOST": "127.0.0.1", "PORT": str(wire.port), "OPTIONS": options})
    yield wrapper
    wrapper.close()


def test_a_statement_ends_when_the_server_stands_still(wire: Wire, wrapper: DatabaseWrapper) -> None:
    wrapper.answer_s = PATIENCE_S
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert isinstance(wrapper.connection, LimitedConnection)
    assert wrapper.connection.answer_s == PATIENCE_S
    wrapper.connection.answer_s = 0.5
    wire.stands_still.set()
    began_s = time.monotonic()
    with (
        pytest.raises(OperationalError, match=r"The database did not answer within 0\.5 s\."),
        wrapper.cursor() as cursor,
    ):
        cursor.execute("SELECT 2")
    assert time.monotonic() - began_s < 60
    wire.stands_still.clear()
    wrapper.close()
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 3")
        assert cursor.fetchone() == (3,)


def test_a_connection_ends_when_the_server_stands_still(wire: Wire, wrapper: DatabaseWrapper) -> None:
    wrapper.settings_dict["OPTIONS"]["connect_timeout"] = 2
    wire.stands_still.set()
    began_s = time.monotonic()
    with pytest.raises(OperationalError, match="timeout"):
        wrapper.ensure_connection()
    assert time.monotonic() - began_s < 60


def test_without_a_limit_nothing_ends(wrapper: DatabaseWrapper) -> None:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.3), 1")
        assert cursor.fetchone()[1] == 1
    assert isinstance(wrapper.connection, LimitedConnection)
    assert wrapper.connection.answer_s is None


def test_web_processes_are_limited_on_both_sides() -> None:
    options = {"options": "-c search_path=public"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DatabaseWrapper, "answer_s", None)
        limit_web_requests(options, statement_s=20)
        assert DatabaseWrapper.answer_s == 25.0
    assert options == {"options": "-c search_path=public -c statement_timeout=20000"}


# a whole web server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(url: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": "Token wb_none"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


@pytest.fixture
def served(wire: Wire, tmp_path: Path, db: None) -> Iterator[str]:
    """Gunicorn as it is shipped, except that statements may take two seconds."""
    port, found = free_port(), connection.settings_dict
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{found['USER']}@127.0.0.1:{wire.port}/{found['NAME']}",
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "WEIGHBRIDGE_VAR": str(tmp_path / "var"),
        "WEIGHBRIDGE_STATEMENT_S": "2",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.web.gunicorn", "config.wsgi"]
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                assert status(f"http://127.0.0.1:{port}/livez") == 200
                break
            except OSError:
                assert time.monotonic() < deadline, (tmp_path / "web.log").read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def test_hanging_pages_end_and_livez_answers_meanwhile(served: str, wire: Wire) -> None:
    assert status(f"{served}/api/v1/requests/") == 401, "the database is asked for the token"
    wire.stands_still.set()
    with ThreadPoolExecutor(40) as people:
        hanging = [people.submit(status, f"{served}/api/v1/requests/") for _ in range(40)]
        time.sleep(0.5)
        began_s = time.monotonic()
        assert [status(f"{served}/livez") for _ in range(5)] == [200] * 5
        assert time.monotonic() - began_s < 60
        assert {page.result(PATIENCE_S) for page in hanging} == {503}
    wire.stands_still.clear()
    assert status(f"{served}/api/v1/requests/") == 401
