"""Writes of load tests that several workers run together. No part is ever run twice."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q

from benchmarking.load_tests.models import LoadPart, LoadTest
from benchmarking.load_tests.rules import check_load
from benchmarking.runs.enums import RunVerdict
from governance.audit.actions import record as audit
from governance.inventory.actions import artifacts
from governance.jobs import actions as jobs
from governance.jobs import worker_signals
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.kinds import JobKind, register
from governance.people.queries.people import person_of
from weighbridge.core.addresses import Resolver
from weighbridge.core.canonical import DIGEST_PREFIX, digest_of
from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.load.messages import check_public_headers, read_bodies
from weighbridge.load.plan import LoadCaps, LoadPlan, check_caps
from weighbridge.load.target import Permission, check_target

EXECUTE, CONCLUDE = (
    "benchmarking.load_tests.tasks.execute_load_part",
    "benchmarking.load_tests.tasks.conclude_load_test",
)
# Enough time for every worker to start its processes and open its connections.
LEAD = timedelta(seconds=5)
WORKERS_BODY_BYTES_MAX = 20_000_000
# The suffix determines how a body file is read.
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
    """Queue one part for each worker. Idempotent: the same `key` twice is one test.

    Each worker is one of the plan's processes. The target must be on the operator's list (`permissions`), even if it is
    this machine; its address is pinned here. `body` is a local file, stored as an artifact for the workers. Headers are
    stored with the plan, so none may be a secret.
    """
    check_load(person_of(by))
    read = from_document(LoadPlan, {**plan, "processes": workers}, name="plan")
    check_caps(read, LoadCaps())
    if read.body:
        raise Invalid("A plan for workers cannot name a body file; send the body itself.", field="body")
    if read.ca_file:
        raise Invalid("A plan for workers cannot name a file of certificates.", field="ca_file")
    if read.chat is not None:
        raise Invalid("Workers send no prompts to language models; run `weighbridge load --chat`.", field="chat")
    check_public_headers(read.headers)
    target = check_target(read.url, permissions=permissions, resolve=resolve, may_call_itself=False)
    stored = {"headers": [list(header) for header in read.headers], "body": _store_body(body, by, now) if body else ""}
    with transaction.atomic():
        test, is_new = LoadTest.objects.get_or_create(
            key=key,
            defaults={
                "plan": read.as_document() | stored,
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


def _store_body(body: Path, by: User, now: datetime) -> str:
    """Store a body file; return its SHA-256 with its suffix. Raises Invalid for a body that cannot be sent."""
    read_bodies(body)
    if body.stat().st_size > WORKERS_BODY_BYTES_MAX:
        raise Invalid(
            f"The body file may have at most {WORKERS_BODY_BYTES_MAX:,} bytes; send fewer bodies.", field="body"
        )
    stored = artifacts.store(upload=ContentFile(body.read_bytes(), name=body.name), by=by, now=now)
    return stored.digest.removeprefix(DIGEST_PREFIX) + (body.suffix if body.suffix in BODY_SUFFIXES else "")


def join(*, part: LoadPart, by: User | None = None, now: datetime) -> None:
    """Mark the part as running. The last worker to join sets the common start time."""
    with transaction.atomic():
        test = LoadTest.objects.select_for_update().get(pk=part.test_id)
        if not part.write(state=JobState.RUNNING):
            return
        _record("joined", test, by, now, {"part": part.number})
        if test.parts.filter(state=JobState.RUNNING).count() == test.size and test.starts_at is None:
            test.state, test.starts_at = JobState.RUNNING, now + LEAD
            test.save(update_fields=["state", "starts_at"])
            _record("begun", test, by, now, {"starts_at": test.starts_at})


def finish_part(
    *, part: LoadPart, digest: str, counters: Mapping[str, Any], by: User | None = None, now: datetime
) -> bool:
    """Store the samples and counters of a part; False if the worker has lost its lease. The last part triggers the
    conclusion of the test.
    """
    with transaction.atomic():
        test = LoadTest.objects.select_for_update().get(pk=part.test_id)
        is_stored = jobs.finish(row=part, now=now, progress=1.0, phase="", samples_digest=digest, told=dict(counters))
        if is_stored:
            _record("part_done", test, by, now, {"part": part.number, "samples": digest})
            if not test.parts.exclude(state=JobState.DONE).exists():
                worker_signals.wake(CONCLUDE, test.pk)
    return is_stored


def conclude(*, test: LoadTest, result: Mapping[str, Any], by: User | None = None, now: datetime) -> bool:
    """Store the combined result of all parts, once; False if the test has already ended."""
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
    """Mark a test as failed; its workers notice and stop. False if it has already ended."""
    return _end(test, JobState.FAILED, reason, by, now)


def cancel(*, test: LoadTest, by: User, now: datetime) -> None:
    """Cancel a test; its workers stop at their next heartbeat, within two seconds."""
    check_load(person_of(by))
    if not _end(test, JobState.CANCELED, "The load test was canceled.", by, now):
        raise WrongState(f"Load test {test.key} has already ended and cannot be canceled.")


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


def _record(event: str, test: LoadTest, by: User | None, now: datetime, details: dict[str, Any]) -> None:
    audit.record(kind=f"load_test.{event}", by=by, subject=("load_test", test.key), details=details, now=now)


def _lock_test(part_id: int) -> None:
    """Lock the test before its part, as `join` and `finish_part` do, to prevent deadlocks."""
    LoadTest.objects.select_for_update().get(parts=part_id)


def _end_silent(part: LoadPart, now: datetime) -> None:
    """Fail the test: the requests of a worker that stopped responding cannot be sent later."""
    fail(test=part.test, reason="A worker stopped responding during the test; start the test again.", now=now)


register(
    JobKind(
        model=LoadPart,
        queues={EXECUTE: Q()},
        name=lambda part: f"Part {part.number} of load test {part.test.key}",
        silence="The worker stopped responding.",
        check=lambda person, _: check_load(person),
        max_attempts=1,
        on_end=_end_silent,
        lock_first=_lock_test,
    )
)
