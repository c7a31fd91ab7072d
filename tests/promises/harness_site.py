"""One installation whose processes are forked from this one, so that a hundred can die in a minute.

This process imports everything once and has no thread; a child becomes a Celery worker, the web process or
the tick, in a process group of its own, and dies with this one. One worker is an interpreter of its own instead.
"""

import contextlib
import json
import mmap
import os
import shutil
import signal
import socket
import sys
import time
import traceback
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

import django

django.setup()

from django.conf import settings  # noqa: E402 -- models exist after the set-up alone
from django.core.management import call_command  # noqa: E402 -- Django is set up first
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402 -- Django is set up first
from django.db import connections  # noqa: E402 -- Django is set up first
from django.utils import timezone  # noqa: E402 -- Django is set up first

from benchmarking.runs import tasks as runs_tasks  # noqa: E402 -- Django is set up first
from benchmarking.runs.models import Run  # noqa: E402 -- Django is set up first
from config.celery import app  # noqa: E402 -- Django is set up first
from config.wsgi import application  # noqa: E402 -- Django is set up first
from governance.jobs.enums import UNFINISHED  # noqa: E402 -- Django is set up first
from governance.jobs.models import OutboxMessage  # noqa: E402 -- Django is set up first
from governance.people.actions import people  # noqa: E402 -- Django is set up first
from governance.rulebook.actions import documents as rulebook  # noqa: E402 -- Django is set up first
from governance.rulebook.domain import defaults  # noqa: E402 -- Django is set up first
from reviews.requests.models import ReviewRequest  # noqa: E402 -- Django is set up first
from tests.factories import requests as walks  # noqa: E402 -- Django is set up first
from tests.factories.models import make_version  # noqa: E402 -- Django is set up first
from tests.factories.people import make_cast  # noqa: E402 -- Django is set up first
from tests.factories.policies import LEAN  # noqa: E402 -- Django is set up first
from tests.factories.tickets import make_routed_site  # noqa: E402 -- Django is set up first
from tests.promises import harness_faults, harness_line, harness_places, harness_worker  # noqa: E402 -- Django is set up first
from tests.promises.harness_calls import Call  # noqa: E402 -- Django is set up first
from weighbridge.client.worker import measurement  # noqa: E402 -- Django is set up first
from weighbridge.systems.sandbox import process  # noqa: E402 -- Django is set up first

ROLES = ("web", "effects", "effects", "bench", "bench", "tick")


class Site:
    """The processes of one installation, what killed them, and what people asked of it."""

    def __init__(self, place: harness_places.Place) -> None:
        self.place, self.children, self.killed = place, {}, Counter()
        self.notes, self.beats = place.folder / "deaths", place.folder / "beats"
        self.statuses: Counter[int | str] = Counter()
        self.slowest_s = 0.0
        self.profile: Callable[..., dict[str, Any]] = self.pretend
        self._number = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        (self.place.folder / "logs").mkdir()
        harness_worker.configure(name=self.place.name, broker=self.place.broker)
        app.send_task = lambda *arguments, **options: None  # this process wakes nobody; children do
        with self._output("set-up"):
            call_command("migrate", interactive=False, verbosity=0)
        now = timezone.now()
        cast = make_cast(now=now)
        make_routed_site(now=now, url=self.place.jira_url, token="stand-in-token", settle_s=1)
        for draft, text in (
            (rulebook.draft_checklist, defaults.text_of(defaults.CHECKLIST)),
            (rulebook.draft_policy, LEAN),
        ):
            version = draft(source=text, by=None, now=now)
            rulebook.publish(version=version, by=None, now=now)
        self.author, self.version = cast.author, make_version(by=cast.author, now=now)
        self.token = people.create_token(user=cast.author, valid_days=1, by=None, now=now)
        self._warm_up()
        if self.place.line_port:
            self.spawn("line")
        return self

    def clear(self) -> None:
        """End every process, as between two trials, and forget what was counted."""
        for pid, role in list(self.children.items()):
            if role != "line":
                self.kill(pid)
        while len(self.of("line")) < len(self.children):
            self.reap()
            time.sleep(0.01)
        self.killed.clear()
        self.statuses.clear()
        self.slowest_s = 0.0
        self.profile = self.pretend
        for counted in (self.notes, self.beats):
            counted.unlink(missing_ok=True)

    def __exit__(self, *_: object) -> None:
        for pid in list(self.children):
            self.kill(pid)
            os.waitpid(pid, 0)
        self._listener.close()
        connections.close_all()

    def _warm_up(self) -> None:
        """Import here what every child would otherwise import anew."""
        import jira  # noqa: F401 -- the tracker imports it late
        from django.test import Client

        harness_worker.preload(broker=self.place.broker)
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(self.author)
        self.session = client.cookies["sessionid"].value
        for path in ("/requests/", "/api/v1/requests/"):
            assert client.get(path).status_code == 200

    @contextlib.contextmanager
    def _output(self, name: str) -> Any:
        with (self.place.folder / "logs" / f"{name}.log").open("a") as log, contextlib.redirect_stdout(log):
            yield

    def spawn(self, role: str, point: str = "", nth: int = 1) -> int:
        """Fork a process; with `point` it dies there."""
        connections.close_all()
        sys.stdout.flush()
        child = os.fork()
        if child:
            self.children[child] = role
            return child
        code = 1
        try:
            os.setsid()
            harness_places.die_with_parent()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            log = os.open(self.place.folder / "logs" / f"{role}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            if role == "fresh":
                self._become_fresh(point)
            del app.send_task
            measurement.run_isolated = self.profile
            runs_tasks._stopping = mmap.mmap(-1, 1)  # a worker of its own, not a part of this process
            if point:
                harness_faults.arm(role=role, point=point, nth=nth, note=self.notes)
            getattr(self, f"_be_{role}")()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0) if isinstance(end.code, int | None) else 1
        except BaseException:  # noqa: BLE001 -- the child must never come back into the trial
            traceback.print_exc()
        finally:
            os._exit(code)

    def _be_effects(self) -> None:
        harness_worker.work(name=self.place.name, queue="effects")

    def _be_bench(self) -> None:
        harness_worker.work(name=self.place.name, queue="bench")

    def _become_fresh(self, point: str) -> None:
        """An interpreter that knows nothing of this one, started as an operator starts a worker."""
        named = {"name": self.place.name, "broker": self.place.broker, "point": point, "note": str(self.notes)}
        os.environ[harness_worker.VARIABLE] = json.dumps(named)
        command = harness_worker.command(sys.executable, name=self.place.name)
        os.execv(command[0], command)

    def _be_web(self) -> None:
        server = ThreadedWSGIServer(
            ("127.0.0.1", self.port), WSGIRequestHandler, bind_and_activate=False, allow_reuse_address=True
        )
        server.socket.close()
        server.socket, server.server_name, server.server_port = self._listener, "127.0.0.1", self.port
        server.setup_environ()
        server.set_app(application)
        server.serve_forever(poll_interval=0.05)

    def _be_tick(self) -> None:
        call_command("tick", every=2.0)

    def _be_line(self) -> None:
        """The wire to the broker, which a trial can cut without touching the broker of others."""
        harness_line.serve(self.place.line_port, harness_places.BROKERS[self.place.broker])

    def kill(self, pid: int) -> None:
        """kill -9 of a whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)

    def of(self, role: str) -> list[int]:
        """The processes of a role."""
        return [pid for pid, named in self.children.items() if named == role]

    def reap(self) -> list[tuple[str, int]]:
        """Those that ended since the last look: role and exit code, -9 where it was killed."""
        ended = []
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            role = self.children.pop(pid, "")
            self.kill(pid)  # whatever is left of its group
            ended.append((role, os.waitstatus_to_exitcode(status)))
        return ended

    def cut(self) -> None:
        """Take the broker away."""
        for pid in self.of("line"):
            self.kill(pid)
        if self.place.broker == "filesystem":
            shutil.move(settings.BROKER_FOLDER, self.place.folder / "broker.away")
            settings.BROKER_FOLDER.write_text("no folder any more")

    def mend(self) -> None:
        """Give the broker back."""
        if self.place.broker == "filesystem":
            settings.BROKER_FOLDER.unlink()
            shutil.move(self.place.folder / "broker.away", settings.BROKER_FOLDER)
        else:
            self.spawn("line")

    def pretend(self, *, on_progress: Any, should_stop: Any, workdir: Any, model: Any, **_: Any) -> dict[str, Any]:
        """In the place of a measurement: a while of work that leaves a line at each step."""
        run = on_progress.__self__.run
        for step in range(6):
            self.beat(run, step)
            on_progress(step / 6, "pretending")
            if should_stop():
                raise process.RunCanceled("no longer ours")
            time.sleep(0.05)
        return walks.result_of()

    def beat(self, run: Run, step: int | str) -> None:
        """One line: who works on which run, in order of time."""
        with self.beats.open("a") as beats:
            beats.write(f"{run.pk} {run.fence} {step}\n")

    def draft(self) -> ReviewRequest:
        """A request not yet submitted."""
        self._number += 1
        return walks.make_draft(
            by=self.author, now=timezone.now(), version=self.version, with_data=False, purpose=f"Purpose {self._number}"
        )

    def ask(self, method: str, path: str) -> Call:
        """A call to the web process, on its way; give it to `hear` once it is over."""
        return Call(port=self.port, method=method, path=path, headers={"Authorization": f"Token {self.token}"})

    def hear(self, call: Call) -> int | None:
        """The answer to a call that is over, counted; None where the web process died or kept silent."""
        self.statuses["died" if call.status is None else call.status] += 1
        self.slowest_s = max(self.slowest_s, call.took_s)
        return call.status

    def call(self, method: str, path: str) -> int | None:
        """Ask the web process and wait."""
        call = self.ask(method, path)
        while not call.look(within_s=1.0):
            pass
        return self.hear(call)

    def is_told(self) -> bool | None:
        """Whether a page tells its reader that work is delayed; None where no page came."""
        call = Call(port=self.port, method="GET", path="/requests/", headers={"Cookie": f"sessionid={self.session}"})
        while not call.look(within_s=1.0):
            pass
        return "Work is delayed" in call.text if self.hear(call) == 200 else None

    def open_work(self) -> int:
        """Rows that are not at their end."""
        rows = OutboxMessage.objects.filter(state__in=UNFINISHED).count()
        return rows + Run.objects.filter(state__in=UNFINISHED).count()

    def issues(self) -> list[dict[str, Any]]:
        """Every ticket that exists on the other side."""
        with urllib.request.urlopen(f"{self.place.jira_url}/_state", timeout=10) as answer:
            return list(json.load(answer)["issues"])

    def wait_for(self, what: Callable[[], Any], *, within: timedelta, said: str) -> Any:
        """Look again and again, keeping the installation alive meanwhile; AssertionError with `said` and the logs."""
        deadline = time.monotonic() + within.total_seconds()
        while time.monotonic() < deadline:
            if answer := what():
                return answer
            time.sleep(0.05)
        logs = {log.name: log.read_text()[-1500:] for log in (self.place.folder / "logs").iterdir()}
        raise AssertionError(f"{said}: not within {within}. " + "\n".join(f"[{n}] {t}" for n, t in logs.items()))
