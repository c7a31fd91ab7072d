"""Where a trial runs: a folder, a database and queues of its own, made for it and removed after it."""

import contextlib
import ctypes
import dataclasses
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
BROKERS = {"filesystem": 0, "redis": 6379, "rabbitmq": 5672}
PR_SET_PDEATHSIG = 1
DATABASES = {"embedded": 0, "local": 5432}


@dataclasses.dataclass(frozen=True)
class Place:
    """What belongs to one trial; `name` marks its queues and its database."""

    name: str
    folder: Path
    broker: str
    line_port: int
    server: str
    jira_url: str
    environment: dict[str, str]


def answering(ports: dict[str, int]) -> list[str]:
    """Those that need no server, and those whose server listens on this machine."""
    return [name for name, port in ports.items() if not port or _listens(port)]


def pairs() -> list[tuple[str, str]]:
    """Every broker that answers here, each with one of the databases that answer here."""
    databases = answering(DATABASES)
    return [(broker, databases[n % len(databases)]) for n, broker in enumerate(answering(BROKERS))]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def place(*, broker: str, database: str) -> Iterator[Place]:
    """Everything a trial needs, for as long as it lasts."""
    name = f"wbtrial{secrets.token_hex(4)}"
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # the embedded server runs as a user of its own
        os.environ["WEIGHBRIDGE_VAR"] = str(folder)
        (folder / "static").mkdir()
        environment = {"WEIGHBRIDGE_VAR": str(folder)}
        if database == "local":
            environment["DATABASE_URL"] = stack.enter_context(_local_database(name))
        else:
            stack.callback(_stop_embedded, folder)
        line_port = free_port() if BROKERS[broker] else 0
        if broker == "redis":
            environment["BROKER_URL"] = f"redis://127.0.0.1:{line_port}/0"
            stack.callback(_forget_redis, name)
        elif broker == "rabbitmq":
            environment["BROKER_URL"] = f"amqp://guest:guest@127.0.0.1:{line_port}//"
            stack.callback(_forget_rabbitmq, name)
        jira_url = stack.enter_context(_jira(folder))
        for variable in ("DATABASE_URL", "BROKER_URL"):
            os.environ.pop(variable, None)
        yield Place(name, folder, broker, line_port, _version_of(database), jira_url, environment)


def _version_of(database: str) -> str:
    if database == "embedded":
        return "PostgreSQL 18, embedded"
    with psycopg.connect(_local("postgres")) as connection:
        return f"PostgreSQL {connection.info.server_version // 10000}, local"


def _local(name: str) -> str:
    return f"postgresql://postgres@127.0.0.1:5432/{name}"


@contextlib.contextmanager
def _local_database(name: str) -> Iterator[str]:
    with psycopg.connect(_local("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield _local(name)
    finally:
        with psycopg.connect(_local("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _stop_embedded(folder: Path) -> None:
    environment = {**os.environ, "WEIGHBRIDGE_VAR": str(folder)}
    subprocess.run([sys.executable, "-m", "config.embedded_database", "stop"], cwd=ROOT, env=environment, check=True)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _forget_redis(name: str) -> None:
    import redis

    with redis.Redis(port=BROKERS["redis"]) as client:
        for key in client.scan_iter(f"{name}:*"):
            client.delete(key)


def _forget_rabbitmq(name: str) -> None:
    import kombu

    with kombu.Connection(f"amqp://guest:guest@127.0.0.1:{BROKERS['rabbitmq']}//") as connection:
        for queue in ("effects", "bench"):
            connection.channel().queue_delete(f"{name}.{queue}")
            connection.channel().exchange_delete(f"{name}.{queue}")


def die_with_parent(**_: Any) -> None:
    """In a child: whatever ends the trial, SIGKILL included, ends this process too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def _jira(folder: Path) -> Iterator[str]:
    """The stand-in in a process of its own: it lives on, whoever dies."""
    told = folder / "jira.address"
    command = [sys.executable, "-m", "tests.standins.jira_cloud", "--port-file", str(told)]
    command += ["--email", "bot@example.org", "--token", "stand-in-token"]
    with (folder / "jira.log").open("wb") as log:
        child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, preexec_fn=die_with_parent)  # noqa: PLW1509 -- this process has no thread
    try:
        deadline = time.monotonic() + 30
        while not told.exists():
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the stand-in of Jira did not start: {(folder / 'jira.log').read_text()}")
            time.sleep(0.05)
        yield told.read_text().strip()
    finally:
        child.kill()
        child.wait()
