"""Tasks that exchange data with the ticket tracker."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from governance.jobs import enums as jobs_enums
from governance.jobs import outbox
from governance.jobs.kinds import effect_lease
from governance.jobs.models import OutboxMessage
from reviews.requests.enums import OUTCOMES
from reviews.ticket_sync.actions import receiving as inbound
from reviews.ticket_sync.actions import reconciliation
from reviews.ticket_sync.queries import draft_for, page_of, title_of
from reviews.tickets import actions as effects
from reviews.tickets.domain import MOVES, ReconciliationMode
from reviews.tickets.jira.reader import STATUSES_MAX, JiraReader
from reviews.tickets.jira.settings import STATUSES, JiraSettings
from reviews.tickets.models import Ticket
from reviews.tickets.ports import (
    FailureReach,
    LabelLost,
    Misconfigured,
    OutcomeUnknown,
    Paragraph,
    RemoteTicket,
    TicketGone,
    TicketReader,
    TicketStatus,
    TicketTracker,
    TrackerError,
    TrackerHealth,
    TrackerUnreachable,
    TransitionUnavailable,
)
from reviews.tickets.queries.drafts import ticket_of
from reviews.tickets.queries.mirror import linked_ids

NO_TRACKER = "Jira is not configured (JIRA_URL is unset). The ticket stays queued until it is."
REACH = {
    FailureReach.TICKET: jobs_enums.Reach.MESSAGE,
    FailureReach.ALIKE: jobs_enums.Reach.KIND,
    FailureReach.TRACKER: jobs_enums.Reach.CHANNEL,
}
PATIENCE_MAX_S = 3600.0
NIGHT_HOUR = 2
OUTCOME_NAMES = tuple(name for name, _ in OUTCOMES)


def jira_settings() -> JiraSettings:
    """The Jira settings. Raises NeedsPerson if Jira is not configured or the settings are invalid."""
    values = settings.WEIGHBRIDGE["JIRA"]
    if not values["url"]:
        raise outbox.NeedsPerson(NO_TRACKER)
    try:
        return JiraSettings(**{name: value for name, value in values.items() if name != "statuses"})
    except Misconfigured as refusal:
        raise outbox.NeedsPerson(refusal.reason) from refusal


@contextmanager
def tracker() -> Iterator[TicketReader]:
    """The configured tracker. Its failures are translated into exceptions of the outbox."""
    opened = JiraReader(jira_settings(), clock=timezone.now)
    try:
        yield opened
    except TrackerUnreachable as failure:
        reach, wait_s = REACH[failure.reach], failure.retry_after_s
        raise outbox.TryLater(failure.reason, wait_s=wait_s, reach=reach, at=timezone.now()) from failure
    except OutcomeUnknown as failure:
        raise outbox.TryLater(
            failure.reason, wait_s=failure.settle_s, is_uncertain=True, at=timezone.now()
        ) from failure
    except TrackerError as failure:
        raise outbox.NeedsPerson(failure.reason, reach=REACH[failure.reach]) from failure
    finally:
        opened.close()


@outbox.handles("ticket.open", channel=effects.TRACKER)
def open_ticket(message: OutboxMessage) -> None:
    """Open the ticket of a request or an action item, or adopt one from an earlier attempt, and link it back."""
    ticket = ticket_of(message.payload)
    with tracker() as jira:
        remote = _opened(jira, message, ticket)
        jira.link(remote.id, url=page_of(ticket), title=title_of(ticket), global_id=ticket.label)


def _opened(jira: TicketTracker, message: OutboxMessage, ticket: Ticket) -> RemoteTicket:
    if ticket.remote_id:
        return RemoteTicket(ticket.remote_id, ticket.key, ticket.url, ticket.status)
    try:
        # It always searches first: a database restored from a backup does not know the earlier attempts.
        remote = jira.find(ticket.label) or jira.open(draft_for(ticket), not_after=_record_attempt(message))
    except OutcomeUnknown:
        effects.mark_uncertain(ticket=ticket, now=timezone.now())
        raise
    except LabelLost as loss:
        _link(message, ticket, loss.ticket)
        raise
    # Stored at once: if the link back fails, a search right after the opening would not find the ticket.
    _link(message, ticket, remote)
    return remote


def _record_attempt(message: OutboxMessage) -> datetime:
    """Record that a creation is about to be sent, unless an earlier one may still appear; each wait is longer.

    Returns the time until which it may be sent.
    """
    now, asks, jira = timezone.now(), message.payload.get("asks", 0), jira_settings()
    if asks:
        patience_s = min(jira.patience_s * 2 ** (asks - 1), PATIENCE_MAX_S)
        left_s = patience_s - (now - datetime.fromisoformat(message.payload["asked_at"])).total_seconds()
        if left_s > 0:
            reason = "Jira may have opened the ticket, but its search may lag behind. Weighbridge will search again."
            raise outbox.TryLater(reason, wait_s=left_s, is_uncertain=True, at=now)
    outbox.remember(message=message, now=now, asked_at=now.isoformat(), asks=asks + 1)
    return now + timedelta(seconds=jira.sendable_s(effect_lease().total_seconds()))


def _link(message: OutboxMessage, ticket: Ticket, remote: RemoteTicket) -> None:
    with transaction.atomic():  # a worker whose lease expired must not overwrite the result of another
        outbox.check_held(message=message, now=timezone.now())
        effects.link_ticket(ticket=ticket, remote=remote, now=timezone.now())


@outbox.handles("ticket.tell", channel=effects.TRACKER)
def deliver_ticket_update(message: OutboxMessage) -> outbox.Settle:
    """Add one comment for all pending messages, and move the ticket to the status of the latest occasion."""
    ticket = ticket_of(message.payload)
    status, note, comment_id = "", "", ""
    with tracker() as jira:
        payloads = [pending.payload for pending in outbox.collect_batch(message=message, now=timezone.now())]
        wanted = [name for payload in payloads if (name := _statuses().get(payload["occasion"]))]
        blocks = tuple(
            Paragraph(f"{payload['by']}: {payload['text'] or payload['occasion'].replace('_', ' ')}")
            for payload in payloads
        )
        may_exist = message.attempts > 1 or message.is_uncertain
        try:
            comment_id = jira.comment(ticket.remote_id, blocks, marker=message.payload["marker"], may_exist=may_exist)
            status = jira.transition(ticket.remote_id, wanted[-1]) if wanted else ""
        except (TicketGone, TransitionUnavailable) as failure:
            note = failure.reason
    return lambda: effects.record_ticket_update(
        ticket=ticket, status=status, note=note, comment_id=comment_id, now=timezone.now()
    )


def _statuses() -> dict[str, str]:
    return {**STATUSES, **settings.WEIGHBRIDGE["JIRA"]["statuses"]}


@outbox.handles("ticket.read", channel=effects.TRACKER)
def read_ticket(message: OutboxMessage) -> None:
    """Read the ticket once for all pending hints, update its mirror, and process each new move."""
    ticket = ticket_of(message.payload)
    with tracker() as jira:
        outbox.collect_batch(message=message, now=timezone.now())
        try:
            remote = jira.read(ticket.remote_id)
        except TicketGone as failure:
            with transaction.atomic():
                outbox.check_held(message=message, now=timezone.now())
                inbound.record_gone(ticket=ticket, reason=failure.reason, now=timezone.now())
            return
    # Each step is its own transaction, which first checks that this worker still holds the message.
    with transaction.atomic():
        outbox.check_held(message=message, now=timezone.now())
        inbound.update_mirror(ticket=ticket, remote=remote, now=timezone.now())
    statuses, page = _statuses(), page_of(ticket)
    decisions = [statuses[name] for name in OUTCOME_NAMES if name in statuses]
    moves = {**MOVES, **settings.WEIGHBRIDGE["JIRA_INBOUND"]["moves"]}
    for move in remote.moves:
        with transaction.atomic():
            outbox.check_held(message=message, now=timezone.now())
            inbound.process_move(
                ticket=ticket, move=move, moves=moves, decisions=decisions, page=page, now=timezone.now()
            )


@outbox.handles("tickets.reconcile", channel=effects.TRACKER)
def reconcile_tickets(message: OutboxMessage) -> outbox.Settle:
    """Read the status of every linked ticket in batches of 100, and repair differences according to the mode."""
    seen: dict[str, TicketStatus] = {}
    ids = linked_ids()
    with tracker() as jira:
        for start in range(0, len(ids), STATUSES_MAX):
            outbox.check_held(message=message, now=timezone.now())
            seen |= jira.read_statuses(ids[start : start + STATUSES_MAX])
    by = User.objects.filter(pk=message.payload.get("by")).first()
    mode = ReconciliationMode(message.payload["mode"])
    return lambda: reconciliation.reconcile(mode=mode, seen=seen, statuses=_statuses(), by=by, now=timezone.now())


@outbox.on_tick
def compare_nightly(now: datetime) -> None:
    """Once a night, after 02:00 UTC, compare every ticket, so that lost deliveries do no lasting harm."""
    mode = settings.WEIGHBRIDGE["JIRA_INBOUND"]["nightly"]
    if (
        settings.WEIGHBRIDGE["JIRA"]["url"]
        and mode in set(ReconciliationMode)
        and now.hour >= NIGHT_HOUR
        and linked_ids()
    ):
        reconciliation.request_reconciliation(mode=ReconciliationMode(mode), occasion=f"night:{now:%Y-%m-%d}", now=now)


@outbox.handles("tracker.check", channel=effects.TRACKER, is_probe=True)
def check_tracker(message: OutboxMessage) -> outbox.Settle:
    """Test the connection without changing anything in Jira; store the result for the integrations page."""
    try:
        with tracker() as jira:
            health = jira.check()
    except outbox.NeedsPerson as refusal:
        health = TrackerHealth(ok=False, sentence=str(refusal))
    if health.retry_after_s is not None:
        wait_s = health.retry_after_s
        raise outbox.TryLater(health.sentence, wait_s=wait_s, reach=jobs_enums.Reach.CHANNEL, at=timezone.now())
    by = User.objects.filter(pk=message.payload.get("by")).first()
    return lambda: effects.record_health(health=health, by=by, now=timezone.now())
