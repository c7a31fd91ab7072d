"""The program of a worker over HTTP against a real server: a real model, a killed link, a restart, a stop."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from benchmarking.runs.actions import runs
from benchmarking.runs.models import Run
from benchmarking.runs.queries.runs import describe
from governance.audit.models import AuditEvent
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from tests.factories.models import make_dataset, make_version, onnx_bytes
from tests.factories.people import Cast, make_cast
from tests.factories.requests import result_of
from tests.factories.sandbox import allow_any_walls
from tests.factories.wire import Wire, wire_to
from tests.factories.workers import Elsewhere, make_worker
from weighbridge.client.server import PlatformServer, ServerRefused
from weighbridge.client.worker import measurement
from weighbridge.client.worker.cache import FileCache
from weighbridge.client.worker.link import WorkerLink
from weighbridge.client.worker.program import STOPPED, BenchmarkWorker
from weighbridge.core.converter import to_document
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.systems.sandbox.bubblewrap import BUBBLEWRAP
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = {
    "scenario": "SingleStream",
    "min_samples": 64,
    "settings": {"min_duration_s": 0.1},
}
SHORT_S, USUAL_S = 6, 20
PATIENCE_S = 120.0


def wait_until(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def state() -> str:
    return Run.objects.get().state


@pytest.fixture
def cast(transactional_db: None, now: datetime, settings: Settings) -> Cast:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"LEASE_S": USUAL_S}
    return make_cast(now=now)


@pytest.fixture
def rack(cast: Cast, now: datetime) -> Elsewhere:
    return make_worker(cast=cast, now=now)


@pytest.fixture
def version(cast: Cast, now: datetime) -> ModelVersion:
    return make_version(by=cast.author, now=now)


@pytest.fixture
def run(cast: Cast, version: ModelVersion, now: datetime) -> Run:
    data = make_dataset(by=cast.author, now=now)
    return runs.queue(key="r", version=version, dataset=data, plan=PLAN, asked_for="", by=cast.author, now=now)


@pytest.fixture
def wire(live_server: LiveServer) -> Iterator[Wire]:
    with wire_to(live_server.thread.host, live_server.thread.port) as wire:
        yield wire


class Bench:
    """A stand-in for the sandbox: it measures until it is told to end, and follows like the real one."""

    def __init__(self) -> None:
        self.begun, self.may_end, self.calls = threading.Event(), threading.Event(), 0
        self.error: Exception | None = None

    def __call__(self, *, model: Path, data: Path | None, settings: Any, **named: Any) -> dict[str, Any]:
        self.calls += 1
        self.begun.set()
        while not self.may_end.wait(0.02):
            named["on_progress"](0.5, "measuring")
            if named["should_stop"]():
                raise RunCanceled("The run was canceled.")
        if self.error is not None:
            raise self.error
        result = result_of()
        described = {
            "model": {"digest": digest_of_file(model)},
            "data": {"digest": digest_of_file(data)} if data else None,
            "settings": to_document(settings),
            "isolation": BUBBLEWRAP,
        }
        at = datetime.fromtimestamp(time.time(), UTC).isoformat()
        return {**result, "measured_at": at, "run": {"duration_s": 0.0}, "manifest": seal_manifest(described)}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench()
    monkeypatch.setattr(measurement, "run_isolated", bench)
    yield bench
    bench.may_end.set()


class Program:
    """The program in a thread of its own."""

    def __init__(self, rack: Elsewhere, url: str, folder: Path, **options: Any) -> None:
        link = WorkerLink(PlatformServer(url, rack.token, timeout_s=60.0))
        self.said: list[str] = []
        self.cache = FileCache(folder, bytes_max=options.pop("bytes_max", 1 << 20))
        given = {"clock": timezone.now, "say": self.said.append, "idle_s": 0.1} | options
        self.worker = BenchmarkWorker(link, key_pem=rack.key_pem, cache=self.cache, **given)
        self.thread = threading.Thread(target=self.worker.work, daemon=True)

    def __enter__(self) -> "Program":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        self.cache.close()


def test_a_real_model_is_measured_elsewhere(
    cast: Cast, rack: Elsewhere, run: Run, live_server: LiveServer, tmp_path: Path
) -> None:
    allow_any_walls(by=cast.admin, now=timezone.now())
    with Program(rack, live_server.url, tmp_path / "cache") as program:
        wait_until(lambda: state() in {"done", "failed"} or len(program.said) > 20)
    run.refresh_from_db()
    assert (run.state, run.error, run.attempts) == ("done", "", 1), program.said
    view = describe(run)
    assert {"latency_p95_ms", "accuracy"} <= {metric.name for metric in view.metrics}
    assert (view.worker, view.isolation != "") == ("rack-7", True)
    assert program.said == [f"run {run.pk} (r): measuring", f"run {run.pk}: done"]
    kept = {path.name for path in (tmp_path / "cache").iterdir()} - {".lock"}
    assert kept == {digest.removeprefix("sha256:") for digest in (run.model_version.digest, run.dataset.digest)}


def test_a_link_that_is_dead_for_less_than_the_lease_loses_nothing(
    rack: Elsewhere, run: Run, wire: Wire, tmp_path: Path, bench: Bench, settings: Settings
) -> None:
    """The cut is far shorter than the lease: the last renewal before it may be old already on a slow machine."""
    lease_s = 9
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"LEASE_S": lease_s}
    with Program(rack, wire.url, tmp_path / "cache") as program:
        assert bench.begun.wait(PATIENCE_S)
        wait_until(lambda: state() == "running")
        wire.cut()
        time.sleep(lease_s * 0.1)
        wire.mend()
        time.sleep(lease_s * 1.1)
        assert (state(), program.said[-1]) == ("running", f"run {run.pk} (r): measuring")
        bench.may_end.set()
        wait_until(lambda: state() == "done")
    run.refresh_from_db()
    assert (run.attempts, bench.calls) == (1, 1)


def test_a_link_that_is_dead_for_longer_kills_the_sandbox_and_the_run_goes_on(
    cast: Cast,
    rack: Elsewhere,
    run: Run,
    wire: Wire,
    live_server: LiveServer,
    tmp_path: Path,
    bench: Bench,
    settings: Settings,
) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"LEASE_S": SHORT_S}
    with Program(rack, wire.url, tmp_path / "one") as program:
        assert bench.begun.wait(PATIENCE_S)
        wire.cut()
        wait_until(lambda: any("left" in words for words in program.said))
        left = "The server did not answer for as long as the lease lasts."
        assert f"run {run.pk}: left, {left}" in program.said
        other = make_worker(cast=cast, now=timezone.now(), name="rack-8")
        bench.may_end.set()
        with Program(other, live_server.url, tmp_path / "two"):
            wait_until(lambda: state() == "done")
        wire.mend()
    run.refresh_from_db()
    assert (describe(run).worker, run.attempts, bench.calls) == ("rack-8", 2, 2)
    assert AuditEvent.objects.filter(kind="run.done").count() == 1


def test_a_link_that_dies_during_the_post_gives_one_result(
    rack: Elsewhere, run: Run, wire: Wire, tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stored the result, but both of its answers were lost."""
    send = WorkerLink.finish

    def finish(self: WorkerLink, *arguments: Any, **named: Any) -> None:
        wire.drop_answers(2)
        monkeypatch.setattr(WorkerLink, "finish", send)
        send(self, *arguments, **named)

    monkeypatch.setattr(WorkerLink, "finish", finish)
    with Program(rack, wire.url, tmp_path / "cache") as program:
        bench.may_end.set()
        wait_until(lambda: f"run {run.pk}: done" in program.said)
    assert (state(), bench.calls) == ("done", 1)
    assert AuditEvent.objects.filter(kind="run.done").count() == 1


def test_a_claim_whose_answer_was_lost_takes_one_run(
    rack: Elsewhere, run: Run, version: ModelVersion, wire: Wire, tmp_path: Path, bench: Bench
) -> None:
    runs.queue(key="2", version=version, dataset=None, plan=PLAN, asked_for="", by=run.started_by, now=timezone.now())
    wire.drop_answers(3)
    bench.may_end.set()
    with Program(rack, wire.url, tmp_path / "cache"):
        wait_until(lambda: Run.objects.filter(state="done").count() == 2)
    assert set(Run.objects.values_list("attempts", flat=True)) == {1}


def test_a_stopped_worker_gives_the_run_back(
    rack: Elsewhere, run: Run, live_server: LiveServer, tmp_path: Path, bench: Bench
) -> None:
    with Program(rack, live_server.url, tmp_path / "cache"):
        assert bench.begun.wait(PATIENCE_S)
    run.refresh_from_db()
    assert (run.state, run.attempts, run.error) == ("queued", 0, STOPPED)


def test_a_stopped_worker_without_a_link_ends_all_the_same(
    rack: Elsewhere, run: Run, wire: Wire, tmp_path: Path, bench: Bench
) -> None:
    with Program(rack, wire.url, tmp_path / "cache") as program:
        assert bench.begun.wait(PATIENCE_S)
        wire.cut()
    assert sum("does not answer" in words for words in program.said) >= 3
    assert state() in {"claimed", "running"}


def test_a_canceled_run_is_killed(
    rack: Elsewhere, run: Run, live_server: LiveServer, tmp_path: Path, bench: Bench
) -> None:
    with Program(rack, live_server.url, tmp_path / "cache") as program:
        assert bench.begun.wait(PATIENCE_S)
        jobs.cancel(row=run, by=run.started_by, now=timezone.now())
        wait_until(lambda: any("was canceled" in words for words in program.said))
    assert (state(), Run.objects.get().result) == ("canceled", None)


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (RunFailed("The run used too much memory."), ("failed", "The run used too much memory.")),
        (ValueError("It is odd."), ("queued", "ValueError: It is odd.")),
    ],
)
def test_a_failure_of_the_model_ends_the_run_and_one_of_the_machine_does_not(
    rack: Elsewhere, run: Run, live_server: LiveServer, tmp_path: Path, bench: Bench, error: Exception, ended: object
) -> None:
    bench.error = error
    bench.may_end.set()
    with Program(rack, live_server.url, tmp_path / "cache"):
        wait_until(lambda: Run.objects.get().error)
    run.refresh_from_db()
    assert ((run.state, run.error), run.attempts) == (ended, 1)


def test_a_result_that_the_server_refuses_goes_back_to_the_queue(
    cast: Cast, rack: Elsewhere, run: Run, live_server: LiveServer, tmp_path: Path, bench: Bench
) -> None:
    other = make_worker(cast=cast, now=timezone.now(), name="rack-8")
    bench.may_end.set()
    program = Program(rack, live_server.url, tmp_path / "cache")
    program.worker._key_pem = other.key_pem
    with program:
        wait_until(lambda: Run.objects.get().error)
    run.refresh_from_db()
    assert (run.state, run.attempts, "No signature on this statement" in run.error) == ("queued", 1, True)


def test_a_wrong_clock_takes_no_run(
    rack: Elsewhere, run: Run, live_server: LiveServer, tmp_path: Path, bench: Bench
) -> None:
    with Program(rack, live_server.url, tmp_path / "c", clock=lambda: timezone.now() + timedelta(days=1)) as program:
        wait_until(lambda: len(program.said) >= 2)
    assert "24 hours ahead of that of the server" in program.said[0]
    assert (state(), bench.calls) == ("queued", 0)


def test_a_download_goes_on_and_a_kept_file_is_used_again(
    rack: Elsewhere, run: Run, version: ModelVersion, live_server: LiveServer, tmp_path: Path, bench: Bench
) -> None:
    folder, whole = tmp_path / "cache", onnx_bytes()
    name = version.digest.removeprefix("sha256:")
    folder.mkdir()
    (folder / f"{name}.part").write_bytes(whole[:100])
    (folder / run.dataset.digest.removeprefix("sha256:")).write_bytes(b"not these bytes")
    bench.may_end.set()
    with Program(rack, live_server.url, folder):
        wait_until(lambda: state() == "done")
    assert (folder / name).read_bytes() == whole


def test_damaged_bytes_are_never_measured(
    rack: Elsewhere, run: Run, version: ModelVersion, live_server: LiveServer, tmp_path: Path, bench: Bench
) -> None:
    """The beginning that was kept is not of this file: the whole is fetched anew by the next attempt."""
    folder, whole = tmp_path / "cache", onnx_bytes()
    name = version.digest.removeprefix("sha256:")
    folder.mkdir()
    (folder / f"{name}.part").write_bytes(b"x" * 100)
    bench.may_end.set()
    with Program(rack, live_server.url, folder):
        wait_until(lambda: "The download has the digest" in Run.objects.get().error)
        Run.objects.update(next_attempt_at=timezone.now())
        wait_until(lambda: state() == "done")
    assert (folder / name).read_bytes() == whole


def test_a_retired_worker_ends(cast: Cast, rack: Elsewhere, live_server: LiveServer, tmp_path: Path) -> None:
    rack.account.is_active = False
    rack.account.save()
    program = Program(rack, live_server.url, tmp_path / "cache")
    with pytest.raises(ServerRefused, match="unknown, expired or revoked"):
        program.worker.work()
    program.cache.close()
