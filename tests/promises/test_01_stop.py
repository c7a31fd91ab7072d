"""Promise 1, from inside: what a run learns when its worker is asked to stop, and what it leaves behind."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app, signals
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from benchmarking.runs import tasks as runs_tasks
from benchmarking.runs.actions import runs
from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.jobs import actions as jobs
from tests.factories.models import make_version
from tests.factories.people import make_cast
from weighbridge.client.worker import measurement
from weighbridge.systems.sandbox.process import RunCanceled

pytestmark = pytest.mark.django_db
Woken = list[tuple[Any, ...]]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> Woken:
    """The runs for which a worker was woken."""
    told: Woken = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: told.append(args))
    return told


@pytest.fixture
def run(woken: Woken, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A queued run, in a worker of its own."""
    artifacts = settings.STORAGES["artifacts"] | {"OPTIONS": {"location": tmp_path / "artifacts"}}
    settings.STORAGES = settings.STORAGES | {"artifacts": artifacts}
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    monkeypatch.setattr(runs_tasks, "_stopping", mmap.mmap(-1, 1))
    now = timezone.now()
    author = make_cast(now=now).author
    version, plan = make_version(by=author, now=now), {"scenario": "SingleStream", "min_samples": 700}
    yield runs.queue(key="r", version=version, dataset=None, plan=plan, asked_for="", by=author, now=now)
    runs_tasks._stopping.close()


def works(monkeypatch: pytest.MonkeyPatch, *, meanwhile: Any) -> None:
    """In the place of a measurement: something happens meanwhile, then it looks whether to go on."""

    def profile(*, should_stop: Any, **_: Any) -> None:
        assert not should_stop()
        meanwhile()
        assert should_stop()
        raise RunCanceled("asked to stop")

    monkeypatch.setattr(measurement, "run_isolated", profile)


def test_a_worker_asked_to_stop_hands_its_run_back_without_using_up_an_attempt(
    run: Run,
    woken: Woken,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    works(monkeypatch, meanwhile=lambda: signals.worker_shutting_down.send(sender="w", sig="SIGTERM", how="Warm"))
    with django_capture_on_commit_callbacks(execute=True):
        runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts, run.fence, run.lease_until) == ("queued", 0, 1, None)
    assert run.error == runs_tasks.STOPPED
    assert run.next_attempt_at <= timezone.now()
    assert woken == [(run.pk,)]


def test_a_run_that_was_canceled_meanwhile_stays_canceled(
    run: Run,
    woken: Woken,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def cancel() -> None:
        jobs.cancel(row=run, by=run.started_by, now=timezone.now())
        runs_tasks.stop_working()

    works(monkeypatch, meanwhile=cancel)
    with django_capture_on_commit_callbacks(execute=True):
        runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error) == ("canceled", "")
    assert woken == []
    assert AuditEvent.objects.order_by("position").last().kind == "run.canceled"
