"""Background tasks and tick handlers of load tests."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone

from benchmarking.load_tests import actions as load_tests
from benchmarking.load_tests.models import LoadPart, LoadTest
from benchmarking.load_tests.queries import unconcluded_tests
from benchmarking.runs.tasks import Heartbeat
from governance.audit.actions import record as audit
from governance.inventory.actions import artifacts, stored_files
from governance.jobs import actions as jobs
from governance.jobs import ticks, worker_signals
from governance.jobs.enums import JobState
from governance.jobs.signs_of_life import lease_renewed
from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.converter import from_document
from weighbridge.core.errors import Refused
from weighbridge.load.generator.generator import (
    GeneratorFailed,
    GeneratorResult,
    Shard,
    generate_load,
    merge_counters,
)
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.results.report import load_document, load_manifest
from weighbridge.load.results.samples import LoadSamples, merge_samples, read_samples

JOIN_WITHIN_S, POLL_EVERY_S = 60.0, 0.2


@shared_task
def execute_load_part(part_id: int) -> None:
    """Claim and run one part of a load test; waits until every part has a worker."""
    part = jobs.claim(model=LoadPart, pk=part_id, now=timezone.now())
    if part is None:
        return
    folders = tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR)
    with audit.origin("job"), folders as folder, lease_renewed(part):
        heartbeat = Heartbeat(part)
        load_tests.join(part=part, now=timezone.now())
        try:
            fired = _fire(part, Path(folder), heartbeat)
            if fired.is_stopped:
                raise GeneratorFailed("A worker was stopped during the test; start it again.")
            upload = ContentFile(fired.samples.as_bytes(), name=f"load/{part.test.pk}-{part.number}.npz")
            stored = artifacts.store(upload=upload, by=None, now=timezone.now())
        except Refused as refused:
            # `fail` does nothing if the test has already ended: a canceled test stops its workers this way.
            load_tests.fail(test=part.test, reason=refused.reason, now=timezone.now())
        except OSError as error:
            reason = f"The files of the test could not be read or stored ({error}). Start it again when they can."
            load_tests.fail(test=part.test, reason=reason, now=timezone.now())
        else:
            load_tests.finish_part(part=part, digest=stored.digest, counters=fired.counters(), now=timezone.now())


def _plan_of(test: LoadTest, folder: Path) -> LoadPlan:
    """Return the plan, with its body file copied into a folder."""
    plan = from_document(LoadPlan, test.plan, name="plan")
    if not plan.body:
        return plan
    target = folder / Path(plan.body).name
    stored_files.fetch(digest=f"{DIGEST_PREFIX}{target.stem}", target=target, now=timezone.now())
    return replace(plan, body=str(target))


def _fire(part: LoadPart, folder: Path, heartbeat: Heartbeat) -> GeneratorResult:
    test = part.test
    started_s = time.monotonic()
    while test.starts_at is None:
        if heartbeat.should_stop():
            raise GeneratorFailed("The test was stopped before it started.")
        if time.monotonic() - started_s > JOIN_WITHIN_S:
            raise GeneratorFailed(
                f"The test needs {test.size} workers, but not all were free within {JOIN_WITHIN_S:g} s; start more "
                "workers or use fewer."
            )
        heartbeat.progress(0.0, "waiting for the other workers")
        time.sleep(POLL_EVERY_S)
        test.refresh_from_db(fields=["starts_at"])
    return generate_load(
        _plan_of(test, folder),
        PinnedAddress(**test.target),
        share=Shard(mine=[part.number], of=test.size),
        caps=LoadCaps(),
        folder=folder,
        on_progress=heartbeat.progress,
        should_stop=heartbeat.should_stop,
        starts_at_s=test.starts_at.timestamp(),
    )


@shared_task
def conclude_load_test(test_id: int) -> None:
    """Merge the samples of all parts and store the result of the test. Idempotent."""
    test = LoadTest.objects.get(pk=test_id)
    parts = list(test.parts.filter(state=JobState.DONE).order_by("number"))
    if len(parts) < test.size:
        return
    try:
        result = _result_of(test, parts)
    except stored_files.DamagedFile as damaged:
        load_tests.fail(test=test, reason=damaged.reason, now=timezone.now())
    else:
        load_tests.conclude(test=test, result=result, now=timezone.now())


def _result_of(test: LoadTest, parts: Sequence[LoadPart]) -> dict[str, Any]:
    fired = GeneratorResult(
        samples=merge_samples([_samples_of(part) for part in parts]),
        is_stopped=False,
        lost_processes=0,
        **merge_counters([part.told for part in parts]),
    )
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        plan, started_at = _plan_of(test, Path(folder)), test.starts_at or timezone.now()
        described = load_manifest(plan, PinnedAddress(**test.target))
        return load_document(plan, fired, described=described, seen=None, now=started_at)


def _samples_of(part: LoadPart) -> LoadSamples:
    with stored_files.opened(digest=part.samples_digest, now=timezone.now()) as file:
        return read_samples(file)


@ticks.on_tick(due=lambda _: [unconcluded_tests()], at_any_clock=True)
def wake_for_unconcluded(now: datetime) -> None:
    """Wake a worker for each load test whose parts are all done but whose result is missing."""
    for test_id in unconcluded_tests().values_list("pk", flat=True):
        worker_signals.wake(load_tests.CONCLUDE, test_id)
