"""Celery tasks of benchmarking: thin shells that fetch files, run the toolkit in a child process, and store what it
says.
"""

import logging
import mmap
import shutil
import tempfile
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import shared_task, signals
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone

from benchmarking.actions import load_tests, runs
from benchmarking.domain.alternatives import ALTERNATIVES, wanted_from
from benchmarking.domain.routing import TASKS, hardware_of, task_of
from benchmarking.models import LoadPart, LoadTest, Run
from benchmarking.queries.load_tests import unconcluded
from benchmarking.queries.metrics import RUNS, untaken_since
from benchmarking.queries.runs import of_kind, rivals_of
from benchmarking.queries.sandbox import is_wall_needed
from benchmarking.toolkit.alternatives import measure_alternatives
from benchmarking.toolkit.load.generator import Fired, GeneratorFailed, Share, fire
from benchmarking.toolkit.load.plan import Caps, Plan, plan_from
from benchmarking.toolkit.load.report import load_document
from benchmarking.toolkit.load.samples import merged, read_samples
from benchmarking.toolkit.measure.scenarios import SCENARIOS, Engine, ProfileSettings
from benchmarking.toolkit.rerun import settings_in
from benchmarking.toolkit.runners.isolated import (
    Limits,
    RunCancelled,
    RunFailed,
    check_repeat,
    check_wall,
    profile_isolated,
)
from governance import audit, outbox, wakeups
from governance.domain.addresses import Pinned
from governance.domain.plans import Hardware
from governance.domain.refusals import Refused
from governance.enums import JobState
from governance.models import Pulse

PROGRESS_EVERY_S = 1.0
JOIN_WITHIN_S, LOOK_EVERY_S = 60.0, 0.2
PROVIDERS = {Hardware.CPU: "cpu", Hardware.GPU: "cuda"}
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

    def __init__(self, run: Run | LoadPart) -> None:
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
            result = _measure(run, Path(folder), heartbeat)
        except RunCancelled:
            _leave(run)
        except Refused as failure:
            more = OR_CHOOSE if failure.code == "no_wall" else ""
            runs.fail(run=run, reason=failure.reason + more, now=timezone.now())
        except Exception as error:
            log.exception("Run %s met a fault of ours, not of the model's.", run.pk)
            run.hand_back(
                now=timezone.now(), error=f"{type(error).__name__}: {error}", wait=outbox.backoff(run.attempts)
            )
        else:
            runs.finish(run=run, result=result, now=timezone.now())


@shared_task
def execute_run_on_gpu(run_id: int) -> None:
    """The same, by a worker of a machine that has an accelerator: it listens to another queue."""
    execute_run(run_id)


def _leave(run: Run) -> None:
    """Nothing where the run is not ours any more. A stop is not the model's fault and uses up no attempt."""
    if run.hand_back(now=timezone.now(), error=STOPPED, attempts=run.attempts - 1):
        wakeups.wake(task_of(run.plan), run.pk)


def _measure(run: Run, folder: Path, heartbeat: Heartbeat) -> dict[str, object]:
    if not run.model_version.stored_as:
        raise RunFailed("The model lies elsewhere and was never uploaded, so it cannot be run here; upload the file.")
    model = _fetch(run.model_version.stored_as, folder / f"model.{run.model_version.format}")
    data = _fetch(run.dataset.stored_as, folder / "data.npz") if run.dataset else None
    limits = Limits(wall_s=settings.WEIGHBRIDGE["RUN_WALL_S"], memory_mb=settings.WEIGHBRIDGE["RUN_MEMORY_MB"])
    follow = heartbeat.progress, heartbeat.should_stop
    needs_wall = is_wall_needed(run)
    if run.repeats is not None and run.repeats.result is not None:
        check_repeat(run.repeats.result)
    if run.scenario == ALTERNATIVES and data is not None:
        check_wall(needs_wall=needs_wall)
        wanted = wanted_from(run.plan)
        rivals = {
            family: _fetch(version.stored_as, folder / f"rival-{version.pk}.onnx")
            for family, version in rivals_of(wanted)
        }
        return measure_alternatives(
            wanted, model=model, rivals=rivals, data=data, limits=limits, folder=folder, follow=follow, now=timezone.now
        )
    on_progress, should_stop = follow
    return profile_isolated(
        model=model,
        settings=_settings_of(run),
        data=data,
        limits=limits,
        on_progress=on_progress,
        should_stop=should_stop,
        workdir=folder,
        needs_wall=needs_wall,
    )


def _settings_of(run: Run) -> ProfileSettings:
    """What the plan asks for; of a run that repeats a measured one, what that one's manifest says it was
    measured with.
    """
    plan = run.plan
    if run.repeats is not None and run.repeats.result is not None:
        found = settings_in(run.repeats.result["manifest"])
        if found.engine.provider != PROVIDERS[hardware_of(plan)]:
            raise RunFailed("The repeated run used another kind of machine than its plan names.")
        return found
    scenario = SCENARIOS[plan["scenario"]](min_samples=int(plan["min_samples"]), **plan.get("settings", {}))
    return ProfileSettings(scenario=scenario, engine=Engine(provider=PROVIDERS[hardware_of(plan)]))


def _fetch(stored_as: str, target: Path) -> Path:
    with storages["artifacts"].open(stored_as) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    return target


@shared_task
def execute_load_part(part_id: int) -> None:
    """Fire one part of a load test, once every part has a worker, if it is due and nobody else has it."""
    part = LoadPart.claim(pk=part_id, now=timezone.now(), lease=outbox.lease())
    if part is None:
        return
    with audit.origin("job"), tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        heartbeat = Heartbeat(part)
        load_tests.join(part=part, now=timezone.now())
        try:
            fired = _fire(part, Path(folder), heartbeat)
            if fired.is_stopped:
                raise GeneratorFailed("A worker was stopped during the test; start it again.")
        except Refused as refused:
            # Nothing where the test had ended already, which is how a cancelled one stops its workers.
            load_tests.fail(test=part.test, reason=refused.reason, now=timezone.now())
        else:
            name = f"load/{part.test.pk}-{part.number}.npz"
            stored_as = storages["artifacts"].save(name, ContentFile(fired.samples.as_bytes()))
            told = {"opened": fired.opened, "cpu_s": fired.cpu_s, "complaints": fired.complaints}
            load_tests.hand_in(part=part, stored_as=stored_as, told=told, now=timezone.now())


def _plan_of(test: LoadTest, folder: Path) -> Plan:
    """The plan, its body file fetched into a folder."""
    plan = plan_from(test.plan)
    return replace(plan, body=str(_fetch(plan.body, folder / Path(plan.body).name))) if plan.body else plan


def _fire(part: LoadPart, folder: Path, heartbeat: Heartbeat) -> Fired:
    test = part.test
    begun_s = time.monotonic()
    while test.starts_at is None:
        if heartbeat.should_stop():
            raise GeneratorFailed("The test was stopped before it began.")
        if time.monotonic() - begun_s > JOIN_WITHIN_S:
            raise GeneratorFailed(
                f"Not all of the {test.size} workers were free within {JOIN_WITHIN_S:.0f} s; start more, or ask for "
                "fewer."
            )
        heartbeat.progress(0.0, "waiting for the other workers")
        time.sleep(LOOK_EVERY_S)
        test.refresh_from_db(fields=["starts_at"])
    return fire(
        _plan_of(test, folder),
        Pinned(**test.target),
        share=Share(mine=[part.number], of=test.size),
        answer_bytes=Caps().answer_bytes,
        folder=folder,
        on_progress=heartbeat.progress,
        should_stop=heartbeat.should_stop,
        starts_at_s=test.starts_at.timestamp(),
    )


@shared_task
def conclude_load_test(test_id: int) -> None:
    """Lay the samples of a test's parts together and keep what they say; harmless when repeated."""
    test = LoadTest.objects.get(pk=test_id)
    parts = list(test.parts.filter(state=JobState.DONE).order_by("number"))
    if len(parts) < test.size:
        return
    samples = []
    for part in parts:
        with storages["artifacts"].open(part.samples_stored_as, "rb") as file:
            samples.append(read_samples(file))
    fired = Fired(
        samples=merged(samples),
        is_stopped=False,
        lost_processes=0,
        opened=sum(part.told["opened"] for part in parts),
        cpu_s=sum(part.told["cpu_s"] for part in parts),
        complaints={kind: text for part in parts for kind, text in part.told["complaints"].items()},
    )
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        plan, begun = _plan_of(test, Path(folder)), test.starts_at or timezone.now()
        result = load_document(plan, Pinned(**test.target), fired, seen=None, now=begun)
    load_tests.conclude(test=test, result=result, now=timezone.now())


@outbox.on_tick
def redrive(now: datetime) -> None:
    """Bury what went silent too often, wake workers for what is due."""
    runs.bury(now=now)
    load_tests.bury(now=now)
    wakeups.announce(LoadPart, load_tests.EXECUTE, now=now)
    for test_id in unconcluded():
        wakeups.wake(load_tests.CONCLUDE, test_id)
    for hardware, task in TASKS.items():
        wakeups.announce(Run, task, now=now, among=of_kind(hardware))
    Pulse.note(name=RUNS, at=untaken_since(now=now))
