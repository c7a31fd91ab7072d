"""State changes of jobs, and the tick. Each write of a worker checks that it still holds the lease."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from governance.audit.actions import record as audit
from governance.jobs.domain import ClockReading, clock_doubt, course_of
from governance.jobs.enums import JobState
from governance.jobs.kinds import JobKind, Row, backoff, is_storage_away, kind_of
from governance.jobs.models import Pulse
from governance.jobs.queries import COURSE, DATABASE, DOUBT, TICK, pulses
from governance.jobs.worker_signals import announce, wake
from governance.people.queries.people import person_of
from weighbridge.core.errors import WrongState

NO_TIME = timedelta(0)
DEAD_AT_ONCE = 100
NO_STORAGE = "The storage of the artifacts does not respond, or it refuses. This is repeated until it does."
STORAGE_WAIT = timedelta(minutes=1)


def queued(*, model: type[Row], now: datetime) -> dict[str, Any]:
    """The initial fields of a job."""
    return {"created_at": now, "next_attempt_at": now, "max_attempts": kind_of(model).max_attempts}


def wake_for(*, row: Row) -> None:
    """Notify a worker after commit that this row is due."""
    wake(kind_of(type(row)).task(row), row.pk)


def claim(*, model: type[Row], pk: int, now: datetime) -> Row | None:
    """Claim the row for the lease of its kind. Returns None if it is not due, or another worker has it."""
    return model.claim(pk=pk, now=now, lease=kind_of(model).lease())


def renew(*, row: Row, now: datetime, **fields: Any) -> bool:
    """Renew the lease. Returns False if it was lost or the job was canceled."""
    return row.renew(now=now, lease=kind_of(type(row)).lease(), **fields)


def put_back(*, row: Row, error: Exception, now: datetime) -> bool:
    """Return the row to the queue after an internal error. It is retried after the backoff.

    While the storage of the artifacts does not respond, an attempt does not count: the job waits until it does.
    """
    if is_storage_away(error):
        return row.hand_back(now=now, error=NO_STORAGE, wait=STORAGE_WAIT, max_attempts=row.max_attempts + 1)
    return row.hand_back(now=now, error=f"{type(error).__name__}: {error}", wait=backoff(row.attempts))


def finish(*, row: Row, now: datetime, **fields: Any) -> bool:
    """Mark the job as done and save `fields`. Returns False and writes nothing if the lease was lost."""
    return row.write(state=JobState.DONE, error="", finished_at=now, lease_until=None, **fields)


def fail(*, row: Row, reason: str, by: User | None = None, now: datetime) -> bool:
    """Mark the job as failed, without a retry. Returns False if the lease was lost."""
    kind = kind_of(type(row))
    with transaction.atomic():
        is_ours = row.write(state=JobState.FAILED, error=reason[:4000], finished_at=now, lease_until=None)
        if is_ours:
            row.refresh_from_db()
            kind.record("failed", row, by, now, {"reason": reason[:400]})
            kind.on_end(row, now)
    return is_ours


def cancel(*, row: Row, by: User, now: datetime) -> Row:
    """Cancel a job. Its worker notices when it next renews its lease; until then its writes are refused."""
    kind = kind_of(type(row))
    kind.check(person_of(by), row)
    with transaction.atomic():
        held = _locked(kind, row.pk).get()
        kind.check_cancel(held)
        _stop(kind, held, by, now)
    return held


def abandon(*, row: Row, by: User | None, now: datetime) -> bool:
    """Cancel a job that is no longer needed. Returns False if it had already ended."""
    kind = kind_of(type(row))
    with transaction.atomic():
        held = _locked(kind, row.pk).filter(state__in=kind.canceled_from).first()
        if held is not None:
            _stop(kind, held, by, now)
    return held is not None


def retry(*, row: Row, by: User, now: datetime) -> Row:
    """Reset the attempts of a failed job and queue it again."""
    kind = kind_of(type(row))
    kind.check(person_of(by), row)
    with transaction.atomic():
        held = _locked(kind, row.pk).get()
        kind.check_retry(held)
        kind.before_retry(held)
        requeue(row=held, now=now)
        kind.record("retried", held, by, now, {})
    return held


def requeue(*, row: Row, now: datetime, **fields: Any) -> None:
    """Queue a locked row as if it were new, and notify a worker."""
    kind = kind_of(type(row))
    fresh = {"state": JobState.QUEUED, "attempts": 0, "next_attempt_at": now, "finished_at": None}
    fields = fresh | dict(kind.reset(row)) | fields
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))
    wake_for(row=row)


def mark_dead(*, model: type[Row], by: User | None = None, now: datetime) -> list[Row]:
    """Mark jobs as dead that used up their attempts without an end, each in a transaction of its own.

    At most 100 of those that are due, and of those whose worker is silent. People may retry them if their kind allows.
    """
    kind, dead = kind_of(model), []
    spent = model.exhausted(now=now)
    waiting = [rows.filter(spent).values_list("pk", flat=True)[:DEAD_AT_ONCE] for rows in model.waiting(now=now)]
    for pk in sorted(pk for rows in waiting for pk in rows):
        with transaction.atomic():
            row = _locked(kind, pk, skip_locked=True).filter(spent).first()
            if row is None:
                continue
            row.error = row.error or kind.silence.format(attempts=row.attempts)
            row.state, row.finished_at, row.lease_until = JobState.DEAD, now, None
            row.save(update_fields=["state", "finished_at", "lease_until", "error"])
            kind.record("dead", row, by, now, {"attempts": row.attempts})
            kind.on_end(row, now)
            dead.append(row)
    return dead


def tick(*, kind: JobKind[Any], now: datetime, trusts_clock: bool = True) -> None:
    """Mark exhausted jobs as dead, unless the clock is doubtful, and notify workers of due jobs. Idempotent."""
    if trusts_clock:
        mark_dead(model=kind.model, now=now)
    for task, among in kind.queues.items():
        announce(kind.model, task, now=now, among=among)


def observe_clock(*, now: datetime, database: datetime, every: timedelta = NO_TIME) -> str:
    """Record the clocks at a tick. Returns why the clock is not trusted, or "". A new doubt is an audit event."""
    at = pulses(TICK, COURSE, DOUBT)
    reading = ClockReading(now=now, database=database, last_tick=at.get(TICK), course=at.get(COURSE), every=every)
    doubt = clock_doubt(reading)
    times = {TICK: now, COURSE: course_of(reading), DATABASE: database}
    if bool(doubt) is (DOUBT in at):
        Pulse.record_all(times)
        return doubt
    with transaction.atomic():
        Pulse.record_all(times | {DOUBT: now if doubt else None})
        _record_clock("doubted" if doubt else "trusted", doubt or "The clock is on its course.", now)
    return doubt


def confirm_clock(*, now: datetime, database: datetime) -> None:
    """Confirm the present time, as an operator on the server. Refused while the two clocks differ."""
    reading = ClockReading(now=now, database=database, last_tick=None, course=None)
    doubt = clock_doubt(reading)
    if doubt:
        raise WrongState(doubt)
    with transaction.atomic():
        Pulse.record_all({TICK: now, COURSE: now, DATABASE: database, DOUBT: None})
        _record_clock("confirmed", "An operator confirmed the clock.", now)


def _record_clock(event: str, reason: str, now: datetime) -> None:
    audit.record(kind=f"clock.{event}", by=None, subject=("clock", "tick"), reason=reason, now=now)


def _stop(kind: JobKind[Row], row: Row, by: User | None, now: datetime) -> None:
    row.state, row.finished_at, row.lease_until, row.fence = JobState.CANCELED, now, None, row.fence + 1
    row.save(update_fields=["state", "finished_at", "lease_until", "fence"])
    kind.record("canceled", row, by, now, {})


def _locked(kind: JobKind[Row], pk: int, *, skip_locked: bool = False) -> QuerySet[Row]:
    """The locked row. Rows that its kind locks first are locked before it."""
    kind.lock_first(pk)
    return QuerySet(kind.model).filter(pk=pk).select_for_update(of=("self",), skip_locked=skip_locked)
