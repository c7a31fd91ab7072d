"""Writes of benchmark runs. What a finished run means for a request is decided where requests live."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.domain.routing import task_of
from benchmarking.runs.enums import Verdict
from benchmarking.runs.models import Dataset, Run
from benchmarking.runs.rules import check_cancel, check_repeat
from governance.audit.actions import record as audit
from governance.inventory.models import ModelVersion
from governance.jobs import outbox
from governance.jobs.enums import UNFINISHED, JobState
from governance.people.queries.people import person_of
from weighbridge.core.canonical import digest_of
from weighbridge.measure.studies.rerun import compared
from weighbridge.statistics.equivalence import Answer

# How far times may differ and pass as equivalent, as `weighbridge rerun` has it.
MARGIN = 0.1
EDITED = "The stored result of the first run no longer has the digest it was stored with: somebody changed it."


def queue(
    *,
    key: str,
    version: ModelVersion,
    dataset: Dataset | None,
    plan: dict[str, Any],
    asked_for: str,
    by: User,
    now: datetime,
    repeats: Run | None = None,
) -> Run:
    """Queue a run in the caller's transaction; the same `key` twice is one run. `plan` names the scenario.

    A run that repeats another, finished one is measured with the settings of that one's manifest.
    """
    with transaction.atomic():
        run, is_new = Run.objects.get_or_create(
            key=key,
            defaults={
                "model_version": version,
                "dataset": dataset,
                "plan": plan,
                "scenario": plan["scenario"],
                "asked_for": asked_for,
                "started_by": by,
                "created_at": now,
                "next_attempt_at": now,
                "repeats": repeats,
            },
        )
        if is_new:
            repeated = {"repeats": repeats.key} if repeats else {}
            _record("queued", run, by, now, {"model": version.digest, "plan": plan, **repeated})
        outbox.wake(task_of(run.plan), run.pk)
    return run


def repeat(*, run: Run, by: User, now: datetime) -> Run:
    """Queue the same benchmark once more, as a run of its own that is held against the old one; that stays as it is."""
    check_repeat(run, person_of(by))
    base = run.key.partition("#")[0]
    number = Run.objects.filter(key__startswith=f"{base}#").count() + 2
    return queue(
        key=f"{base}#{number}",
        version=run.model_version,
        dataset=run.dataset,
        plan=run.plan,
        asked_for=run.asked_for,
        by=by,
        now=now,
        repeats=run,
    )


def cancel(*, run: Run, by: User, now: datetime) -> Run:
    """Stop a run; its worker notices at its next sign of life, and whatever it still writes is refused."""
    with transaction.atomic():
        row = Run.objects.select_for_update().get(pk=run.pk)
        check_cancel(row, person_of(by))
        abandon(run=row, by=by, now=now)
    run.refresh_from_db()
    return run


def abandon(*, run: Run, by: User | None, now: datetime) -> bool:
    """Stop a run whose request has ended; False where it had ended already."""
    with transaction.atomic():
        row = Run.objects.select_for_update().get(pk=run.pk)
        if row.state not in UNFINISHED:
            return False
        row.state, row.finished_at, row.lease_until, row.fence = JobState.CANCELLED, now, None, row.fence + 1
        row.save(update_fields=["state", "finished_at", "lease_until", "fence"])
        _record("cancelled", row, by, now, {})
    return True


def finish(*, run: Run, result: dict[str, Any], by: User | None = None, now: datetime) -> bool:
    """Store the result of a run this worker still holds; False, and nothing written, where the lease was lost."""
    verdict = Verdict(result["verdict"]["status"])
    held = _held_against_the_first(run, result)
    with transaction.atomic():
        kept = run.write(
            state=JobState.DONE,
            progress=1.0,
            phase="",
            error="",
            result=result,
            result_digest=digest_of(result),
            verdict=verdict,
            finished_at=now,
            lease_until=None,
            equivalence=held,
        )
        if kept:
            run.refresh_from_db()
            answer = {"answer": held["answer"]} if held else {}
            _record("done", run, by, now, {"verdict": verdict.value, "result": run.result_digest, **answer})
            _tell(run, now)
    return kept


def _held_against_the_first(run: Run, result: dict[str, Any]) -> dict[str, Any] | None:
    """How a repetition compares with the run it repeats; None where there is nothing to compare."""
    first = run.repeats
    if first is None or first.result is None:
        return None
    held = compared(first.result, result, margin=MARGIN)
    if digest_of(first.result) == first.result_digest:
        return held
    return held | {"answer": Answer.CANNOT_TELL.value, "reasons": [*held["reasons"], EDITED]}


def fail(*, run: Run, reason: str, by: User | None = None, now: datetime) -> bool:
    """The model itself failed: a result nobody needs to wait for. False where the lease was lost."""
    with transaction.atomic():
        kept = run.write(state=JobState.FAILED, error=reason[:4000], finished_at=now, lease_until=None)
        if kept:
            run.refresh_from_db()
            _record("failed", run, by, now, {"reason": reason[:400]})
            _tell(run, now)
    return kept


def bury(*, by: User | None = None, now: datetime) -> list[Run]:
    """Declare dead the runs whose workers went silent too often."""
    with transaction.atomic():
        rows = list(Run.objects.select_for_update(skip_locked=True).filter(Run.exhausted(now=now)))
        for row in rows:
            row.error = row.error or f"The worker went silent {row.attempts} times; the model may exhaust the machine."
            row.state, row.finished_at, row.lease_until = JobState.DEAD, now, None
            row.save(update_fields=["state", "finished_at", "lease_until", "error"])
            _record("dead", row, by, now, {"attempts": row.attempts})
            _tell(row, now)
    return rows


def _tell(run: Run, now: datetime) -> None:
    if run.asked_for:
        outbox.enqueue(
            kind="run.finished",
            key=f"run.finished:{run.pk}:{run.fence}",
            lane=f"run:{run.pk}",
            payload={"run_id": run.pk},
            now=now,
        )


def _record(word: str, run: Run, by: User | None, now: datetime, details: dict[str, Any]) -> None:
    audit.record(kind=f"run.{word}", by=by, subject=("run", run.key), details=details, now=now)
