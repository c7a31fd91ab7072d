"""Tasks for workers and the tick: make the messages that are due, send mail, call webhooks."""

from datetime import datetime, timedelta

from django.utils import timezone

from governance.jobs import outbox, ticks
from governance.jobs.kinds import backoff
from governance.jobs.models import OutboxMessage
from governance.notifications import mail
from governance.notifications.domain.kinds import TEST
from governance.notifications.models import CALL, MAIL, Dispatch
from governance.notifications.outbox import dispatches
from governance.notifications.queries.due import made_since, silent_until, webhook_silent_until
from governance.notifications.queries.messages import lines_for_webhook, mail_of
from governance.notifications.webhooks import calls

FRESH = timedelta(seconds=10)
NOT_WANTED = "It was not sent: this webhook does not get such events any more."


@ticks.on_tick(due=lambda now: [made_since(now - FRESH)])
def make_fresh_messages(now: datetime) -> None:
    """Make the messages about what has just happened."""
    dispatches.dispatch_due(since=now - FRESH, now=now)


@ticks.on_tick(every=timedelta(minutes=1))
def make_messages(now: datetime) -> bool:
    """Make the messages that are due, also those that waited. Returns whether there are more."""
    return len(dispatches.dispatch_due(now=now)) >= dispatches.MADE_AT_ONCE // 2


@outbox.handles(MAIL, channel="mail")
def send_mail(message: OutboxMessage) -> outbox.Settle:
    """Send one mail. A closed account gets none; in quiet hours and absences, the mail waits, unless it is a test."""
    row, now = Dispatch.objects.select_related("person").get(pk=message.payload["dispatch"]), timezone.now()
    is_by_hand = row.kind == TEST
    if row.person is not None and not is_by_hand and (until := silent_until(row.person.pk, now=now)) is not None:
        name = row.person.username
        raise outbox.TryLater(f"{name} gets no mail now.", wait_s=(until - now).total_seconds(), at=now)
    content = mail_of(row, now=now, is_repetition=message.is_uncertain)
    if content is not None:
        outbox.check_held(message=message, now=now)
        mail.send(content, now=now)
    return lambda: dispatches.mark_sent(dispatch=row, now=now)


@outbox.handles(CALL)
def call_webhook(message: OutboxMessage) -> outbox.Settle | None:
    """Call one webhook, unless it was removed, or all kinds of the message were taken from it; wait in quiet hours.

    What a person sends by hand, a test or a message again, does not wait.
    """
    row = Dispatch.objects.select_related("webhook__team").get(pk=message.payload["dispatch"])
    if row.webhook is None or row.webhook.removed_at is not None:
        return None
    now, is_by_hand = timezone.now(), row.kind == TEST or message.key != row.key
    if not is_by_hand and (until := webhook_silent_until(row.webhook, now=now)) is not None:
        raise outbox.TryLater(f"{row.webhook.name} is quiet.", wait_s=(until - now).total_seconds(), at=now)
    lines = lines_for_webhook(row, is_repetition=is_by_hand or message.is_uncertain)
    if not lines and row.kind != TEST:
        dispatches.log_attempt(dispatch=row, status=0, answer=NOT_WANTED, taken_ms=0, now=now)
        return None
    outbox.check_held(message=message, now=now)
    answer = calls.call(dispatch=row, lines=lines, now=timezone.now())
    if not answer.is_taken:
        text = f"{row.webhook.name} answered {answer.status or 'nothing'}: {answer.text[:200]}"
        least = backoff(message.attempts).total_seconds()
        wait_s = None if answer.wait_s is None else max(answer.wait_s, least)
        raise outbox.TryLater(text, wait_s=wait_s, is_uncertain=True)
    return lambda: dispatches.mark_sent(dispatch=row, now=timezone.now())
