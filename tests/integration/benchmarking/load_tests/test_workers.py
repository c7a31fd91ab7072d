"""Load tests of several workers: two real ones over a real broker, and what a worker does when things go wrong."""

import errno
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from celery import Celery
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone

from benchmarking.load_tests import actions as load_tests
from benchmarking.load_tests import queries as load_tests_queries
from benchmarking.load_tests import tasks as load_tests_tasks
from benchmarking.load_tests.models import LoadPart, LoadTest
from benchmarking.runs import tasks as runs_tasks
from governance.findings.models import Finding
from governance.inventory.actions import artifacts, stored_files
from governance.jobs import actions as jobs
from governance.jobs import worker_signals as wakeups
from governance.jobs.kinds import kind_of
from tests.factories.people import Cast, make_cast
from tests.integration.benchmarking.load_tests import worker
from tests.integration.benchmarking.load_tests.audited import PLAN, claimed, started
from tests.unit.toolkit.load import stand_in_server
from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.converter import from_document
from weighbridge.load.generator.generator import GeneratorFailed, GeneratorResult
from weighbridge.load.plan import LoadPlan
from weighbridge.load.results.report import load_manifest
from weighbridge.load.results.samples import LoadSamples, RequestOutcome, read_samples

ROOT = Path(worker.__file__).parents[4]
PATIENCE_S = 120


def fired_by(number: int, *, of: int = 2, n: int = 2000, is_stopped: bool = False) -> GeneratorResult:
    """The share of one worker: each request answered after 5 ms and its number."""
    due = np.arange(number, n, of, dtype=np.int64) * 1_000_000
    done = due + 5_000_000 + number
    samples = LoadSamples(due, due, due, done, np.full(len(due), RequestOutcome.ANSWERED, dtype=np.uint8))
    complaints = {"lost": f"part {number}"}
    return GeneratorResult(
        samples=samples, is_stopped=is_stopped, lost_processes=0, opened=2, cpu_s=0.5, complaints=complaints
    )


def kept(fired: GeneratorResult, now: datetime) -> str:
    """The digest of the stored samples."""
    upload = ContentFile(fired.samples.as_bytes(), name="samples.npz")
    return artifacts.store(upload=upload, by=None, now=now).digest


@pytest.fixture
def port() -> Iterator[int]:
    program = [sys.executable, stand_in_server.__file__]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


@pytest.fixture
def workers(installation: Path, transactional_db: None) -> Iterator[Celery]:
    """Two workers, and an application that can send to them."""
    program = [sys.executable, "-m", worker.__name__, connection.settings_dict["NAME"]]
    with (installation / "workers.log").open("w") as log:
        processes = [
            subprocess.Popen([*program, str(installation)], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
            for _ in range(2)
        ]
    options = worker.broker(installation)
    yield Celery(broker="filesystem://", set_as_current=False, broker_transport_options=options)
    for process in processes:
        process.kill()
        process.wait()
    print((installation / "workers.log").read_text()[-4000:])


def fired_together(workers: Celery, test: LoadTest) -> LoadTest:
    """Wake the workers and wait until the test has ended."""
    for part in test.parts.all():
        workers.send_task(load_tests.EXECUTE, args=(part.pk,), queue="load")
    until_s = time.monotonic() + PATIENCE_S
    while test.state in {"queued", "running"} and time.monotonic() < until_s:
        time.sleep(0.2)
        test = LoadTest.objects.get(pk=test.pk)
    return test


@pytest.mark.django_db(transaction=True)
def test_two_workers_fire_one_plan_at_the_same_moment(workers: Celery, port: int, now: datetime) -> None:
    cast = make_cast(now=now)
    plan = PLAN | {"url": f"http://127.0.0.1:{port}/predict", "rate_per_s": 400, "duration_s": 3.0}
    test = started(cast, now, plan=plan)
    test = fired_together(workers, test)
    assert (test.state, test.error) == ("done", "")
    assert test.result is not None
    assert test.result["metrics"]["error_rate"]["n"] == 1200
    assert test.result["metrics"]["error_rate"]["value"] == 0
    assert test.result["measured_at"] == test.starts_at.isoformat()
    assert test.verdict == test.result["verdict"]["status"]
    shares = []
    for part in test.parts.order_by("number"):
        with stored_files.opened(digest=part.samples_digest, now=now) as file:
            shares.append(read_samples(file).scheduled_ns)
    # Interleaved requests of one schedule, and fired on one clock: both began at the common start.
    assert np.allclose(np.sort(np.concatenate(shares)), np.arange(1200) * 2_500_000, atol=1)
    assert [len(share) for share in shares] == [600, 600]
    assert {part.attempts for part in test.parts.all()} == {1}


class Hears(BaseHTTPRequestHandler):
    """Remembers each request, and answers."""

    protocol_version = "HTTP/1.1"
    heard: ClassVar[list[tuple[str, str, str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.command, self.headers["Accept-Language"], self.headers["Content-Type"], body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_the_bodies_and_headers_of_the_plan(workers: Celery, now: datetime, tmp_path: Path) -> None:
    body = tmp_path / "rows.jsonl"
    body.write_text('{"row": 1}\n{"row": 2}\n{"row": 3}\n')
    Hears.heard.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Hears) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        plan = PLAN | {
            "url": f"http://127.0.0.1:{server.server_port}/predict",
            "rate_per_s": 30,
            "duration_s": 1.0,
            "method": "POST",
            "headers": [["Accept-Language", "de"]],
        }
        test = fired_together(workers, started(make_cast(now=now), now, plan=plan, body=body))
        server.shutdown()
    assert (test.state, test.error) == ("done", "")
    assert test.result is not None
    assert test.result["metrics"]["error_rate"]["value"] == 0
    assert len(Hears.heard) == 30
    assert {heard[:3] for heard in Hears.heard} == {("POST", "de", "application/json")}
    assert Counter(heard[3] for heard in Hears.heard) == {b'{"row": %d}' % row: 10 for row in (1, 2, 3)}
    digests = test.result["manifest"]["bodies"], test.result["plan"]["headers"], test.result["plan"]["body"]
    assert digests == (load_manifest_of(body), ["Accept-Language"], Path(test.plan["body"]).name)


def load_manifest_of(body: Path) -> dict[str, Any]:
    """What a manifest says of these bodies."""
    plan = from_document(LoadPlan, PLAN | {"method": "POST", "body": str(body)}, name="plan")
    target = PinnedAddress("http", "127.0.0.1", 9, "127.0.0.1", "/predict")
    return load_manifest(plan, target)["bodies"]


@pytest.fixture
def firing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., GeneratorResult]], None]:
    """Put something else in the place of the generator."""
    return lambda stand_in: monkeypatch.setattr(load_tests_tasks, "generate_load", stand_in)


def begin(test: LoadTest) -> None:
    LoadTest.objects.filter(pk=test.pk).update(starts_at=timezone.now(), state="running")


def unconcluded() -> list[int]:
    return list(load_tests_queries.unconcluded_tests().values_list("pk", flat=True))


def test_the_shares_of_both_are_laid_together(
    cast: Cast, now: datetime, firing: Callable[[Callable[..., GeneratorResult]], None]
) -> None:
    asked: list[dict[str, Any]] = []

    def stand_in(plan: object, target: object, **more: Any) -> GeneratorResult:
        asked.append(more)
        return fired_by(more["share"].mine[0])

    firing(stand_in)
    test = started(cast, now, plan=PLAN | {"rate_per_s": 1000, "duration_s": 2.0})
    begin(test)
    first, second = test.parts.order_by("number")
    load_tests_tasks.execute_load_part(first.pk)
    load_tests_tasks.conclude_load_test(test.pk)
    assert unconcluded() == []
    test.refresh_from_db()
    assert test.state == "running"
    load_tests_tasks.execute_load_part(second.pk)
    assert unconcluded() == [test.pk]
    load_tests_tasks.conclude_load_test(test.pk)
    load_tests_tasks.conclude_load_test(test.pk)
    assert unconcluded() == []
    test.refresh_from_db()
    assert test.result is not None
    assert test.result["metrics"]["response_time_p50_ms"]["value"] == pytest.approx(5.0, abs=0.001)
    assert test.result["metrics"]["offered_per_s"]["value"] == 1000
    assert test.result["run"]["connections_opened"] == 4
    assert [each["share"].of for each in asked] == [2, 2]
    assert {each["starts_at_s"] for each in asked} == {test.starts_at.timestamp()}
    load_tests_tasks.execute_load_part(first.pk)
    assert len(asked) == 2, "a part is fired once"


def test_workers_that_do_not_all_come_end_the_test(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_tests_tasks, "JOIN_WITHIN_S", 0.3)
    test = started(cast, now)
    load_tests_tasks.execute_load_part(test.parts.get(number=0).pk)
    test.refresh_from_db()
    assert (test.state, "needs 2 workers, but not all were free" in test.error) == ("failed", True)
    load_tests_tasks.execute_load_part(test.parts.get(number=1).pk)
    assert {state for (state,) in test.parts.values_list("state")} == {"canceled"}


@pytest.mark.parametrize("how", ["canceled", "stopped", "refused"])
def test_a_test_that_is_ended_meanwhile_keeps_nothing(
    cast: Cast,
    now: datetime,
    firing: Callable[[Callable[..., GeneratorResult]], None],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.setattr(runs_tasks, "PROGRESS_EVERY_S", 0.0)
    test = started(cast, now)
    begin(test)

    def stand_in(plan: object, target: object, **more: Any) -> GeneratorResult:
        if how == "refused":
            raise GeneratorFailed("No connection.")
        if how == "canceled":
            load_tests.cancel(test=test, by=cast.approver, now=timezone.now())
            more["on_progress"](0.5, "3 done")
            assert more["should_stop"]()
        return fired_by(0, is_stopped=True)

    firing(stand_in)
    load_tests_tasks.execute_load_part(test.parts.get(number=0).pk)
    test.refresh_from_db()
    assert test.state == ("canceled" if how == "canceled" else "failed")
    assert test.result is None
    assert not LoadPart.objects.exclude(samples_digest="").exists()


def test_samples_that_cannot_be_stored_end_the_test_with_the_reason(
    cast: Cast, now: datetime, firing: Callable[[Callable[..., GeneratorResult]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> None:
        raise OSError(errno.EREMOTEIO, "The bucket does not respond")

    test = started(cast, now)
    begin(test)
    firing(lambda plan, target, **more: fired_by(0))
    monkeypatch.setattr(load_tests_tasks.artifacts, "store", away)
    load_tests_tasks.execute_load_part(test.parts.get(number=0).pk)
    test.refresh_from_db()
    assert test.state == "failed"
    assert "could not be read or stored ([Errno 121] The bucket does not respond)." in test.error


def test_a_worker_that_waits_notices_a_canceled_test(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_tasks, "PROGRESS_EVERY_S", 0.0)
    test = started(cast, now)
    monkeypatch.setattr(runs_tasks.time, "sleep", lambda _: load_tests.cancel(test=test, by=cast.approver, now=now))
    load_tests_tasks.execute_load_part(test.parts.get(number=0).pk)
    test.refresh_from_db()
    assert test.state == "canceled"


def test_samples_that_were_changed_end_the_test_without_a_result(cast: Cast, now: datetime) -> None:
    test = started(cast, now, workers=1)
    begin(test)
    digest = kept(fired_by(0, of=1), now)
    assert load_tests.finish_part(part=claimed(test, 0, now), digest=digest, counters={}, now=now)
    path = Path(storages["artifacts"].path(stored_files.name_of(digest)))
    path.write_bytes(fired_by(1, of=1).samples.as_bytes())
    load_tests_tasks.conclude_load_test(test.pk)
    test.refresh_from_db()
    assert (test.state, test.result, test.verdict) == ("failed", None, "")
    assert "was changed after it was stored" in test.error
    assert Finding.objects.get().subject == digest


def test_the_tick_ends_what_went_silent_and_wakes_who_concludes(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[tuple[str, int]] = []
    monkeypatch.setattr(wakeups, "wake", lambda task, pk: woken.append((task, pk)))
    whole, silent = started(cast, now, workers=1), started(cast, now, key="load-2")
    claimed(silent, 0, now)
    begin(whole)
    part = whole.parts.get()
    held = claimed(whole, 0, now)
    assert load_tests.finish_part(part=held, digest=kept(fired_by(0, of=1), now), counters={}, now=now)
    jobs.tick(kind=kind_of(LoadPart), now=now + timedelta(hours=1))
    load_tests_tasks.wake_for_unconcluded(now + timedelta(hours=1))
    silent.refresh_from_db()
    assert silent.state == "failed"
    assert (load_tests.CONCLUDE, whole.pk) in woken
    assert part.pk not in {pk for task, pk in woken if task == load_tests.EXECUTE}
