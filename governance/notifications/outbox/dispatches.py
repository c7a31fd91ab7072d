"""Collect what waits into messages. One transaction claims the notifications and enqueues the message."""

from datetime import datetime
from itertools import islice

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from governance.jobs import outbox
from governance.jobs.models import storable
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.kinds import NoticePace
from governance.notifications.models import (
    ANSWER_CHARS_MAX,
    CALL,
    MAIL,
    WAITS,
    Dispatch,
    Notification,
    TeamWebhook,
    WebhookAttempt,
)
from governance.notifications.queries.due import (
    DIGEST,
    digest_key,
    digest_of,
    due_for,
    due_mails,
    due_webhooks,
    is_paused,
)

LOG_MAX, CALLS_MAX, MADE_AT_ONCE = 500, 100, 200


def dispatch_due(*, since: datetime | None = None, now: datetime) -> list[Dispatch]:
    """Make the messages that are due: mail at once and digests, messages of chats, signed events.

    At most 200, and those that a webhook gets with the last of them; the next call continues. `since` restricts them
    to what waits since then. It may run twice, late, or in two processes: the recipient is locked, and whoever comes
    second finds nothing.
    """
    late = Notification.objects.filter(WAITS, until__lte=now).exclude(webhook__flavor=WebhookFlavor.SIGNED)
    late.update(pace=NoticePace.PAGE)
    mails = (_mail(person_id, kind, now) for person_id, kind in due_mails(since=since, now=now))
    calls = (one for webhook in due_webhooks(since=since, now=now) for one in _calls(webhook, now))
    # Half of them are mails, so that neither waits for all of the other.
    return [*islice(filter(None, mails), MADE_AT_ONCE // 2), *islice(filter(None, calls), MADE_AT_ONCE // 2)]


def _mail(person_id: int, kind: str, now: datetime) -> Dispatch | None:
    with transaction.atomic():
        locked = User.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=person_id).first()
        if locked is None:  # another process is at it
            return None
        rows = Notification.objects.filter(WAITS, person=person_id)
        if kind == DIGEST:
            day, before = digest_of(person_id, now=now)
            key, rows = f"mail:{person_id}:digest:{day}", rows.filter(pace=NoticePace.DIGEST, made_at__lt=before)
            is_late = Dispatch.objects.filter(key=key).exists()
        else:
            rows = rows.filter(pace=NoticePace.AT_ONCE, kind=kind)
            key, is_late = f"mail:{person_id}:{kind}:{_first(rows)}", is_paused(now=now, person=person_id, kind=kind)
        return None if is_late else _claimed(rows, key, MAIL, now, person_id=person_id, kind=kind)


def _calls(webhook: TeamWebhook, now: datetime) -> list[Dispatch | None]:
    with transaction.atomic():
        locked = TeamWebhook.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=webhook.pk).first()
        if locked is None or locked.removed_at is not None:
            return []
        rows = due_for(locked, now=now)
        if webhook.flavor == WebhookFlavor.SIGNED:
            return [
                _claimed(rows.filter(pk=pk), f"call:{webhook.pk}:{pk}", CALL, now, webhook_id=webhook.pk, kind=kind)
                for pk, kind in list(rows.order_by("pk").values_list("pk", "kind")[:CALLS_MAX])
            ]
        if is_paused(now=now, webhook=webhook.pk):
            return []
        has_digest = rows.filter(pace=NoticePace.DIGEST).exists()
        key = digest_key(locked, now=now)[0] if has_digest else f"call:{webhook.pk}:{_first(rows)}"
        return [_claimed(rows, key, CALL, now, webhook_id=webhook.pk, kind="")]


def _first(rows: QuerySet[Notification]) -> int:
    return rows.order_by("pk").values_list("pk", flat=True).first() or 0


def _claimed(
    rows: QuerySet[Notification], key: str, effect: str, now: datetime, *, kind: str, **recipient: int
) -> Dispatch | None:
    """The message of these rows, enqueued; None if there are none."""
    pks = list(rows.values_list("pk", flat=True))
    if not pks:
        return None
    row = Dispatch.objects.create(key=key, kind=kind, made_at=now, **recipient)
    Notification.objects.filter(pk__in=pks).update(dispatch=row)
    outbox.enqueue(kind=effect, key=key, lane=key, payload={"dispatch": row.pk}, now=now)
    return row


def mark_sent(*, dispatch: Dispatch, now: datetime) -> None:
    """Record that a message was accepted, in the transaction that ends its delivery."""
    Dispatch.objects.filter(pk=dispatch.pk).update(sent_at=now)


def log_attempt(*, dispatch: Dispatch, status: int, answer: str, taken_ms: int, now: datetime) -> None:
    """Log one call of a webhook, and delete the oldest entries of its log."""
    text = storable(answer)[:ANSWER_CHARS_MAX]
    WebhookAttempt.objects.create(dispatch=dispatch, at=now, status=status, answer=text, taken_ms=taken_ms)
    rows = WebhookAttempt.objects.filter(dispatch__webhook=dispatch.webhook_id).order_by("-pk")
    old = list(rows.values_list("pk", flat=True)[LOG_MAX:])
    WebhookAttempt.objects.filter(pk__in=old).delete()
