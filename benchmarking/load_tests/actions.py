"""Writes of load tests that several workers fire together. No part is ever fired twice."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Q

from benchmarking.load_tests.models import LoadPart, LoadTest
from benchmarking.load_tests.rules import check_load
from benchmarking.runs.enums import RunVerdict
from governance.audit.actions import record as audit
from governance.jobs import actions as jobs
from governance.jobs import worker_signals
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.kinds import JobKind, register
from governance.people.queries.people import person_of
from weighbridge.core.addresses import Resolver
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.load.messages import check_open, read_bodies
from weighbridge.load.plan import LoadCaps, LoadPlan, check_caps
from weighbridge.load.target import Permission, check_target

EXECUTE, CONCLUDE = (
    "benchmarking.load_tests.tasks.execute_load_part",
    "benchmarking.load_tests.tasks.conclude_load_test",
)
# Long enough for every worker to start its processes and open its connections.
LEAD = timedelta(seconds=5)
WORKERS_BODY_BYTES_MAX = 20_000_000
# The ends of names that say how a body file is read.
BODY_SUFFIXES = {".json", ".jsonl", ".npz"}


def start(
    *,
    key: str,
    plan: Mapping[str, Any],
    workers: int,
    permissions: Sequence[Permission],
    resolve: Resolver,
    by: User,
    now: datetime,
    body: Path | None = None,
) -> LoadTest:
    """Queue one part for each worker; the same `key` twice is one test.

    Each worker is one of the plan's processes. The target must be on the operator's list (`permissions`), this machine
    like any other; its address is pinned here.
    `body` is a file at hand, kept as an artifact for the workers; headers are kept with the plan, so none may be a
    secret.
    """
    check_load(person_of(by))
    read = from_document(LoadPlan, {**plan, "processes": workers}, name="plan")
    check_caps(read, LoadCaps())
    if read.body:
        raise Invalid("A plan of workers names no file of theirs; give the body itself.", field="body")
    check_open(read.headers)
    target = check_target(read.url, permissions=permissions, resolve=resolve, may_call_itself=False)
    kept = {"headers": [list(header) for header in read.headers], "body": _keep(body) if body else ""}
    with transaction.atomic():
        test, is_new = LoadTest.objects.get_or_create(
            key=key,
            defaults={
                "plan": read.as_document() | kept,
                "target": asdict(target),
                "size": workers,
                "started_by": by,
                "created_at": now,
            },
        )
        if is_new:
            for number in range(workers):
                part = LoadPart.objects.create(test=test, number=number, **jobs.queued(model=LoadPart, now=now))
                jobs.wake_for(row=part)
            _record("queued", test, by, now, {"plan": test.plan, "target": test.target, "workers": workers})
    return test


def _keep(body: Path) -> str:
    """Lay a body file where every worker finds it, under its digest; return its name there. Refuses what cannot be
    sent.
    """
    read_bodies(body)
    if body.stat().st_size > WORKERS_BODY_BYTES_MAX:
        raise Invalid(f"Workers fetch bodies of at most {WORKERS_BODY_BYTES_MAX:,} bytes; send fewer.", field="body")
    content = body.read_bytes()
    name = f"load/bodies/{hashlib.sha256(content).hexdigest()}{body.suffix if body.suffix in BODY_SUFFIXES else ''}"
    storage = storages["artifacts"]
    return name if storage.exists(name) else str(storage.save(name, ContentFile(content)))


def join(*, part: LoadPart, by: User | None = None, now: datetime) -> None:
    """A worker has taken its part; the last to come sets the common start."""
    with transaction.atomic():
        test = LoadTest.objects.select_for_update().get(pk=part.test_id)
        if not part.write(state=JobState.RUNNING):
            return
        _record("joined", test, by, now, {"part": part.number})
        if test.parts.filter(state=JobState.RUNNING).count() == test.size and test.starts_at is None:
            test.state, test.starts_at = JobState.RUNNING, now + LEAD
            test.save(update_fields=["state", "starts_at"])
            _record("begun", test, by, now, {"starts_at": test.starts_at})


def hand_in(*, part: LoadPart, stored_as: str, told: Mapping[str, Any], by: User | None = None, now: datetime) -> bool:
    """Keep what a worker measured; False where the part was no longer its own. The last one lets the test
    be concluded.
    """
    with transaction.atomic():
        test = LoadTest.objects.select_for_update().get(pk=part.test_id)
        kept = jobs.finish(row=part, now=now, progress=1.0, phase="", samples_stored_as=stored_as, told=dict(told))
        if kept:
            _record("part_done", test, by, now, {"part": part.number, "samples": stored_as})
            if not test.parts.exclude(state=JobState.DONE).exists():
                worker_signals.wake(CONCLUDE, test.pk)
    return kept


def conclude(*, test: LoadTest, result: Mapping[str, Any], by: User | None = None, now: datetime) -> bool:
    """Store the result of the parts together, once; False where the test had ended already."""
    with transaction.atomic():
        row = LoadTest.objects.select_for_update().get(pk=test.pk)
        if row.state not in UNFINISHED:
            return False
        row.state, row.finished_at, row.result = JobState.DONE, now, dict(result)
        row.verdict, row.result_digest = RunVerdict(result["verdict"]["status"]), digest_of(result)
        row.save(update_fields=["state", "finished_at", "result", "verdict", "result_digest"])
        _record("done", row, by, now, {"verdict": row.verdict, "result": row.result_digest})
    return True


def fail(*, test: LoadTest, reason: str, by: User | None = None, now: datetime) -> bool:
    """End a test that cannot be brought to its end; workers that still fire notice and stop. False where it
    had ended.
    """
    return _end(test, JobState.FAILED, reason, by, now)


def cancel(*, test: LoadTest, by: User, now: datetime) -> None:
    """Stop a test; its workers stop firing at their next sign of life, within a second or two."""
    check_load(person_of(by))
    if not _end(test, JobState.CANCELED, "It was canceled.", by, now):
        raise WrongState(f"Load test {test.key} has already ended; there is nothing to cancel.")


def _end(test: LoadTest, state: JobState, reason: str, by: User | None, now: datetime) -> bool:
    with transaction.atomic():
        row = LoadTest.objects.select_for_update().get(pk=test.pk)
        if row.state not in UNFINISHED:
            return False
        row.state, row.error, row.finished_at = state, reason[:4000], now
        row.save(update_fields=["state", "error", "finished_at"])
        for part in row.parts.order_by("pk"):
            jobs.abandon(row=part, by=by, now=now)
        _record(state.value, row, by, now, {"reason": reason[:400]})
    return True


def _record(word: str, test: LoadTest, by: User | None, now: datetime, details: dict[str, Any]) -> None:
    audit.record(kind=f"load_test.{word}", by=by, subject=("load_test", test.key), details=details, now=now)


def _lock_test(part_id: int) -> None:
    """Whoever joins or hands in locks the test before its part; so does everybody else."""
    LoadTest.objects.select_for_update().get(parts=part_id)


def _end_silent(part: LoadPart, now: datetime) -> None:
    """What the silent worker was to send cannot be sent later, so its test has failed."""
    fail(test=part.test, reason="A worker went silent during the test; start it again.", now=now)


register(
    JobKind(
        model=LoadPart,
        queues={EXECUTE: Q()},
        name=lambda part: f"Part {part.number} of load test {part.test.key}",
        silence="The worker went silent.",
        check=lambda person, _: check_load(person),
        max_attempts=1,
        on_end=_end_silent,
        lock_first=_lock_test,
    )
)
