"""Reads of the outbox: what is waiting, what is stuck and why, and how the last connection test ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, QuerySet

from governance.audit.models import AuditEvent
from governance.jobs.enums import HELD, UNFINISHED, JobState
from governance.jobs.models import OutboxMessage

CHECK = "tracker.check"
CHECKED = "tracker.checked"


@dataclass(frozen=True)
class OutboxHealth:
    """How many messages stand where; `oldest_waiting_at` is None when none waits."""

    waiting: int
    sending: int
    paused: int
    dead: int
    done_last_day: int
    oldest_waiting_at: datetime | None
    last_done_at: datetime | None


@dataclass(frozen=True)
class Pause:
    """Messages that wait for a person for one reason."""

    reason: str
    count: int
    kinds: tuple[str, ...]
    oldest_at: datetime


@dataclass(frozen=True)
class ConnectionTest:
    """What the last connection test said."""

    is_ok: bool
    sentence: str
    account: str
    at: datetime


def health(*, now: datetime) -> OutboxHealth:
    """The outbox in figures."""
    found = OutboxMessage.objects.aggregate(
        waiting=Count("pk", filter=Q(state=JobState.QUEUED)),
        sending=Count("pk", filter=Q(state__in=HELD)),
        paused=Count("pk", filter=Q(state=JobState.PAUSED)),
        dead=Count("pk", filter=Q(state=JobState.DEAD)),
        done_last_day=Count("pk", filter=Q(state=JobState.DONE, finished_at__gt=now - timedelta(days=1))),
        oldest_waiting_at=Min("created_at", filter=Q(state=JobState.QUEUED)),
        last_done_at=Max("finished_at", filter=Q(state=JobState.DONE)),
    )
    return OutboxHealth(**found)


def pauses() -> list[Pause]:
    """Paused messages by reason, the largest group first."""
    groups: dict[str, list[OutboxMessage]] = {}
    for message in OutboxMessage.objects.filter(state=JobState.PAUSED).order_by("pk"):
        groups.setdefault(message.error, []).append(message)
    found = [
        Pause(reason, len(rows), tuple(sorted({row.kind for row in rows})), min(row.created_at for row in rows))
        for reason, rows in groups.items()
    ]
    return sorted(found, key=lambda each: -each.count)


def stuck() -> QuerySet[OutboxMessage]:
    """Dead messages, the latest first."""
    return OutboxMessage.objects.filter(state=JobState.DEAD).order_by("-finished_at", "-pk")


def paused() -> QuerySet[OutboxMessage]:
    """Paused messages, oldest first."""
    return OutboxMessage.objects.filter(state=JobState.PAUSED).order_by("pk")


def delayed() -> QuerySet[OutboxMessage]:
    """Messages that failed before and will be tried again, soonest first."""
    return OutboxMessage.objects.filter(state=JobState.QUEUED, attempts__gt=0).order_by("next_attempt_at")


def last_connection() -> ConnectionTest | None:
    """The answer of the last connection test, or None where nobody has tested yet."""
    event = AuditEvent.objects.filter(kind=CHECKED).order_by("-position").first()
    if event is None:
        return None
    said = event.details
    return ConnectionTest(bool(said.get("ok")), str(said.get("sentence", "")), str(said.get("account", "")), event.at)


def check_under_way() -> OutboxMessage | None:
    """The connection test that has no answer yet."""
    return OutboxMessage.objects.filter(kind=CHECK, state__in=UNFINISHED).order_by("-pk").first()
