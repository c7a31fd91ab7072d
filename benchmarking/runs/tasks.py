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
from benchmarking.runs.domain.alternatives import wanted_from
from benchmarking.runs.domain.evaluation_sets import DatasetStatus
from benchmarking.runs.domain.routing import hardware_of
from benchmarking.runs.domain.runnable import SYSTEMS
from benchmarking.runs.models import Run
from benchmarking.runs.queries.prometheus import RUNS, waiting_since
from benchmarking.runs.queries.runs import rivals_of
from benchmarking.runs.queries.sandbox import is_wall_needed
from governance.audit.actions import record as audit
from governance.audit.domain import correlation as trace
from governance.inventory.actions import stored_files
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import Leased, Pulse
from governance.jobs.signs_of_life import lease_renewed
from governance.rulebook.domain.benchmark_plans import HardwareClass
from weighbridge.core.errors import Refused
from weighbridge.core.model_files.formats import suffix_of
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.quality.verdict import OWN_LABELS, with_own_labels_void
from weighbridge.measure.scenarios import SCENARIOS, ProfileSettings, RuntimeSettings
from weighbridge.measure.studies.rerun import settings_in
from weighbridge.optimization.alternatives import ALTERNATIVES, measure_alternatives
from weighbridge.quality.checks import is_perfect
from weighbridge.systems.sandbox.isolated import check_same_isolation, require_bubblewrap, run_isolated
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
PROVIDERS = {HardwareClass.CPU: "cpu", HardwareClass.GPU: "cuda"}
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


def _measure(run: Run, folder: Path, heartbeat: Heartbeat) -> dict[str, object]:
    if not run.model_version.stored_as:
        raise RunFailed("The model file was never uploaded, so it cannot be run here; upload the file.")
    model = _fetched(run.model_version.digest, folder / f"model{suffix_of(run.model_version.format)}")
    data = _fetched(run.dataset.digest, folder / "data.npz") if run.dataset else None
    limits = Limits(wall_s=settings.WEIGHBRIDGE["RUN_WALL_S"], memory_mb=settings.WEIGHBRIDGE["RUN_MEMORY_MB"])
    follow = heartbeat.progress, heartbeat.should_stop
    needs_wall = is_wall_needed(run)
    if run.repeats is not None and run.repeats.result is not None:
        check_same_isolation(run.repeats.result)
    is_governed = run.dataset is not None and run.dataset.status == DatasetStatus.GOVERNED
    if run.scenario == ALTERNATIVES and data is not None:
        require_bubblewrap(needs_wall=needs_wall)
        wanted = wanted_from(run.plan)
        rivals = {
            family: _fetched(version.digest, folder / f"rival-{version.pk}.onnx")
            for family, version in rivals_of(wanted)
        }
        candidates = measure_alternatives(
            wanted, model=model, rivals=rivals, data=data, limits=limits, folder=folder, follow=follow, now=timezone.now
        )
        return candidates if is_governed else _with_labels_checked(candidates)
    on_progress, should_stop = follow
    result = run_isolated(
        model=model,
        settings=_settings_of(run),
        data=data,
        limits=limits,
        on_progress=on_progress,
        should_stop=should_stop,
        workdir=folder,
        system=SYSTEMS[run.model_version.format],
        needs_wall=needs_wall,
    )
    return result if is_governed else with_own_labels_void(result)


def _with_labels_checked(result: dict[str, Any]) -> dict[str, Any]:
    """Raise RunFailed if the labels are the answers of the model itself: its variants cannot be judged by them."""
    baseline = next(candidate for candidate in result["candidates"] if candidate["name"] == result["baseline"])
    accuracy = baseline["metrics"].get("accuracy")
    if accuracy is not None and is_perfect(accuracy["value"], accuracy["n"]):
        raise RunFailed(OWN_LABELS.message, code="quality_void")
    return result


def _settings_of(run: Run) -> ProfileSettings:
    """Return the settings: from the plan, or from the manifest of the run that this run repeats."""
    plan = run.plan
    if run.repeats is not None and run.repeats.result is not None:
        repeated = settings_in(run.repeats.result["manifest"])
        if repeated.engine.provider != PROVIDERS[hardware_of(plan)]:
            raise RunFailed("The repeated run used a different machine type than its plan specifies.")
        return repeated
    scenario = SCENARIOS[plan["scenario"]](min_samples=int(plan["min_samples"]), **plan.get("settings", {}))
    return ProfileSettings(
        scenario=scenario,
        engine=RuntimeSettings(provider=PROVIDERS[hardware_of(plan)]),
        inputs=InputSettings(dims=plan.get("sizes", {})),
        metrics=tuple(plan.get("metrics", ())),
    )


def _fetched(digest: str, target: Path) -> Path:
    """The private copy that is measured; its bytes have the registered digest."""
    return stored_files.fetch(digest=digest, target=target, now=timezone.now())


@outbox.on_every_tick
def record_untaken(now: datetime) -> None:
    """Record since when no worker has taken a due run."""
    Pulse.record(name=RUNS, at=waiting_since(now=now))
