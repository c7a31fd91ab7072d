"""Kinds of jobs: what the mechanism must know of a leased table. Each is registered where its writes live."""

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
    """How long a worker may be silent."""
    return timedelta(seconds=settings.WEIGHBRIDGE["LEASE_S"])


def effect_lease() -> timedelta:
    """How long one effect may take: more than its time-outs add up to, so that nobody repeats what
    is still under way.
    """
    return timedelta(seconds=settings.WEIGHBRIDGE["EFFECT_LEASE_S"])


def backoff(attempts: int) -> timedelta:
    """5 s, 10 s, 20 s … at most an hour."""
    return timedelta(seconds=min(BACKOFF_FIRST_S * 2 ** max(attempts - 1, 0), BACKOFF_LAST_S))


def _nothing(*_: Any) -> None:
    """What a kind does that has nothing to add."""


def _no_retry(_: Any) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class JobKind(Generic[Row]):
    """One leased table.

    `queues` names the Celery tasks that take its rows, and which rows each takes; `task_of` says which of them takes
    one row. `name` begins the sentences people read. `silence` is the reason of a death nobody gave a reason for.
    `check` raises unless the person may cancel and retry the job. `may_retry` and `retried` ("a failed one can be
    retried") say what can be retried. `record` writes the audit event of a step; `on_end` runs in the transaction of
    a failure or a death, `before_retry` in that of a retry. `reset` names the fields a retry sets besides. `lock_first`
    locks what the writes of this kind lock before the row.
    """

    model: type[Row]
    queues: Mapping[str, Q]
    name: Callable[[Row], str]
    silence: str
    check: Callable[[Person, Row], None]
    max_attempts: int = 3
    lease: Callable[[], timedelta] = lease
    task_of: Callable[[Row], str] | None = None
    canceled_from: tuple[JobState, ...] = UNFINISHED
    may_retry: Callable[[Row], bool] = _no_retry
    retried: str = "none can be retried"
    before_retry: Callable[[Row], None] = _nothing
    reset: Callable[[Row], Mapping[str, Any]] = lambda _: {"error": ""}
    record: Record[Row] = _nothing
    on_end: Callable[[Row, datetime], None] = _nothing
    lock_first: Callable[[int], None] = _nothing

    def task(self, row: Row) -> str:
        """The Celery task that takes this row."""
        return self.task_of(row) if self.task_of is not None else next(iter(self.queues))

    def check_cancel(self, row: Row) -> None:
        """Raise WrongState unless there is something to cancel."""
        if row.state not in self.canceled_from:
            raise WrongState(f"{self.name(row)} has already ended; there is nothing to cancel.")

    def check_retry(self, row: Row) -> None:
        """Raise WrongState unless the job can be retried as it stands."""
        if not self.may_retry(row):
            raise WrongState(f"{self.name(row)} is {row.state}; only {self.retried}.")


KINDS: dict[type[Leased], JobKind[Any]] = {}


def register(kind: JobKind[Row]) -> JobKind[Row]:
    """Make a kind known to the mechanism, and to its tick."""
    KINDS[kind.model] = kind
    return kind


def kind_of(model: type[Row]) -> JobKind[Row]:
    """The kind of a leased table."""
    return KINDS[model]
