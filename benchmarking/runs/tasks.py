"""Background tasks and tick handlers of runs."""

import logging
import mmap
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import shared_task, signals
from django.conf import settings
from django.utils import timezone

from benchmarking.runs.actions import runs
from benchmarking.runs.models import Run
from benchmarking.runs.queries.measurements import measurement_of
from benchmarking.runs.queries.prometheus import RUNS, waiting_since
from governance.audit.actions import record as audit
from governance.audit.domain import correlation as trace
from governance.inventory.actions import stored_files
from governance.jobs import actions as jobs
from governance.jobs import ticks
from governance.jobs.enums import JobState
from governance.jobs.models import Leased, Pulse
from governance.jobs.signs_of_life import lease_renewed
from weighbridge.client.worker.measurement import execute
from weighbridge.core.errors import Refused
from weighbridge.systems.sandbox.process import RunCanceled

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
STOPPED = "The worker was stopped. The run is queued again for another worker."
OR_CHOOSE = (
    " Or ask an administrator to allow runs without bubblewrap on the Sandbox page (/sandbox/). Then run it again."
)
# One byte shared by a worker and its pool processes. A lock would stay locked if its holder were killed.
_stopping = mmap.mmap(-1, 1)


@signals.worker_shutting_down.connect
def stop_working(**_: Any) -> None:
    """Return the runs of this worker to the queue instead of waiting minutes for their end."""
    _stopping[0] = 1


class Heartbeat:
    """Renews the lease while a child process works, and detects when the lease is lost."""

    def __init__(self, run: Leased) -> None:
        self.run, self.is_held, self._told_at_s = run, True, 0.0

    def progress(self, share: float, phase: str) -> None:
        """Write progress and renew the lease, at most once a second."""
        if time.monotonic() - self._told_at_s >= PROGRESS_EVERY_S:
            self._told_at_s = time.monotonic()
            share = min(max(share, 0.0), 1.0)
            self.is_held = jobs.renew(
                row=self.run, now=timezone.now(), state=JobState.RUNNING, progress=share, phase=phase[:120]
            )

    def should_stop(self) -> bool:
        """True once the run was canceled or given to another worker, or this worker was asked to stop."""
        return not self.is_held or bool(_stopping[0])


@shared_task
def execute_run(run_id: int) -> None:
    """Claim and execute one run; does nothing if it is not due or another worker has it."""
    run = jobs.claim(model=Run, pk=run_id, now=timezone.now())
    if run is None:
        return
    folders = tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR)
    caused = trace.correlated(user_id=str(run.started_by_id or ""))
    with audit.origin("job"), caused, folders as folder, lease_renewed(run):
        heartbeat = Heartbeat(run)
        heartbeat.progress(0.0, "fetching the model")
        try:
            result = _measure(run, Path(folder), heartbeat)
        except RunCanceled:
            _leave(run)
        except Refused as failure:
            more = OR_CHOOSE if failure.code == "no_wall" else ""
            jobs.fail(row=run, reason=failure.reason + more, now=timezone.now())
        except Exception as error:
            log.exception("Run %s failed because of an internal error, not because of the model.", run.pk)
            jobs.put_back(row=run, error=error, now=timezone.now())
        else:
            runs.finish(run=run, result=result, now=timezone.now())


@shared_task
def execute_run_on_gpu(run_id: int) -> None:
    """Execute one run on a machine with a GPU; these workers listen to another queue."""
    execute_run(run_id)


def _leave(run: Run) -> None:
    """Return the run to the queue unless the lease is lost. A stopped worker does not use up an attempt."""
    if run.hand_back(now=timezone.now(), error=STOPPED, attempts=run.attempts - 1):
        jobs.wake_for(row=run)


def _measure(run: Run, folder: Path, heartbeat: Heartbeat) -> dict[str, Any]:
    """Measure private copies of the files; their bytes have the registered digests."""

    def fetch(digest: str, target: Path) -> Path:
        return stored_files.fetch(digest=digest, target=target, now=timezone.now())

    follow = heartbeat.progress, heartbeat.should_stop
    return execute(measurement_of(run), fetch=fetch, folder=folder, follow=follow, now=timezone.now)


@ticks.on_tick(due=lambda now: [*Run.waiting(now=now), Pulse.objects.filter(name=RUNS)], at_any_clock=True)
def record_untaken(now: datetime) -> None:
    """Record since when no worker has taken a due run."""
    Pulse.record(name=RUNS, at=waiting_since(now=now))
