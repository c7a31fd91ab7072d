"""A trial with the shipped settings and the operator's own command line: `manage.py up`, whose workers are killed.

    python -m tests.promises.harness_shipped

It says in one line of JSON how many seconds a person waits for an effect after each kind of death.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.promises import harness_places

GIVES_UP_S = 240.0


def main() -> dict[str, Any]:
    """Prepare an installation, start it, let its workers die in three ways, and answer the waits."""
    with harness_places.place(broker="filesystem", database="embedded") as place:
        shipped = {"DJANGO_SETTINGS_MODULE": "config.settings.dev", "ORT_DISABLE_TELEMETRY": "1"}
        os.environ.update(shipped | {"WEIGHBRIDGE_VAR": place.environment["WEIGHBRIDGE_VAR"]})
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", interactive=False, verbosity=0)
        call_command("prepare", stdout=sys.stderr)
        with _running(place.folder / "up.log") as up:
            return _tried(up)


@contextlib.contextmanager
def _running(log: Path) -> Iterator["Up"]:
    port = harness_places.free_port()
    with log.open("w") as output:
        command = [sys.executable, "manage.py", "up", "--port", str(port)]
        process = subprocess.Popen(command, cwd=harness_places.ROOT, stdout=output, stderr=output)
        try:
            yield Up(process.pid, port, log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


class Up:
    """A running `manage.py up`."""

    def __init__(self, pid: int, port: int, log: Path) -> None:
        self.pid, self.port, self.log = pid, port, log

    def workers(self) -> list[int]:
        """Its Celery workers and all processes they have, such as those of a pool."""
        found = {pid for pid in _children(self.pid) if "celery" in _command(pid)}
        return sorted(found | {child for pid in found for child in _children(pid)})

    def status(self, path: str) -> int:
        """The status of a page; 0 while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return 0


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        listed = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        return [int(child) for children in listed for child in children]
    return []


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def _tried(up: Up) -> dict[str, Any]:
    _wait(lambda: up.status("/workz") == 200, said="the installation works")
    _waited_s("first")
    figures: dict[str, Any] = {"trial": "shipped", "kills": 0}
    died_holding = _held("held")
    for _ in range(3):
        _wait(lambda: len(up.workers()) >= 2, said="both workers were started again")
        for pid in up.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                figures["kills"] += 1
    figures["after_a_burst_of_kills_s"] = _waited_s("burst")
    figures["of_a_worker_that_died_s"] = _done_s(died_holding)
    for pid in up.workers():
        os.kill(pid, signal.SIGSTOP)
    began_s = time.monotonic()
    _enqueue("frozen")
    _wait(lambda: up.status("/workz") == 503, said="the probe knows")
    figures["told_after_s"] = round(time.monotonic() - began_s, 1)
    figures["after_a_standstill_s"] = _done_s("frozen", began_s=began_s)
    figures["said"] = up.log.read_text().count("It is started again.")
    return figures


def _enqueue(key: str) -> None:
    from django.utils import timezone

    from governance.jobs import outbox

    payload = {"user": 0, "happening": "logged_in", "at": "2026-01-01T00:00:00+00:00"}
    outbox.enqueue(kind="account.tell", key=key, lane=key, payload=payload, now=timezone.now())


def _held(key: str) -> str:
    """A message that a worker claimed just before it died."""
    from django.utils import timezone

    from governance.jobs.kinds import effect_lease
    from governance.jobs.models import OutboxMessage

    now = timezone.now()
    fields = {"kind": "account.tell", "lane": key, "payload": {"user": 0}, "max_attempts": 12}
    row = OutboxMessage.objects.create(key=key, created_at=now, next_attempt_at=now, **fields)
    assert OutboxMessage.claim(pk=row.pk, now=now, lease=effect_lease()) is not None
    return key


def _waited_s(key: str) -> float:
    began_s = time.monotonic()
    _enqueue(key)
    return _done_s(key, began_s=began_s)


def _done_s(key: str, *, began_s: float | None = None) -> float:
    """Seconds until the message is delivered; from its creation without `began_s`."""
    from governance.jobs.models import OutboxMessage

    _wait(OutboxMessage.objects.filter(key=key, state="done").exists, said=f"{key} is delivered")
    row = OutboxMessage.objects.get(key=key)
    waited = (row.finished_at - row.created_at).total_seconds() if row.finished_at else 0.0
    return round(waited if began_s is None else time.monotonic() - began_s, 1)


def _wait(condition: Any, *, said: str) -> None:
    ends_s = time.monotonic() + GIVES_UP_S
    while not condition():
        if time.monotonic() > ends_s:
            raise SystemExit(f"Not within {GIVES_UP_S:.0f} s: {said}.")
        time.sleep(0.2)


if __name__ == "__main__":
    print(json.dumps(main()))
