"""Request changes to tickets. Every change is an outbox row, written in the transaction that needs it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from governance.jobs.queries import CHECK
from governance.people.queries.people import name_of
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket, TicketComment, TicketState
from reviews.tickets.ports import RemoteTicket, TrackerHealth, ticket_label

if TYPE_CHECKING:
    from reviews.quarterly.models import ActionItem

TRACKER = "tracker"
PROBE_FIRST, PROBE_LAST = timedelta(minutes=5), timedelta(hours=6)
_JIRA = ("integration", "jira")


def open_ticket(*, request: ReviewRequest, by: User, now: datetime) -> Ticket:
    """Queue the ticket of a request. Without a tracker it stays queued, and the pages show this."""
    return _open(request.ref, by, now, request=request)


def open_action_ticket(*, item: "ActionItem", by: User, now: datetime) -> Ticket:
    """Queue the ticket of an action item."""
    return _open(item.ref, by, now, action_item=item)


def _open(ref: str, by: User, now: datetime, **of: Any) -> Ticket:
    label = ticket_label(instance=settings.WEIGHBRIDGE["INSTANCE"], reference=ref)
    with transaction.atomic():
        ticket, is_new = Ticket.objects.get_or_create(**of, defaults={"label": label})
        if is_new:
            audit.record(kind="ticket.wanted", subject=ticket.subject, by=by, now=now, details={"label": label})
        outbox.enqueue(
            kind="ticket.open", key=f"ticket.open:{ref}", lane=_lane(ref), payload=_subject_id(ticket), now=now
        )
    return ticket


def notify_request_ticket(
    *, request: ReviewRequest, occasion: str, reason: str, by: User | None, now: datetime
) -> None:
    """Comment on the ticket of a request, if it has one, and move it to the status configured for the occasion."""
    with transaction.atomic():
        ticket = Ticket.objects.filter(request=request).first()
        if ticket is None:
            subject, details = ("request", request.ref), {"occasion": occasion}
            audit.record(kind="ticket.not_wanted", subject=subject, by=by, now=now, details=details)
            return
        notify_ticket(ticket=ticket, occasion=occasion, reason=reason, by=by, now=now)


def notify_ticket(*, ticket: Ticket, occasion: str, reason: str, by: User | None, now: datetime) -> None:
    """Comment on a ticket and move it to the status configured for the occasion."""
    ref = ticket.subject[1]
    with transaction.atomic():
        number = OutboxMessage.objects.filter(lane=_lane(ref)).count()
        key = f"ticket.tell:{ref}:{number}:{occasion}"
        author = name_of(by) if by else "Weighbridge"
        payload = _subject_id(ticket) | {"occasion": occasion, "text": reason, "by": author, "marker": key}
        outbox.enqueue(kind="ticket.tell", key=key, lane=_lane(ref), payload=payload, now=now)
        audit.record(kind="ticket.told", subject=ticket.subject, by=by, now=now, details={"occasion": occasion})


def link_ticket(*, ticket: Ticket, remote: RemoteTicket, by: User | None = None, now: datetime) -> Ticket:
    """Store the id, key and URL of the ticket in the tracker."""
    with transaction.atomic():
        ticket.state, ticket.remote_id, ticket.key, ticket.url = TicketState.LINKED, remote.id, remote.key, remote.url
        ticket.status, ticket.linked_at = remote.status or ticket.status, ticket.linked_at or now
        ticket.save()
        details = {"key": remote.key, "duplicates": list(remote.duplicates)}
        audit.record(kind="ticket.linked", subject=ticket.subject, by=by, now=now, details=details)
    return ticket


def record_ticket_update(
    *, ticket: Ticket, status: str, note: str, comment_id: str = "", by: User | None = None, now: datetime
) -> None:
    """Store the current status, the id of our comment, and a note about what could not be done."""
    with transaction.atomic():
        ticket.status = status or ticket.status
        ticket.save(update_fields=["status"])
        if comment_id:
            ours = {"is_ours": True, "text": "", "created_at": now, "updated_at": now}
            TicketComment.objects.update_or_create(ticket=ticket, remote_id=comment_id, defaults=ours)
        details = {"status": status}
        audit.record(kind="ticket.updated", subject=ticket.subject, by=by, now=now, details=details, reason=note)


def mark_uncertain(*, ticket: Ticket, by: User | None = None, now: datetime) -> None:
    """Record that the response to the creation was lost. The ticket is searched for before a new attempt."""
    with transaction.atomic():
        ticket.state = TicketState.UNCERTAIN
        ticket.save(update_fields=["state"])
        audit.record(kind="ticket.uncertain", subject=ticket.subject, by=by, now=now)


def record_health(*, health: TrackerHealth, by: User | None = None, now: datetime) -> None:
    """Store the result of a connection test for the integrations page. A success resumes paused messages."""
    details = {"ok": health.ok, "sentence": health.sentence, "account": health.account}
    with transaction.atomic():
        resumed = outbox.resume(channel=TRACKER, now=now) if health.ok else 0
        audit.record(kind="tracker.checked", by=by, subject=_JIRA, details=details, now=now)
        if resumed:
            audit.record(kind="tracker.resumed", by=by, subject=_JIRA, details={"count": resumed}, now=now)


def probe_tracker(*, by: User | None = None, now: datetime) -> OutboxMessage | None:
    """Test the connection while tickets are paused: the first time at once, then less and less often.

    The wait is half the age of the oldest paused message, from five minutes to six hours, so that an expired token is
    not tried all weekend. None if no test is due.
    """
    paused = OutboxMessage.objects.filter(state=JobState.PAUSED, kind__startswith="ticket.").order_by("pk").first()
    last = OutboxMessage.objects.filter(kind=CHECK).order_by("-pk").first()
    if paused is None or (last is not None and not _is_due(last, now - paused.created_at, now)):
        return None
    with transaction.atomic():
        key = f"{CHECK}:after:{last.pk if last else 0}"  # the key allows one test even if several processes find it due
        message = outbox.enqueue(kind=CHECK, key=key, lane=TRACKER, payload={}, now=now)
        audit.record(kind="tracker.check_requested", by=by, subject=_JIRA, now=now)
    return message


def _is_due(last: OutboxMessage, paused_for: timedelta, now: datetime) -> bool:
    wait = min(max(paused_for / 2, PROBE_FIRST), PROBE_LAST)
    return last.state not in {*UNFINISHED, JobState.DEAD} and now - (last.finished_at or last.created_at) >= wait


def _lane(ref: str) -> str:
    """Messages in one lane are delivered one after the other."""
    return f"ticket:{ref}"


def _subject_id(ticket: Ticket) -> dict[str, Any]:
    return {"request_id": ticket.request_id} if ticket.request_id else {"action_id": ticket.action_item_id}
