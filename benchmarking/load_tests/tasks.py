"""Work that a worker or the tick does."""

import tempfile
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone

from benchmarking.load_tests import actions as load_tests
from benchmarking.load_tests.models import LoadPart, LoadTest
from benchmarking.load_tests.queries import unconcluded
from benchmarking.runs.tasks import Heartbeat, fetch_file
from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs import outbox, worker_signals
from governance.jobs.enums import JobState
from weighbridge.core.addresses import Pinned
from weighbridge.core.converter import from_document
from weighbridge.core.errors import Refused
from weighbridge.load.generator.generator import Fired, GeneratorFailed, Shard, fire
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.results.report import load_document
from weighbridge.load.results.samples import merged, read_samples

JOIN_WITHIN_S, LOOK_EVERY_S = 60.0, 0.2


@shared_task
def execute_load_part(part_id: int) -> None:
    """Fire one part of a load test, once every part has a worker, if it is due and nobody else has it."""
    part = jobs.claim(model=LoadPart, pk=part_id, now=timezone.now())
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
            # Nothing where the test had ended already, which is how a canceled one stops its workers.
            load_tests.fail(test=part.test, reason=refused.reason, now=timezone.now())
        else:
            name = f"load/{part.test.pk}-{part.number}.npz"
            stored_as = storages["artifacts"].save(name, ContentFile(fired.samples.as_bytes()))
            told = {"opened": fired.opened, "cpu_s": fired.cpu_s, "complaints": fired.complaints}
            load_tests.hand_in(part=part, stored_as=stored_as, told=told, now=timezone.now())


def _plan_of(test: LoadTest, folder: Path) -> LoadPlan:
    """The plan, its body file fetched into a folder."""
    plan = from_document(LoadPlan, test.plan, name="plan")
    return replace(plan, body=str(fetch_file(plan.body, folder / Path(plan.body).name))) if plan.body else plan


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
        share=Shard(mine=[part.number], of=test.size),
        answer_bytes=LoadCaps().answer_bytes,
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
def conclude_fired(now: datetime) -> None:
    """Wake workers for load tests that are fired and not concluded."""
    for test_id in unconcluded():
        worker_signals.wake(load_tests.CONCLUDE, test_id)
