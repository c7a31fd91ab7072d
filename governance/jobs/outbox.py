"""Effects outside the database: enqueued in the transaction of the change and delivered after it, at least once.

The broker message is only a notification; if it is lost, the tick still finds the row. Handlers are registered by kind
in the `tasks` modules.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from itertools import cycle, takewhile
from typing import Any

from django.db import transaction
from django.db.models import Q

from governance.audit.domain import correlation as trace
from governance.jobs import actions as jobs
from governance.jobs.channels import CHANNELS, PROBES, in_the_way, sent_to
from governance.jobs.enums import UNFINISHED, JobState, Reach
from governance.jobs.kinds import JobKind, backoff, effect_lease, is_storage_away, register, report_dead_effect
from governance.jobs.models import OutboxMessage, storable
from governance.jobs.signs_of_life import lease_renewed
from governance.jobs.worker_signals import wake
from governance.people.rules import check_operate

log = logging.getLogger(__name__)

Settle = Callable[[], object]
Handler = Callable[[OutboxMessage], Settle | None]
HANDLERS: dict[str, Handler] = {}
ATTEMPTS_MAX, LONGEST = 12, timedelta(minutes=15)
OUTAGE_LAST, LOOK_AGAIN = timedelta(minutes=5), timedelta(seconds=5)
TOGETHER_MAX, TURNS_MAX = 20, 20
DELIVER = "governance.jobs.tasks.deliver"


class TryLater(Exception):  # noqa: N818 -- a request to the outbox, not a malfunction
    """The effect did not happen (if `is_uncertain`, it may have) and must be retried after `wait_s` or the backoff.

    The wait starts at `at`, the time of the response, or at the start of the attempt. A refusal with a wider scope than
    its message is not the fault of the message and uses up no attempt.
    """

    def __init__(
        self,
        reason: str,
        *,
        wait_s: float | None = None,
        is_uncertain: bool = False,
        reach: Reach = Reach.MESSAGE,
        at: datetime | None = None,
    ) -> None:
        super().__init__(reason)
        self.wait_s, self.is_uncertain, self.reach, self.at = wait_s, is_uncertain, reach, at


class NeedsPerson(Exception):  # noqa: N818 -- a request to the outbox, not a malfunction
    """A person must fix the cause. The message is paused with the reason until it is resumed."""

    def __init__(self, reason: str, *, reach: Reach = Reach.MESSAGE) -> None:
        super().__init__(reason)
        self.reach = reach


class LeaseLost(Exception):  # noqa: N818 -- an answer, not a malfunction
    """Another worker now has the message; this one must stop."""


def handles(kind: str, *, channel: str = "", is_probe: bool = False) -> Callable[[Handler], Handler]:
    """Register the handler of a kind: it performs the effect, then returns a function that writes the result.

    Kinds of one `channel` use the same external system; of several, a payload names its own as `system`, and messages
    wait for others to the same one only. A refusal of a kind holds back that of the same `part` of the system, if the
    payload names one. A probe is delivered while the others are paused.
    """

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        if channel:
            CHANNELS[kind] = channel
        if is_probe:
            PROBES.add(kind)
        return handler

    return register


def check_held(*, message: OutboxMessage, now: datetime, **fields: Any) -> None:
    """Raise LeaseLost unless this worker still holds the message. Call this directly before an irreversible effect."""
    if not jobs.renew(row=message, now=now, **fields):
        raise LeaseLost(f"{message.key} was given to another worker.")


def remember(*, message: OutboxMessage, now: datetime, **facts: Any) -> None:
    """Store `facts` (JSON) in the payload directly before an irreversible effect. Raises LeaseLost."""
    message.payload = message.payload | facts
    check_held(message=message, now=now, payload=message.payload)


def collect_batch(*, message: OutboxMessage, now: datetime) -> list[OutboxMessage]:
    """The message, and those of its kind directly behind it in its lane, for one effect. Raises LeaseLost.

    The set is stored first, so that a retry uses the same. No other worker can claim these messages, because a lane is
    delivered in order; they are finished with the first one.
    """
    if "together" not in message.payload:
        behind = OutboxMessage.objects.filter(lane=message.lane, pk__gt=message.pk, state__in=UNFINISHED).order_by("pk")
        alike = takewhile(lambda row: row.kind == message.kind, behind[: TOGETHER_MAX - 1])
        remember(message=message, now=now, together=[row.pk for row in alike])
    return [message, *OutboxMessage.objects.filter(pk__in=message.payload["together"]).order_by("pk")]


def enqueue(*, kind: str, key: str, lane: str, payload: Mapping[str, Any], now: datetime) -> OutboxMessage:
    """Write the message in the caller's transaction. A repeated `key` writes no second message."""
    fields = {"kind": kind, "lane": lane, "payload": dict(payload)}
    fields |= {"asked_in": trace.request_id(), "asked_by": trace.user_id()}
    fields |= jobs.queued(model=OutboxMessage, now=now)
    message, _ = OutboxMessage.objects.get_or_create(key=key, defaults=fields)
    wake(DELIVER, message.pk)
    return message


def deliver_next(*, now: datetime) -> OutboxMessage | None:
    """Deliver one message. Returns None if none is due.

    It is in turn that of the person and kind that were served longest ago, and the one that is due longest: nobody is
    delayed by the hundreds of another by more than half, and no message of a large group waits for ever.
    While a new version of the application is rolled out, its messages may be of a kind that this process does not know.
    They are left to a process that does.
    """
    delivered = (deliver(pk=pk, now=now) for pk in next(ORDERS)(now))
    return next((message for message in delivered if message is not None), None)


def _fair(now: datetime) -> list[int]:
    return OutboxMessage.turns(now=now, limit=TURNS_MAX, kinds=HANDLERS)


def _oldest(now: datetime) -> list[int]:
    known = Q(kind__in=list(HANDLERS))
    return [row.pk for row in OutboxMessage.due(now=now, limit=TURNS_MAX, among=known)]


ORDERS = cycle((_fair, _oldest))


def deliver(*, pk: int, now: datetime) -> OutboxMessage | None:
    """Deliver one message if it is due, unclaimed and not held back. Returns the updated message, or None."""
    if _held_back(pk=pk, now=now):
        return None
    message = jobs.claim(model=OutboxMessage, pk=pk, now=now)
    if message is None:
        return None
    message.write(taken_at=now)
    caused = {"request_id": message.asked_in, "user_id": message.asked_by, "outbox_key": message.key}
    with trace.correlated(**caused), lease_renewed(message):
        _attempt(message, now)
    message.refresh_from_db()
    return message


def _attempt(message: OutboxMessage, now: datetime) -> None:
    try:
        _finish(message, HANDLERS[message.kind](message), now)
    except LeaseLost as loss:
        log.warning("%s", loss)
    except NeedsPerson as refusal:
        payload = _marked(message, refusal.reach)
        message.write(state=JobState.PAUSED, lease_until=None, error=storable(str(refusal)), payload=payload)
    except TryLater as delay:
        _wait(message, delay, now)
    except Exception as error:
        log.exception("Outbox message %s failed.", message.key)
        if is_storage_away(error):
            jobs.put_back(row=message, error=error, now=now)
            return
        wait, payload = backoff(message.attempts), _marked(message, Reach.MESSAGE)
        reason = f"{type(error).__name__}: {error}"
        message.hand_back(now=now, error=reason, wait=wait, is_uncertain=True, payload=payload)


def resume(*, channel: str, system: int | None = None, broken: Collection[int] = (), now: datetime) -> int:
    """Resume messages that were held back, in the caller's transaction; the one that met the refusal is tried last.

    Returns their number. If it is refused again, that one no longer holds back others. Those of the `broken` parts of
    the system stay, and hold back no other part.
    """
    met_an_outage = Q(payload__has_key="reach") & ~Q(payload__told=True)
    queued = Q(state=JobState.QUEUED) & (met_an_outage | Q(attempts=0, next_attempt_at__gt=now))
    rows = OutboxMessage.objects.select_for_update().filter(Q(state=JobState.PAUSED) | queued, sent_to(channel, system))
    held = list(rows.exclude(kind__in=PROBES).order_by("pk"))
    staying = [row for row in held if row.payload.get("part") in broken]
    for row in staying:
        if row.payload.get("reach") == Reach.CHANNEL:
            row.payload |= {"reach": Reach.KIND}
            row.save(update_fields=["payload"])
    resumed = [row for row in held if row not in staying]
    for row in resumed:
        met_it = "reach" in row.payload
        payload = _marked(row, Reach.MESSAGE) | ({"is_alone": True} if met_it else {})
        at = now + LOOK_AGAIN if met_it else now
        jobs.requeue(row=row, now=at, payload=payload, max_attempts=ATTEMPTS_MAX)
    return len(resumed)


def _marked(message: OutboxMessage, reach: Reach, *, is_told: bool = False) -> dict[str, Any]:
    """The payload with the scope of the refusal. `is_told` means that the external system named the wait."""
    rest = {name: value for name, value in message.payload.items() if name not in {"reach", "told"}}
    if reach is Reach.MESSAGE or message.kind not in CHANNELS or rest.get("is_alone"):
        return rest
    return rest | {"reach": reach, "told": is_told}


def _wait(message: OutboxMessage, delay: TryLater, now: datetime) -> None:
    reaches = delay.reach is not Reach.MESSAGE
    wait = backoff(message.attempts)
    if delay.wait_s is not None:
        told = timedelta(seconds=delay.wait_s)
        # An uncertain effect uses up attempts, which must outlast an outage.
        wait = max(told, wait) if delay.is_uncertain and not reaches else told
    elif reaches:
        wait = min(wait, OUTAGE_LAST)
    payload = _marked(message, delay.reach, is_told=delay.wait_s is not None)
    is_uncertain = message.is_uncertain or delay.is_uncertain
    fields = {"payload": payload, "is_uncertain": is_uncertain, "max_attempts": message.max_attempts + reaches}
    message.hand_back(now=delay.at or now, error=str(delay), wait=wait, **fields)


def _held_back(*, pk: int, now: datetime) -> bool:
    """Whether another message of the channel blocks this one; then this one waits, or pauses, with it."""
    message = OutboxMessage.objects.filter(OutboxMessage.claimable(now=now), pk=pk, kind__in=CHANNELS).first()
    before = in_the_way(message, now) if message else None
    if message is None or before is None:
        return False
    rows = OutboxMessage.objects.filter(pk=pk, fence=message.fence, state=message.state)
    if before.state == JobState.PAUSED:
        rows.update(state=JobState.PAUSED, lease_until=None, error=before.error)
    else:
        waits = "next_attempt_at" if message.state == JobState.QUEUED else "lease_until"
        rows.update(**{waits: max(before.next_attempt_at, now + LOOK_AGAIN)})
    return True


def _finish(message: OutboxMessage, settle: Settle | None, now: datetime) -> None:
    with transaction.atomic():
        if jobs.finish(row=message, now=now):
            together = OutboxMessage.objects.filter(pk__in=message.payload.get("together", []), state__in=UNFINISHED)
            together.update(state=JobState.DONE, finished_at=now, error="", lease_until=None)
            if settle is not None:
                settle()
    after = OutboxMessage.objects.filter(lane=message.lane, pk__gt=message.pk, state=JobState.QUEUED).order_by("pk")
    for row in after[:1]:
        wake(DELIVER, row.pk)


register(
    JobKind(
        model=OutboxMessage,
        queues={DELIVER: Q()},
        name=lambda _: "This message",
        silence="All workers that took this message stopped responding.",
        check=lambda person, _: check_operate(person),
        max_attempts=ATTEMPTS_MAX,
        on_end=report_dead_effect,
        lease=effect_lease,
        longest=LONGEST,
        canceled_from=(*UNFINISHED, JobState.DEAD),
        may_retry=lambda message: message.state in {JobState.DEAD, JobState.PAUSED},
        retried="a dead or paused one can be retried",
        # The effect may have happened, so the next attempt checks first.
        reset=lambda message: {"is_uncertain": message.is_uncertain or message.attempts > 0},
    )
)
