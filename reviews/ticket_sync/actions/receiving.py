"""Process data from the ticket tracker: store webhook deliveries, mirror tickets, and process each move once."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from governance.people.domain.roles import Person
from governance.people.queries.people import person_of
from reviews.quarterly.models import ActionItem
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import may_see
from reviews.ticket_sync.actions.move_targets import ActionItemTarget
from reviews.ticket_sync.queries.drafts import action_of
from reviews.tickets import actions as effects
from reviews.tickets.domain.moves import (
    ENDING,
    MOVED_ON,
    Hint,
    Meaning,
    MoveAnswer,
    MoveOutcome,
    answer_on_request,
    is_own_comment,
    meaning_for_action,
    meaning_of,
)
from reviews.tickets.models import (
    ExternalIdentity,
    Ticket,
    TicketComment,
    TicketMirror,
    TicketMove,
    TicketSite,
    WebhookDelivery,
)
from reviews.tickets.ports import RemoteComment, RemoteIssue, RemoteMove
from reviews.tickets.queries.sites import place_of
from reviews.workflow.actions import requests
from weighbridge.core.documents import cleaned
from weighbridge.core.errors import Refused

IDENTIFIER_CHARS_MAX = 200
DELIVERY_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class RequestTarget:
    """The request of a ticket."""

    request: ReviewRequest

    def may_act(self, person: Person) -> bool:
        """Whether the person may see the request."""
        return may_see(person, parties_of(self.request))

    def answer(self, meaning: Meaning, *, author: str, is_known: bool) -> MoveAnswer:
        """The answer to the move, before it is applied."""
        state, ref = RequestState(self.request.state), self.request.ref
        return answer_on_request(meaning, state=state, ref=ref, author=author, is_known=is_known)

    def apply(self, _: Meaning, reason: str, user: User, now: datetime) -> None:
        """Withdraw the request as the user."""
        requests.withdraw(request=self.request, reason=reason, by=user, now=now)


def receive(*, identifier: str, hint: Hint, body: bytes, ticket: Ticket, by: User | None = None, now: datetime) -> bool:
    """Store a verified delivery and queue a read of the ticket. False if the same body was already stored.

    The identifier is a header, which nobody signed: it is stored to be looked up, and tells nothing apart.
    """
    identifier = cleaned(identifier, chars_max=IDENTIFIER_CHARS_MAX)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    with transaction.atomic():
        delivery, is_new = WebhookDelivery.objects.get_or_create(
            body_digest=digest,
            defaults={"event": hint.event, "ticket": ticket, "identifier": identifier, "received_at": now},
        )
        if is_new:
            _enqueue_read(ticket, occasion=f"hook:{delivery.pk}", now=now)
            details = {"event": hint.event, "request": ticket.subject[1], "identifier": identifier}
            subject = (effects.SITE, ticket.site.name if ticket.site else "")
            audit.record(kind="ticket.hinted", by=by, subject=subject, details=details, now=now)
    return is_new


def record_delivery(*, site: TicketSite, by: User | None = None, now: datetime) -> bool:
    """Record that a signed delivery of the site arrived, at most once a minute. The first one is audited."""
    with transaction.atomic():
        rows = TicketSite.objects.filter(Q(webhook_at=None) | Q(webhook_at__lt=now - DELIVERY_EVERY), pk=site.pk)
        is_recorded = rows.update(webhook_at=now) == 1
        if is_recorded and site.webhook_at is None:
            audit.record(kind="ticket_site.delivery_received", by=by, subject=(effects.SITE, site.name), now=now)
    return is_recorded


def request_read(*, ticket: Ticket, occasion: str, by: User | None = None, now: datetime) -> OutboxMessage:
    """Queue a read of the ticket. Two calls with the same `occasion` queue one read."""
    with transaction.atomic():
        message = _enqueue_read(ticket, occasion=occasion, now=now)
        details = {"occasion": occasion}
        audit.record(kind="ticket.read_requested", subject=ticket.subject, by=by, now=now, details=details)
    return message


def update_mirror(*, ticket: Ticket, remote: RemoteIssue, by: User | None = None, now: datetime) -> bool:
    """Store status and comments as read from the tracker. False if a newer state is already stored."""
    with transaction.atomic():
        row = Ticket.objects.select_for_update().get(pk=ticket.pk)
        stored = TicketMirror.objects.filter(ticket=row).first()
        if stored and stored.remote_updated_at and stored.remote_updated_at > remote.updated_at:
            return False
        before = (row.status, row.key, bool(stored and stored.gone_at))
        row.status, row.key, row.url = remote.status, remote.key, remote.url
        row.save(update_fields=["status", "key", "url"])
        changed_count = _mirror_comments(row, remote.comments)
        fields = {"remote_updated_at": remote.updated_at, "read_at": now, "gone_at": None}
        TicketMirror.objects.update_or_create(ticket=row, defaults=fields)
        if changed_count or before != (row.status, row.key, False) or stored is None:
            details = {"status": row.status, "comments": changed_count}
            audit.record(kind="ticket.mirrored", subject=row.subject, by=by, now=now, details=details)
    return True


def record_gone(*, ticket: Ticket, reason: str, by: User | None = None, now: datetime) -> None:
    """Record that the tracker no longer shows the ticket. It is not reopened automatically."""
    with transaction.atomic():
        row = Ticket.objects.select_for_update().get(pk=ticket.pk)
        stored, _ = TicketMirror.objects.get_or_create(ticket=row, defaults={"read_at": now})
        is_new_information = stored.gone_at is None
        stored.gone_at, stored.read_at = stored.gone_at or now, now
        stored.save()
        if is_new_information:
            audit.record(kind="ticket.gone", subject=row.subject, by=by, now=now, reason=reason)


def process_move(
    *,
    ticket: Ticket,
    move: RemoteMove,
    is_last: bool,
    moves: Mapping[str, str],
    decisions: Collection[str],
    page: str,
    by: User | None = None,
    now: datetime,
) -> TicketMove | None:
    """Process one move of the ticket, once: apply it, or refuse it with a comment that links to `page`.

    None if the move was already processed. A move that ends something counts only if it `is_last`: otherwise the ticket
    does not stand there any more. Our own moves mean nothing; they are stored, so that they are not taken for those of
    a person once the site signs in with another account. `moves` and `decisions` are the arguments of
    `tickets.domain.meaning_of`.
    """
    with transaction.atomic():
        target = _locked_target(ticket)
        if TicketMove.objects.filter(ticket=ticket, remote_id=move.id).exists():
            return None
        named = meaning_of(status=move.status, category=move.category, moves=moves, decisions=decisions)
        meaning = named if ticket.request_id else meaning_for_action(named)
        user = _user_of_account(ticket, move.author_id, target)
        if move.is_by_us:
            meaning, user = Meaning.NONE, None
        answer = target.answer(meaning, author=move.author, is_known=user is not None)
        if meaning in ENDING and not is_last:
            answer = MoveAnswer(MoveOutcome.NOTED, MOVED_ON)
        if answer.is_to_try and user is not None:
            answer = _apply(ticket, target, meaning, move, user, now)
        row = _store_move(ticket, move, meaning, answer, user, now)
        if answer.outcome is MoveOutcome.REFUSED:
            effects.notify_ticket(ticket=ticket, occasion="refused", reason=f"{answer.reason} {page}", by=by, now=now)
        is_acknowledged = ticket.request_id and meaning is Meaning.ACKNOWLEDGE and answer.outcome is MoveOutcome.DONE
        kind = "ticket.acknowledged" if is_acknowledged else f"ticket.move_{answer.outcome.value}"
        details = {"status": move.status, "author": move.author, "move": move.id, "meaning": meaning.value}
        audit.record(kind=kind, subject=ticket.subject, by=user or by, now=now, details=details, reason=answer.reason)
    return row


def _enqueue_read(ticket: Ticket, *, occasion: str, now: datetime) -> OutboxMessage:
    """Reads use a lane of their own, so that pending comments and pending reads do not block each other."""
    ref = ticket.subject[1]
    return outbox.enqueue(
        kind="ticket.read",
        key=f"ticket.read:{ref}:{occasion}",
        lane=f"ticket.read:{ref}",
        payload={"ticket_id": ticket.pk} | place_of(ticket),
        now=now,
    )


def _mirror_comments(ticket: Ticket, comments: tuple[RemoteComment, ...]) -> int:
    """Make the stored comments equal to the remote ones. Returns the number of changed comments of other people."""
    stored = {row.remote_id: row for row in ticket.comments.all()}
    gone = [row for remote_id, row in stored.items() if remote_id not in {comment.id for comment in comments}]
    theirs = [row.pk for row in gone if not row.is_ours]
    ticket.comments.filter(pk__in=theirs).delete()
    return len(theirs) + sum(_store_comment(ticket, stored.get(comment.id), comment) for comment in comments)


def _store_comment(ticket: Ticket, stored: TicketComment | None, comment: RemoteComment) -> bool:
    """Store one comment. True if another person wrote it and it changed."""
    is_stored = stored is not None and stored.is_ours
    is_ours = is_own_comment(is_stored=is_stored, is_by_us=comment.is_by_us, text=comment.text)
    fields = {
        "is_ours": is_ours,
        "author_id": comment.author_id,
        "author": comment.author,
        "text": "" if is_ours else comment.text,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
    }
    if stored is not None and all(getattr(stored, name) == value for name, value in fields.items()):
        return False
    TicketComment.objects.update_or_create(ticket=ticket, remote_id=comment.id, defaults=fields)
    return not is_ours


def _locked_target(ticket: Ticket) -> RequestTarget | ActionItemTarget:
    """Lock what the ticket is about, so that two workers never process the same ticket at once."""
    if ticket.request is not None:
        return RequestTarget(lock(ticket.request))
    return ActionItemTarget(ActionItem.objects.select_for_update().get(pk=action_of(ticket).pk))


def _apply(
    ticket: Ticket,
    target: RequestTarget | ActionItemTarget,
    meaning: Meaning,
    move: RemoteMove,
    user: User,
    now: datetime,
) -> MoveAnswer:
    """Apply the move as the user, with the regular permission checks."""
    try:
        with transaction.atomic():
            target.apply(meaning, f"Moved to {move.status} in Jira.", user, now)
    except Refused as refusal:
        unchanged = "was not withdrawn" if ticket.request_id else "was not changed"
        return MoveAnswer(MoveOutcome.REFUSED, f"{ticket.subject[1]} {unchanged}: {refusal.reason}")
    return MoveAnswer(MoveOutcome.DONE)


def _user_of_account(ticket: Ticket, account_id: str, target: RequestTarget | ActionItemTarget) -> User | None:
    """The user linked to the account on the site, if active and allowed to act on the request or action item."""
    accounts = ExternalIdentity.objects.filter(site=ticket.site_id, account_id=account_id)
    identity = accounts.select_related("user").first() if account_id and ticket.site_id else None
    if identity is None or not identity.user.is_active or not target.may_act(person_of(identity.user)):
        return None
    return User.objects.get(pk=identity.user.pk)


def _store_move(
    ticket: Ticket, move: RemoteMove, meaning: Meaning, answer: MoveAnswer, user: User | None, now: datetime
) -> TicketMove:
    return TicketMove.objects.create(
        ticket=ticket,
        remote_id=move.id,
        author_id=move.author_id,
        author=move.author,
        user=user,
        status=move.status,
        moved_at=move.at,
        meaning=meaning,
        outcome=answer.outcome,
        reason=answer.reason,
        judged_at=now,
    )
