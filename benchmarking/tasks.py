"""Celery tasks of benchmarking: thin shells that fetch files, run the toolkit in a child process, and store what it says."""

import logging
import mmap
import shutil
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import shared_task, signals
from django.conf import settings
from django.core.files.storage import storages
from django.utils import timezone

from benchmarking.actions import runs
from benchmarking.models import Run
from benchmarking.queries.metrics import RUNS, untaken_since
from benchmarking.queries.sandbox import is_wall_needed
from benchmarking.toolkit.measure.scenarios import ProfileSettings, SingleStream
from benchmarking.toolkit.runners.isolated import Limits, RunCancelled, RunFailed, profile_isolated
from governance import audit, outbox, wakeups
from governance.enums import JobState
from governance.models import Pulse

EXECUTE = "benchmarking.tasks.execute_run"
PROGRESS_EVERY_S = 1.0
STOPPED = "The worker was asked to stop; the run went back to the queue, and another takes it."
OR_CHOOSE = " Or an administrator allows fewer walls on the page Sandbox (/runs/sandbox/). Then run it again."
# One byte that a worker and the processes of its pool share: a lock would stay locked when its holder is killed.
_stopping = mmap.mmap(-1, 1)
log = logging.getLogger(__name__)


@signals.worker_shutting_down.connect
def stop_working(**_: Any) -> None:
    """Let the runs of this worker go back to the queue, instead of waiting minutes for their end."""
    _stopping[0] = 1


class Heartbeat:
    """Keeps the lease while a child process works, and learns from it when the run is no longer ours."""

    def __init__(self, run: Run) -> None:
        self.run, self.is_held, self._told_at_s = run, True, 0.0

    def progress(self, share: float, phase: str) -> None:
        """Write progress and renew the lease, at most once a second."""
        if time.monotonic() - self._told_at_s >= PROGRESS_EVERY_S:
            self._told_at_s = time.monotonic()
            share = min(max(share, 0.0), 1.0)
            self.is_held = self.run.renew(
                now=timezone.now(), lease=outbox.lease(), state=JobState.RUNNING, progress=share, phase=phase[:120]
            )

    def should_stop(self) -> bool:
        """True once the run was cancelled or given to another worker, or this worker was asked to stop."""
        return not self.is_held or bool(_stopping[0])


@shared_task
def execute_run(run_id: int) -> None:
    """Execute one run, if it is due and nobody else has it."""
    run = Run.claim(pk=run_id, now=timezone.now(), lease=outbox.lease())
    if run is None:
        return
    with audit.origin("job"), tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        heartbeat = Heartbeat(run)
        heartbeat.progress(0.0, "fetching the model")
        try:
            result = _profile(run, Path(folder), heartbeat)
        except RunCancelled:
            _leave(run)
        except RunFailed as failure:
            more = OR_CHOOSE if failure.code == "no_wall" else ""
            runs.fail(run=run, reason=failure.reason + more, now=timezone.now())
        except Exception as error:
            log.exception("Run %s met a fault of ours, not of the model's.", run.pk)
            run.hand_back(
                now=timezone.now(), error=f"{type(error).__name__}: {error}", wait=outbox.backoff(run.attempts)
            )
        else:
            runs.finish(run=run, result=result, now=timezone.now())


def _leave(run: Run) -> None:
    """Nothing where the run is not ours any more. A stop is not the model's fault and uses up no attempt."""
    if run.hand_back(now=timezone.now(), error=STOPPED, attempts=run.attempts - 1):
        wakeups.wake(EXECUTE, run.pk)


def _profile(run: Run, folder: Path, heartbeat: Heartbeat) -> dict[str, object]:
    if not run.model_version.stored_as:
        raise RunFailed("The model lies elsewhere and was never uploaded, so it cannot be run here; upload the file.")
    model = _fetch(run.model_version.stored_as, folder / f"model.{run.model_version.format}")
    data = _fetch(run.dataset.stored_as, folder / "data.npz") if run.dataset else None
    return profile_isolated(
        model=model,
        settings=ProfileSettings(scenario=SingleStream(min_samples=int(run.plan["min_samples"]))),
        data=data,
        limits=Limits(wall_s=settings.WEIGHBRIDGE["RUN_WALL_S"], memory_mb=settings.WEIGHBRIDGE["RUN_MEMORY_MB"]),
        on_progress=heartbeat.progress,
        should_stop=heartbeat.should_stop,
        workdir=folder,
        needs_wall=is_wall_needed(run),
    )


def _fetch(stored_as: str, target: Path) -> Path:
    with storages["artifacts"].open(stored_as) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    return target


@outbox.on_tick
def redrive(now: datetime) -> None:
    """Bury what went silent too often, wake workers for what is due."""
    runs.bury(now=now)
    wakeups.announce(Run, EXECUTE, now=now)
    Pulse.note(name=RUNS, at=untaken_since(now=now))
