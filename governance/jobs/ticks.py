"""The tick: one query says which periodic work is due, and only that is done. Each subject declares its own."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from typing import Any, TypeVar

from django.db import connection
from django.db.models import QuerySet, Value

from governance.jobs import actions as jobs
from governance.jobs.kinds import KINDS, kind_of
from governance.jobs.models import Leased, OutboxMessage, Pulse
from governance.jobs.outbox import enqueue
from governance.jobs.queries import BROKER
from governance.jobs.worker_signals import is_circuit_open, is_reached

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
Ticker = Callable[[datetime], object]
Probe = Callable[[datetime], Iterable[QuerySet[Any, Any]]]
HOURLY, DAILY = "%Y-%m-%dT%H", "%Y-%m-%d"


@dataclass(frozen=True)
class TickPart:
    """A part of the tick: run if a query of `due` finds a row, and every so often; each time if it has neither."""

    run: Ticker
    due: Probe | None = None
    every: timedelta | None = None
    at_any_clock: bool = False

    @property
    def is_unconditional(self) -> bool:
        """Whether it runs at each tick."""
        return self.due is None and self.every is None


@dataclass(frozen=True)
class RegularJob:
    """An outbox message for each hour or day, by the format of the period; `of` is added to its key."""

    kind: str
    period: str
    lane: str
    of: Callable[[], object] | None

    def key(self, now: datetime) -> str:
        """The key of the message of this period."""
        return f"{self.kind}:{now:{self.period}}" + (f":{self.of()}" if self.of else "")


class TickPace:
    """When this process last ran the parts that it runs every so often."""

    def __init__(self) -> None:
        self.ran_at: dict[Ticker, datetime] = {}

    def is_time(self, part: TickPart, now: datetime) -> bool:
        """Whether the part is to be run, also after the clock was turned back."""
        ran_at = self.ran_at.get(part.run)
        return part.every is not None and (ran_at is None or abs(now - ran_at) >= part.every)


PARTS: list[TickPart] = []
REGULAR: list[RegularJob] = []
PACE = TickPace()


def on_tick(
    *, due: Probe | None = None, every: timedelta | None = None, at_any_clock: bool = False
) -> Callable[[Ticker], Ticker]:
    """Register a function for ticks that trust the clock. It may run twice, late, or in two processes.

    It runs if a query of `due` finds a row, and `every` so often. It does a bounded share of what is due, so that the
    others get their turn, and returns True if it was called by `every` and has more to do at the next tick. At any
    clock, only a function may run that ends, expires and deletes nothing.

    A query of `due` is ordered as an index is, whose begin the database then reads; for any row, it may read the whole
    table. Its times are those that it is given, or differ from them by a constant; dates and texts may depend on the
    hour.
    """

    def register(run: Ticker) -> Ticker:
        PARTS.append(TickPart(run, due, every, at_any_clock))
        return run

    return register


def each_alone(step: Callable[[Item], Result | None], items: Iterable[Item]) -> list[Result]:
    """The results of the step for each item, without None. One that fails stops no other; failures are raised last."""
    results: list[Result | None] = []
    failures = []
    for item in items:
        try:
            results.append(step(item))
        except Exception as error:
            log.exception("A step failed for %s.", item)
            failures.append(error)
    if failures:
        raise ExceptionGroup("some steps failed", failures)
    return [result for result in results if result is not None]


def regularly(kind: str, *, period: str, lane: str = "", of: Callable[[], object] | None = None) -> None:
    """Enqueue a message of this kind once in each period, in a lane of its own unless one is named."""
    REGULAR.append(RegularJob(kind, period, lane, of))


def request_regular_jobs(now: datetime) -> None:
    """Enqueue the regular jobs of this hour and this day that are not enqueued yet."""
    wanted = {job.key(now): job for job in REGULAR}
    there = set(OutboxMessage.objects.filter(key__in=wanted).values_list("key", flat=True))
    for key in wanted.keys() - there:
        job = wanted[key]
        enqueue(kind=job.kind, key=key, lane=job.lane or key, payload={}, now=now)


def tick(*, now: datetime, trusts_clock: bool = True) -> None:
    """Do what is due, and notify workers of due and abandoned jobs. Safe to run twice, late, or in several processes.

    Unless the clock is trusted, nothing is done that cannot be undone: nothing expires, lapses, closes or is deleted.
    """
    is_there = is_reached()
    of_jobs = (_part_of(model, trusts_clock) for model in KINDS)
    parts = tuple(part for part in (*of_jobs, *PARTS) if trusts_clock or part.at_any_clock)
    failures = list(_run(parts, now))
    # Some brokers are reachable but accept no message, such as a folder without write permission.
    Pulse.record(name=BROKER, at=None if is_there and not is_circuit_open() else now)
    if failures:
        raise ExceptionGroup("parts of the tick failed", failures)


def due_parts(parts: Sequence[TickPart], *, now: datetime) -> set[int]:
    """The numbers of the parts for which a query finds a row, in one query."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    sql, params = _compiled(tuple(parts), hour)
    moved = [param + (now - hour) if isinstance(param, datetime) else param for param in params]
    with connection.cursor() as cursor:
        cursor.execute(sql, moved)
        return {number for (number,) in cursor.fetchall()}


@lru_cache(maxsize=4)
def _compiled(parts: tuple[TickPart, ...], hour: datetime) -> tuple[str, tuple[Any, ...]]:
    """The query at the begin of an hour. It is compiled once an hour, because compiling takes longer than running."""
    queries = ["SELECT -1 WHERE FALSE"]
    params: list[Any] = []
    for number, part in enumerate(parts):
        for rows in part.due(hour) if part.due else ():
            first = rows if rows.query.order_by else rows.order_by()
            sql, own = first.values_list(Value(True))[:1].query.sql_with_params()
            queries.append(f"SELECT {number} WHERE ({sql})")
            params += own
    return " UNION ALL ".join(queries), tuple(params)


def allow_silence(limit: timedelta) -> None:
    """Let this tick ask the database nothing for so long; before work that takes longer than a silent tick may last.

    The next turn sets the limit of `tick_lock` again.
    """
    with connection.cursor() as cursor:
        limit_ms = round(limit.total_seconds() * 1000)
        cursor.execute("SELECT set_config('idle_session_timeout', %s, false)", [str(limit_ms)])


def _run(parts: Sequence[TickPart], now: datetime) -> Iterator[Exception]:
    """Run the parts that are due; if nobody can tell, all. Yields failures, which stop no other part."""
    due = set(range(len(parts)))
    try:
        due = due_parts(parts, now=now)
    except Exception as error:
        log.exception("The tick cannot tell what is due, so it tries everything.")
        yield error
    for number, part in enumerate(parts):
        is_time = PACE.is_time(part, now)
        if not (number in due or is_time or part.is_unconditional):
            continue
        try:
            has_more = part.run(now)
        except Exception as error:
            log.exception("A part of the tick failed. The other parts continue.")
            if not connection.in_atomic_block and not connection.is_usable():
                connection.close()  # or every part after this one would fail
            yield error
            continue
        if is_time and not has_more:
            PACE.ran_at[part.run] = now


@cache
def _part_of(model: type[Leased], trusts_clock: bool) -> TickPart:
    return TickPart(partial(_tick_of, model, trusts_clock), lambda now: model.waiting(now=now), at_any_clock=True)


def _tick_of(model: type[Leased], trusts_clock: bool, now: datetime) -> None:
    jobs.tick(kind=kind_of(model), now=now, trusts_clock=trusts_clock)


on_tick()(request_regular_jobs)
