"""The processes of one installation on one machine: web, three workers and the tick, started and stopped together."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Self

STOP_PATIENCE_S = 10.0
START_PATIENCE_S = 60.0
TICK = "tick"
QUEUES = {"effects": "effects", "packets": "packets", "bench": "bench.cpu"}
"""The queue that each worker takes messages from."""
ROOT = Path(__file__).resolve().parents[3]


class Stack:
    """Child processes that run during the `with` block, each with its own log file."""

    def __init__(self, *, logs: Path, environment: Mapping[str, str] | None = None) -> None:
        self.logs, self.environment = logs, dict(environment or {})
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        self._lock = (self.logs.parent / "stack.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            used = f"Another `make run` or `make demo` uses {self.logs.parent}."
            raise SystemExit(f"{used} Stop it first (Ctrl-C).") from error
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._lock.close()

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process in its own process group."""
        self.commands[name] = list(command)
        named = [f"{variable}={value}" for variable, value in self.environment.items()]
        with (self.logs / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(  # noqa: S603 -- our own commands, no shell
                ["/usr/bin/env", *named, *command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_all(self, *, port: int) -> None:
        """Start the web server, workers for effects, for packets and for benchmarks, and the tick."""
        self.start_web(port=port)
        worker = "celery -A config worker --loglevel INFO"
        quiet = "--without-gossip --without-mingle --without-heartbeat"
        for name, options in (
            ("effects", f"-m {worker} {quiet} -Q effects -n effects@%h"),
            ("packets", f"-m {worker} {quiet} -Q packets -n packets@%h"),
            ("bench", f"-m {worker} {quiet} -Q bench.cpu,bills,load -n bench@%h"),
            (TICK, "manage.py tick --every 2"),
        ):
            self.start(name, [sys.executable, *options.split()])

    def start_web(self, *, port: int) -> None:
        """Start the web server alone."""
        gunicorn = f"gunicorn --config python:config.web.gunicorn config.wsgi --bind 127.0.0.1:{port}"
        self.start("web", [sys.executable, "-m", *gunicorn.split()])

    def wait_for(self, url: str) -> None:
        """Wait until `url` responds. Raises SystemExit with the log's path if it does not."""
        deadline = time.monotonic() + START_PATIENCE_S
        while time.monotonic() < deadline:
            for name in self.ended():
                raise SystemExit(f"The process {name} ended immediately. See {self.logs / (name + '.log')}.")
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 -- loopback only
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit(f"{url} did not answer within {START_PATIENCE_S:g} s. See {self.logs}.")

    def ended(self) -> list[str]:
        """The names of the processes that have ended."""
        return [name for name, child in self.children.items() if child.poll() is not None]

    def restart(self, name: str) -> None:
        """Start a process again, after killing what is left of it and of its children."""
        child = self.children[name]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        self.start(name, self.commands[name])

    def stop(self) -> None:
        """Ask all processes to stop, and kill those that do not."""
        for child in self.children.values():
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE_S
        for child in self.children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.wait()
        self.children.clear()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Convert a signal to KeyboardInterrupt, so that the child processes are stopped too."""
    raise KeyboardInterrupt


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if child.poll() is None:
        target = os.killpg if number is signal.SIGKILL else os.kill
        target(child.pid, number)
