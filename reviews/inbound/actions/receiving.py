"""What comes in from the ticket tracker: a delivery is kept, the ticket is read again and mirrored, each move is judged
once.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from governance.people.domain.roles import Person
from governance.people.queries.people import person_of
from governance.people.rules import check_manage_people
from reviews.inbound.actions.action_moves import ItemSide
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import may_see
from reviews.tickets import actions as effects
from reviews.tickets.audit import record_of_ticket
from reviews.tickets.domain import Hint, Meaning, MoveAnswer, MoveOutcome, answer_to, is_own_comment, meaning_of
from reviews.tickets.models import ExternalIdentity, Ticket, TicketComment, TicketMirror, TicketMove, WebhookDelivery
from reviews.tickets.ports import RemoteComment, RemoteIssue, RemoteMove
from reviews.tickets.queries.drafts import request_of
from reviews.workflow.actions import requests
from weighbridge.core.errors import Invalid, Refused

ACCOUNT_CHARS_MAX = 128
_JIRA = ("integration", "jira")


@dataclass(frozen=True)
class RequestSide:
    """The request that a ticket is of, locked; whoever else reads the same ticket waits here."""

    request: ReviewRequest

    @classmethod
    def locked(cls, ticket: Ticket) -> Self:
        """Lock the request of a ticket."""
        return cls(lock(request_of(ticket)))

    def meaning(self, asked: Meaning) -> Meaning:
        """What a move means for a request."""
        return asked

    def may_say(self, person: Person) -> bool:
        """Whether the person may see the request."""
        return may_see(person, parties_of(self.request))

    def answer(self, meaning: Meaning, *, author: str, is_known: bool) -> MoveAnswer:
        """What follows from the move, before it is tried."""
        state, ref = RequestState(self.request.state), self.request.ref
        return answer_to(meaning, state=state, ref=ref, author=author, is_known=is_known)

    def tried(self, _: Meaning, move: RemoteMove, user: User, now: datetime) -> MoveAnswer:
        """Withdraw the request as the user, if that may be."""
        try:
            with transaction.atomic():
                reason = f"Moved to {move.status} in Jira."
                requests.withdraw(request=self.request, reason=reason, by=user, now=now)
        except Refused as refusal:
            return MoveAnswer(MoveOutcome.REFUSED, f"{self.request.ref} was not withdrawn: {refusal.reason}")
        return MoveAnswer(MoveOutcome.DONE)


def receive(*, identifier: str, hint: Hint, body: bytes, ticket: Ticket, by: User | None = None, now: datetime) -> bool:
    """Keep a genuine delivery and ask for the ticket to be read again; False where this one was kept before."""
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    with transaction.atomic():
        delivery, is_new = WebhookDelivery.objects.get_or_create(
            identifier=identifier,
            defaults={"event": hint.event, "ticket": ticket, "body_digest": digest, "received_at": now},
        )
        if is_new:
            _ask(ticket, occasion=f"hook:{delivery.pk}", now=now)
            details = {"event": hint.event, "request": ticket.subject[1], "identifier": identifier}
            audit.record(kind="ticket.hinted", by=by, subject=_JIRA, details=details, now=now)
    return is_new


def request_read(*, ticket: Ticket, occasion: str, by: User | None = None, now: datetime) -> OutboxMessage:
    """Ask for the ticket to be read again; the same `occasion` twice is one reading."""
    with transaction.atomic():
        message = _ask(ticket, occasion=occasion, now=now)
        details = {"occasion": occasion}
        record_of_ticket(kind="ticket.read_requested", ticket=ticket, by=by, now=now, details=details)
    return message


def mirror(*, ticket: Ticket, remote: RemoteIssue, by: User | None = None, now: datetime) -> bool:
    """Keep status and comments as they stand there; False where a newer reading was kept before."""
    with transaction.atomic():
        row = Ticket.objects.select_for_update().get(pk=ticket.pk)
        kept = TicketMirror.objects.filter(ticket=row).first()
        if kept and kept.remote_updated_at and kept.remote_updated_at > remote.updated_at:
            return False
        before = (row.status, row.key, bool(kept and kept.gone_at))
        row.status, row.key, row.url = remote.status[:60], remote.key, remote.url
        row.save(update_fields=["status", "key", "url"])
        told = _mirror_comments(row, remote.comments)
        seen = {"remote_updated_at": remote.updated_at, "read_at": now, "gone_at": None}
        TicketMirror.objects.update_or_create(ticket=row, defaults=seen)
        if told or before != (row.status, row.key, False) or kept is None:
            details = {"status": row.status, "comments": told}
            record_of_ticket(kind="ticket.mirrored", ticket=row, by=by, now=now, details=details)
    return True


def note_gone(*, ticket: Ticket, reason: str, by: User | None = None, now: datetime) -> None:
    """Remember that the tracker shows the ticket no more. It is never opened again by itself."""
    with transaction.atomic():
        row = Ticket.objects.select_for_update().get(pk=ticket.pk)
        kept, _ = TicketMirror.objects.get_or_create(ticket=row, defaults={"read_at": now})
        is_news = kept.gone_at is None
        kept.gone_at, kept.read_at = kept.gone_at or now, now
        kept.save()
        if is_news:
            record_of_ticket(kind="ticket.gone", ticket=row, by=by, now=now, reason=reason)


def judge(
    *,
    ticket: Ticket,
    move: RemoteMove,
    moves: Mapping[str, str],
    decisions: Collection[str],
    page: str,
    by: User | None = None,
    now: datetime,
) -> TicketMove | None:
    """Act on one move of the ticket, once: do what it asks, or refuse with a comment that links to `page`.

    None where it was judged before, or is our own. `moves` and `decisions` as `domain.inbound.meaning_of` takes them.
    """
    with transaction.atomic():
        side = RequestSide.locked(ticket) if ticket.request_id else ItemSide.locked(ticket)
        if move.is_by_us or TicketMove.objects.filter(ticket=ticket, remote_id=move.id).exists():
            return None
        asked = meaning_of(status=move.status, category=move.category, moves=moves, decisions=decisions)
        meaning, user = side.meaning(asked), _known(move.author_id, side)
        answer = side.answer(meaning, author=move.author, is_known=user is not None)
        if answer.is_to_try and user is not None:
            answer = side.tried(meaning, move, user, now)
        row = _judged(ticket, move, meaning, answer, user, now)
        if answer.outcome is MoveOutcome.REFUSED:
            effects.tell(ticket=ticket, occasion="refused", reason=f"{answer.reason} {page}", by=by, now=now)
        is_acknowledged = ticket.request_id and meaning is Meaning.ACKNOWLEDGE and answer.outcome is MoveOutcome.DONE
        kind = "ticket.acknowledged" if is_acknowledged else f"ticket.move_{answer.outcome.value}"
        details = {"status": move.status, "author": move.author, "move": move.id, "meaning": meaning.value}
        record_of_ticket(kind=kind, ticket=ticket, by=user or by, now=now, details=details, reason=answer.reason)
    return row


def identify(*, user: User, account_id: str, by: User | None, now: datetime) -> ExternalIdentity | None:
    """Say which account of the tracker is the user's, or none for ""; `by` None is an operator on the server."""
    if by is not None:
        check_manage_people(person_of(by), user_id=user.pk)
    account_id = account_id.strip()
    if len(account_id) > ACCOUNT_CHARS_MAX:
        raise Invalid(f"An account id has at most {ACCOUNT_CHARS_MAX} characters.", field="account_id")
    with transaction.atomic():
        taken = ExternalIdentity.objects.filter(account_id=account_id).exclude(user=user).select_related("user").first()
        if taken is not None:
            raise Invalid(f"This account is linked to {taken.user}; unlink it there first.", field="account_id")
        row = None
        if account_id:
            row, _ = ExternalIdentity.objects.update_or_create(user=user, defaults={"account_id": account_id})
        else:
            ExternalIdentity.objects.filter(user=user).delete()
        details = {"account_id": account_id}
        audit.record(kind="person.identified", by=by, subject=("person", user.username), details=details, now=now)
    return row


def _ask(ticket: Ticket, *, occasion: str, now: datetime) -> OutboxMessage:
    """A reading of its own lane: what waits to be told never keeps a ticket from being read, nor the other way."""
    ref = ticket.subject[1]
    return outbox.enqueue(
        kind="ticket.read",
        key=f"ticket.read:{ref}:{occasion}",
        lane=f"ticket.read:{ref}",
        payload={"ticket_id": ticket.pk},
        now=now,
    )


def _mirror_comments(ticket: Ticket, comments: tuple[RemoteComment, ...]) -> int:
    """Make the kept comments equal to those there; how many of other people differ from before."""
    kept = {row.remote_id: row for row in ticket.comments.all()}
    gone = [row for remote_id, row in kept.items() if remote_id not in {each.id for each in comments}]
    theirs = [row.pk for row in gone if not row.is_ours]
    ticket.comments.filter(pk__in=theirs).delete()
    return len(theirs) + sum(_keep(ticket, kept.get(each.id), each) for each in comments)


def _keep(ticket: Ticket, kept: TicketComment | None, comment: RemoteComment) -> bool:
    """Keep one comment; whether it is another's and differs from before."""
    is_stored = kept is not None and kept.is_ours
    is_ours = is_own_comment(is_stored=is_stored, is_by_us=comment.is_by_us, text=comment.text)
    fields = {
        "is_ours": is_ours,
        "author_id": comment.author_id[:128],
        "author": comment.author[:200],
        "text": "" if is_ours else comment.text,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
    }
    if kept is not None and all(getattr(kept, name) == value for name, value in fields.items()):
        return False
    TicketComment.objects.update_or_create(ticket=ticket, remote_id=comment.id, defaults=fields)
    return not is_ours


def _known(account_id: str, side: "RequestSide | ItemSide") -> User | None:
    """Whose account it is, if that person is active and may say something about what the ticket is of."""
    found = (
        ExternalIdentity.objects.filter(account_id=account_id).select_related("user").first() if account_id else None
    )
    if found is None or not found.user.is_active or not side.may_say(person_of(found.user)):
        return None
    return User.objects.get(pk=found.user.pk)


def _judged(
    ticket: Ticket, move: RemoteMove, meaning: Meaning, answer: MoveAnswer, user: User | None, now: datetime
) -> TicketMove:
    return TicketMove.objects.create(
        ticket=ticket,
        remote_id=move.id,
        author_id=move.author_id[:128],
        author=move.author[:200],
        user=user,
        status=move.status[:60],
        moved_at=move.at,
        meaning=meaning,
        outcome=answer.outcome,
        reason=answer.reason,
        judged_at=now,
    )
