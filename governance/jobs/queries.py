"""Reads of the outbox: waiting and stuck messages, whether work is delayed, and the IDs that recipients see."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.functions import Substr

from governance.jobs.domain import ClockReading, clock_doubt
from governance.jobs.enums import HELD, JobState
from governance.jobs.models import OutboxMessage, Pulse
from governance.site.queries import compiled_once

TICK, BROKER = "tick", "broker"
QUEUE, CLOCK = "queue:", "clock."
COURSE, DATABASE, DOUBT = "clock.course", "clock.database", "clock.doubt"
PATIENCE, ASKED_EVERY = timedelta(seconds=60), timedelta(seconds=10)
SILENT_AFTER, GIVEN_UP_AFTER = timedelta(seconds=35), timedelta(minutes=10)


@dataclass(frozen=True)
class OutboxHealth:
    """The number of messages by state; `oldest_waiting_at` is None if none is waiting."""

    waiting: int
    sending: int
    paused: int
    dead: int
    done_last_day: int
    oldest_waiting_at: datetime | None
    last_done_at: datetime | None


@dataclass(frozen=True)
class Pause:
    """Paused messages with the same reason."""

    reason: str
    count: int
    kinds: tuple[str, ...]
    oldest_at: datetime


def health(*, now: datetime) -> OutboxHealth:
    """The numbers of messages by state."""
    counts = OutboxMessage.objects.aggregate(
        waiting=Count("pk", filter=Q(state=JobState.QUEUED)),
        sending=Count("pk", filter=Q(state__in=HELD)),
        paused=Count("pk", filter=Q(state=JobState.PAUSED)),
        dead=Count("pk", filter=Q(state=JobState.DEAD)),
        done_last_day=Count("pk", filter=Q(state=JobState.DONE, finished_at__gt=now - timedelta(days=1))),
        oldest_waiting_at=Min("created_at", filter=Q(state=JobState.QUEUED)),
        last_done_at=Max("finished_at", filter=Q(state=JobState.DONE)),
    )
    return OutboxHealth(**counts)


def pauses() -> list[Pause]:
    """Paused messages by reason, the largest group first."""
    groups: dict[str, list[OutboxMessage]] = {}
    for message in OutboxMessage.objects.filter(state=JobState.PAUSED).order_by("pk"):
        groups.setdefault(message.error, []).append(message)
    largest_first = sorted(groups.items(), key=lambda group: -len(group[1]))
    return [
        Pause(reason, len(rows), tuple(sorted({row.kind for row in rows})), min(row.created_at for row in rows))
        for reason, rows in largest_first
    ]


def stuck() -> QuerySet[OutboxMessage]:
    """Dead messages, the latest first."""
    return OutboxMessage.objects.filter(state=JobState.DEAD).order_by("-finished_at", "-pk")


def paused() -> QuerySet[OutboxMessage]:
    """Paused messages, oldest first."""
    return OutboxMessage.objects.filter(state=JobState.PAUSED).order_by("pk")


def delayed() -> QuerySet[OutboxMessage]:
    """Messages that failed and will be retried, earliest first."""
    return OutboxMessage.objects.filter(state=JobState.QUEUED, attempts__gt=0).order_by("next_attempt_at")


def is_delayed(*, now: datetime) -> bool:
    """True if due work or the tick is late by a minute, or if the tick could not reach the broker, in one query.

    A pulse is the time of the last tick, or since when no worker takes due work. If it never ran, messages wait.
    """
    return bool(_late_since(now - PATIENCE))


def _late(then: datetime) -> QuerySet[Any, Any]:
    not_work = Q(name__startswith=QUEUE) | Q(name__startswith=CLOCK)
    silent = Pulse.objects.filter(Q(at__lt=then) | Q(name=BROKER)).exclude(not_work).values_list("pk")
    left_lying = OutboxMessage.objects.filter(OutboxMessage.claimable(now=then)).values_list("pk")
    return silent.union(left_lying, all=True)[:1]


_late_since = compiled_once(_late, marker=datetime.max.replace(tzinfo=UTC))


def signs() -> dict[str, datetime]:
    """When a worker last took a message from each queue; a queue whose workers have all been stopped is missing."""
    rows = Pulse.objects.filter(name__startswith=QUEUE).order_by("name").values_list("name", "at")
    return {name.removeprefix(QUEUE): at for name, at in rows}


def pulse(name: str) -> datetime | None:
    """The timestamp of this name, if there is one."""
    return Pulse.objects.filter(name=name).values_list("at", flat=True).first()


def pulses(*names: str) -> dict[str, datetime]:
    """The timestamps of these names that there are."""
    return dict(Pulse.objects.filter(name__in=names).values_list("name", "at"))


def database_clock() -> datetime:
    """The present time of the database server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at


def doubt_of_clock() -> str:
    """Why the last tick distrusted the clock and skipped what cannot be undone; "" if it trusts it."""
    at = dict(Pulse.objects.filter(Q(name=TICK) | Q(name__startswith=CLOCK)).values_list("name", "at"))
    if DOUBT not in at:
        return ""
    reading = ClockReading(now=at[TICK], database=at[DATABASE], last_tick=at[TICK], course=at[COURSE])
    return clock_doubt(reading)


def is_broker_away() -> bool:
    """Whether the last tick could not reach the broker."""
    return Pulse.objects.filter(name=BROKER).exists()


def silent_queues(*, now: datetime) -> list[str]:
    """Queues from which no worker takes messages, although the tick asks for a sign every ten seconds."""
    tick = pulse(TICK)
    if tick is None or tick < now - PATIENCE:
        return []
    return [queue for queue, at in signs().items() if at < now - SILENT_AFTER]


def queues_to_ask(*, now: datetime) -> QuerySet[Pulse, str]:
    """Queues whose workers have shown no sign for ten seconds. After ten minutes, they are not asked any more."""
    rows = Pulse.objects.filter(name__startswith=QUEUE, at__gt=now - GIVEN_UP_AFTER, at__lt=now - ASKED_EVERY)
    return rows.order_by("name").values_list(Substr("name", len(QUEUE) + 1), flat=True)


def message_id_of(key: str) -> str:
    """The Message-ID of a mail: the same for each repetition of a delivery."""
    host = urlsplit(settings.WEIGHBRIDGE["BASE_URL"]).hostname or "localhost"
    return f"<{delivery_id_of(key)}@{host}>"


def delivery_id_of(key: str) -> str:
    """The ID by which a recipient knows a repetition: made of the key alone, which it does not reveal."""
    own = f"{settings.WEIGHBRIDGE['INSTANCE']}:{key}"
    return f"msg_{hashlib.sha256(own.encode()).hexdigest()[:32]}"
