"""Effects outside the database: enqueued in the transaction that wants them, delivered after it, any number of times.

The row is the truth; the broker's message is only a wake-up, and losing every one of them loses nothing: a tick finds
what is due. Handlers are registered by kind in the `tasks` of the app that knows how.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Case, TextField, Value, When

from governance.enums import JobState
from governance.models import OutboxMessage

log = logging.getLogger(__name__)

Settle = Callable[[], None]
Handler = Callable[[OutboxMessage], Settle | None]
HANDLERS: dict[str, Handler] = {}
TICKERS: list[Callable[[datetime], None]] = []
ATTEMPTS_MAX = 12
BACKOFF_FIRST_S, BACKOFF_LAST_S = 5, 3600


class TryLater(Exception):  # noqa: N818 -- a request to the outbox, not a malfunction
    """The effect did not happen now; `wait_s` None means the usual backoff. `is_uncertain`: it may have happened."""

    def __init__(self, reason: str, *, wait_s: float | None = None, is_uncertain: bool = False) -> None:
        super().__init__(reason)
        self.wait_s, self.is_uncertain = wait_s, is_uncertain


class NeedsPerson(Exception):  # noqa: N818 -- a request to the outbox, not a malfunction
    """Nothing will change by itself: keep the message, pause it, and say why until a person resumes it."""


class LeaseLost(Exception):  # noqa: N818 -- an answer, not a malfunction
    """Another worker has the message now; this one does nothing more."""


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the handler of a kind. It acts outside, then returns what to write here once the message is done."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return register


def on_tick(ticker: Callable[[datetime], None]) -> Callable[[datetime], None]:
    """Register something the tick does every time; it must be harmless when run twice, late or in two processes."""
    TICKERS.append(ticker)
    return ticker


def lease() -> timedelta:
    """How long a worker may be silent."""
    return timedelta(seconds=settings.WEIGHBRIDGE["LEASE_S"])


def effect_lease() -> timedelta:
    """How long one effect may take: more than its time-outs add up to, so that nobody repeats what is still under way."""
    return timedelta(seconds=settings.WEIGHBRIDGE["EFFECT_LEASE_S"])


def check_held(*, message: OutboxMessage, now: datetime) -> None:
    """Raise LeaseLost unless this worker still holds the message; asked right before what cannot be taken back."""
    if not message.renew(now=now, lease=effect_lease()):
        raise LeaseLost(f"{message.key} was given to another worker.")


def enqueue(*, kind: str, key: str, lane: str, payload: Mapping[str, Any], now: datetime) -> OutboxMessage:
    """Write the message in the caller's transaction; the same `key` twice is one message."""
    message, _ = OutboxMessage.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind, "lane": lane, "payload": dict(payload), "created_at": now, "next_attempt_at": now,
            "max_attempts": ATTEMPTS_MAX,
        },
    )  # fmt: skip
    wake("governance.tasks.deliver", message.pk)
    return message


def wake(task: str, *arguments: int) -> None:
    """Tell a worker after commit. A broker that does not answer is no reason to fail: the tick will find the row."""

    def send() -> None:
        try:
            current_app.send_task(task, args=arguments, retry=False)
        except Exception as error:  # noqa: BLE001 -- whatever the broker says, the row stands
            log.warning("Work is delayed: the broker did not take a wake-up (%s).", error)

    transaction.on_commit(send)


def deliver(*, pk: int, now: datetime) -> OutboxMessage | None:
    """Deliver one message if it is due and free; the message as it then stands, or None."""
    message = OutboxMessage.claim(pk=pk, now=now, lease=effect_lease())
    if message is None:
        return None
    try:
        _finish(message, HANDLERS[message.kind](message), now)
    except LeaseLost as loss:
        log.warning("%s", loss)
    except NeedsPerson as refusal:
        message.write(state=JobState.PAUSED, lease_until=None, error=str(refusal))
    except TryLater as delay:
        wait = backoff(message.attempts) if delay.wait_s is None else timedelta(seconds=delay.wait_s)
        uncertain = message.is_uncertain or delay.is_uncertain
        message.hand_back(now=now, error=str(delay), wait=wait, is_uncertain=uncertain)
    except Exception as error:
        log.exception("Outbox message %s failed.", message.key)
        message.hand_back(
            now=now, error=f"{type(error).__name__}: {error}", wait=backoff(message.attempts), is_uncertain=True
        )
    message.refresh_from_db()
    return message


def tick(*, now: datetime) -> None:
    """Re-drive what is due or was abandoned. Harmless when run twice, late, or by several processes."""
    bury(now=now)
    for message_id in due(now=now):
        wake("governance.tasks.deliver", message_id)
    failures = []
    for ticker in TICKERS:
        try:
            ticker(now)
        except Exception as error:
            log.exception("A part of the tick failed; the others go on.")
            failures.append(error)
    if failures:
        raise ExceptionGroup("parts of the tick failed", failures)


def _finish(message: OutboxMessage, settle: Settle | None, now: datetime) -> None:
    with transaction.atomic():
        if message.write(state=JobState.DONE, finished_at=now, error="", lease_until=None) and settle is not None:
            settle()
    after = (
        OutboxMessage.objects.filter(lane=message.lane, pk__gt=message.pk, state=JobState.QUEUED).order_by("pk").first()
    )
    if after is not None:
        wake("governance.tasks.deliver", after.pk)


def backoff(attempts: int) -> timedelta:
    """5 s, 10 s, 20 s … at most an hour."""
    return timedelta(seconds=min(BACKOFF_FIRST_S * 2 ** max(attempts - 1, 0), BACKOFF_LAST_S))


def bury(*, now: datetime) -> int:
    """Declare dead what has used up its attempts; people see it on the integration page, with a retry button."""
    silent = Value("Every worker that took this message went silent.", output_field=TextField())
    return OutboxMessage.objects.filter(OutboxMessage.exhausted(now=now)).update(
        state=JobState.DEAD, finished_at=now, lease_until=None, error=Case(When(error="", then=silent), default="error")
    )


def due(*, now: datetime, limit: int = 100) -> list[int]:
    """Identifiers of messages that can be delivered now, oldest first."""
    return list(
        OutboxMessage.objects.filter(OutboxMessage.claimable(now=now))
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )
