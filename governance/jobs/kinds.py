"""Kinds of jobs: the configuration of each leased table. Each kind is registered in the module of its writes."""

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import Leased
from governance.people.domain.roles import Person
from weighbridge.core.errors import WrongState

BACKOFF_FIRST_S, BACKOFF_LAST_S = 5, 3600
Row = TypeVar("Row", bound=Leased)
Record = Callable[[str, Row, User | None, datetime, dict[str, Any]], None]


def lease() -> timedelta:
    """The default lease duration."""
    return timedelta(seconds=settings.WEIGHBRIDGE["LEASE_S"])


def effect_lease() -> timedelta:
    """The lease for one effect. While the effect runs, its lease is renewed."""
    return timedelta(seconds=settings.WEIGHBRIDGE["EFFECT_LEASE_S"])


def backoff(attempts: int) -> timedelta:
    """5 s, 10 s, 20 s … at most an hour."""
    return timedelta(seconds=min(BACKOFF_FIRST_S * 2 ** max(attempts - 1, 0), BACKOFF_LAST_S))


def is_storage_away(error: Exception) -> bool:
    """Whether the storage of the artifacts does not respond, or refuses."""
    return isinstance(error, OSError) and error.errno == errno.EREMOTEIO


def _nothing(*_: Any) -> None:
    """The default hook, which does nothing."""


@dataclass(frozen=True, kw_only=True)
class JobKind(Generic[Row]):
    """The configuration of one leased table.

    `queues` maps Celery tasks to the rows that each processes, `task_of` a row to its task. `name` and `silence` (why a
    job is dead) are for sentences. A worker renews a lease while it works, but not after `longest`. `check` raises
    unless the person may cancel and retry the job; `may_retry` and `retried` ("a failed one can be retried") say which
    jobs can be. `record` writes the audit event of a step; `on_end` runs in the transaction that marks a job failed or
    dead, `before_retry` in that of a retry, which also sets the fields of `reset`. `lock_first` locks the rows that
    must be locked before the job.
    """

    model: type[Row]
    queues: Mapping[str, Q]
    name: Callable[[Row], str]
    silence: str
    check: Callable[[Person, Row], None]
    max_attempts: int = 3
    lease: Callable[[], timedelta] = lease
    longest: timedelta = timedelta(hours=2)
    task_of: Callable[[Row], str] | None = None
    canceled_from: tuple[JobState, ...] = UNFINISHED
    may_retry: Callable[[Row], bool] = lambda _: False
    retried: str = "none can be retried"
    before_retry: Callable[[Row], None] = _nothing
    reset: Callable[[Row], Mapping[str, Any]] = lambda _: {"error": ""}
    record: Record[Row] = _nothing
    on_end: Callable[[Row, datetime], None] = _nothing
    lock_first: Callable[[int], None] = _nothing

    def task(self, row: Row) -> str:
        """The Celery task for this row."""
        return self.task_of(row) if self.task_of is not None else next(iter(self.queues))

    def check_cancel(self, row: Row) -> None:
        """Raise WrongState if the job has ended."""
        if row.state not in self.canceled_from:
            raise WrongState(f"{self.name(row)} has already ended and cannot be canceled.")

    def check_retry(self, row: Row) -> None:
        """Raise WrongState unless the job can be retried in its current state."""
        if not self.may_retry(row):
            raise WrongState(f"{self.name(row)} is {row.state}; only {self.retried}.")


Listener = Callable[[Leased, datetime], None]
KINDS: dict[type[Leased], JobKind[Any]] = {}
DEAD_EFFECT_LISTENERS: list[Listener] = []


def on_dead_effect(listener: Listener) -> Listener:
    """Register a function for each outbox message that used up its attempts, in the transaction that marks it."""
    DEAD_EFFECT_LISTENERS.append(listener)
    return listener


def report_dead_effect(message: Leased, now: datetime) -> None:
    """Call these functions."""
    for listener in DEAD_EFFECT_LISTENERS:
        listener(message, now)


def register(kind: JobKind[Row]) -> None:
    """Register a kind, and its tick."""
    KINDS[kind.model] = kind


def kind_of(model: type[Row]) -> JobKind[Row]:
    """The kind of a leased table."""
    return KINDS[model]


def check_handle(person: Person, row: Row) -> None:
    """Raise NotAllowed unless the person may cancel and retry this job."""
    kind_of(type(row)).check(person, row)
