"""The life of a job: claimed, renewed, put back, failed, canceled, declared dead, retried, and woken by the tick.

Every step of a worker names its fencing token, so a worker that lost its lease writes nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from governance.jobs.enums import JobState
from governance.jobs.kinds import JobKind, Row, backoff, kind_of
from governance.jobs.worker_signals import announce, wake
from governance.people.queries.people import person_of

NO_TIME = timedelta(0)


def queued(*, model: type[Row], now: datetime) -> dict[str, Any]:
    """The fields with which a row of work begins."""
    return {"created_at": now, "next_attempt_at": now, "max_attempts": kind_of(model).max_attempts}


def wake_for(*, row: Row) -> None:
    """Tell a worker, after commit, that this row waits."""
    wake(kind_of(type(row)).task(row), row.pk)


def claim(*, model: type[Row], pk: int, now: datetime, longer: timedelta = NO_TIME) -> Row | None:
    """Take the row for as long as its kind may be silent, or `longer`; None where it is not due or is another's."""
    return model.claim(pk=pk, now=now, lease=kind_of(model).lease() + longer)


def renew(*, row: Row, now: datetime, **fields: Any) -> bool:
    """Hold the row for another lease; False means it was lost or canceled."""
    return row.renew(now=now, lease=kind_of(type(row)).lease(), **fields)


def put_back(*, row: Row, error: Exception, now: datetime) -> bool:
    """Return the row to the queue after a fault of ours, to be tried again after the back-off of its attempts."""
    return row.hand_back(now=now, error=f"{type(error).__name__}: {error}", wait=backoff(row.attempts))


def finish(*, row: Row, now: datetime, **fields: Any) -> bool:
    """The work is done; `fields` is what it brought. False, and nothing written, where the lease was lost."""
    return row.write(state=JobState.DONE, error="", finished_at=now, lease_until=None, **fields)


def fail(*, row: Row, reason: str, by: User | None = None, now: datetime) -> bool:
    """The work itself cannot be done: an answer nobody needs to wait for. False where the lease was lost."""
    kind = kind_of(type(row))
    with transaction.atomic():
        is_ours = row.write(state=JobState.FAILED, error=reason[:4000], finished_at=now, lease_until=None)
        if is_ours:
            row.refresh_from_db()
            kind.record("failed", row, by, now, {"reason": reason[:400]})
            kind.on_end(row, now)
    return is_ours


def cancel(*, row: Row, by: User, now: datetime) -> Row:
    """Stop a job; its worker notices at its next sign of life, and whatever it still writes is refused."""
    kind = kind_of(type(row))
    kind.check(person_of(by), row)
    with transaction.atomic():
        held = _locked(kind, row.pk).get()
        kind.check_cancel(held)
        _stop(kind, held, by, now)
    return held


def abandon(*, row: Row, by: User | None, now: datetime) -> bool:
    """Stop a job that nobody needs any more; False where it had ended already."""
    kind = kind_of(type(row))
    with transaction.atomic():
        held = _locked(kind, row.pk).filter(state__in=kind.canceled_from).first()
        if held is not None:
            _stop(kind, held, by, now)
    return held is not None


def retry(*, row: Row, by: User, now: datetime) -> Row:
    """Give a job that ended badly a fresh set of attempts."""
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
    """Let a locked row wait as if it were new, and wake a worker for it."""
    kind = kind_of(type(row))
    fresh = {"state": JobState.QUEUED, "attempts": 0, "next_attempt_at": now, "finished_at": None}
    fields = fresh | dict(kind.reset(row)) | fields
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))
    wake_for(row=row)


def mark_dead(*, model: type[Row], by: User | None = None, now: datetime) -> list[Row]:
    """Declare dead what used up its attempts and found no end; people see it, and may retry what can be retried."""
    kind, dead = kind_of(model), []
    spent = model.exhausted(now=now)
    for pk in QuerySet(model).filter(spent).order_by("pk").values_list("pk", flat=True):
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


def tick(*, kind: JobKind[Any], now: datetime) -> None:
    """Declare dead what went silent too often and wake workers for what is due; harmless when repeated."""
    mark_dead(model=kind.model, now=now)
    for task, among in kind.queues.items():
        announce(kind.model, task, now=now, among=among)


def _stop(kind: JobKind[Row], row: Row, by: User | None, now: datetime) -> None:
    row.state, row.finished_at, row.lease_until, row.fence = JobState.CANCELED, now, None, row.fence + 1
    row.save(update_fields=["state", "finished_at", "lease_until", "fence"])
    kind.record("canceled", row, by, now, {})


def _locked(kind: JobKind[Row], pk: int, *, skip_locked: bool = False) -> QuerySet[Row]:
    """The row, locked once it is read, after whatever the writes of its kind lock before it."""
    kind.lock_first(pk)
    return QuerySet(kind.model).filter(pk=pk).select_for_update(of=("self",), skip_locked=skip_locked)
