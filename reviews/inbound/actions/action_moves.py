"""A move of an action item's ticket: it may say that somebody is at it, close it, or give it up; each is
judged once.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.people.queries.people import person_of
from reviews.quarterly.actions import action_items
from reviews.quarterly.domain.action_items import ACTION_CLOSED, ActionState
from reviews.quarterly.models import ActionItem
from reviews.quarterly.rules import may_finish_action
from reviews.tickets import actions as effects
from reviews.tickets.audit import record_of_ticket
from reviews.tickets.domain import Answer, Meaning, Outcome, answer_on_action, meaning_for_action, meaning_of
from reviews.tickets.models import ExternalIdentity, Ticket, TicketMove
from reviews.tickets.ports import RemoteMove
from reviews.tickets.queries.drafts import action_of
from weighbridge.core.errors import Refused


def judge_action(
    *,
    ticket: Ticket,
    move: RemoteMove,
    moves: Mapping[str, str],
    decisions: Collection[str],
    page: str,
    by: User | None = None,
    now: datetime,
) -> TicketMove | None:
    """Act on one move of the ticket of an action item, once: acknowledge, close, drop, or refuse with a comment.

    None where it was judged before, or is our own. `moves` and `decisions` as `domain.inbound.meaning_of` takes them.
    """
    with transaction.atomic():
        item = ActionItem.objects.select_for_update().get(pk=action_of(ticket).pk)
        if move.is_by_us or TicketMove.objects.filter(ticket=ticket, remote_id=move.id).exists():
            return None
        asked = meaning_of(status=move.status, category=move.category, moves=moves, decisions=decisions)
        meaning, user = meaning_for_action(asked), _known(move.author_id, item)
        answer = answer_on_action(
            meaning,
            is_closed=ActionState(item.state) in ACTION_CLOSED,
            ref=item.ref,
            author=move.author,
            is_known=user is not None,
        )
        if answer.is_to_try and user is not None:
            answer = _tried(meaning, item, move, user, now)
        row = TicketMove.objects.create(
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
        if answer.outcome is Outcome.REFUSED:
            effects.tell(ticket=ticket, occasion="refused", reason=f"{answer.reason} {page}", by=by, now=now)
        details = {"status": move.status, "author": move.author, "move": move.id, "meaning": meaning.value}
        kind = f"ticket.move_{answer.outcome.value}"
        record_of_ticket(kind=kind, ticket=ticket, by=user or by, now=now, details=details, reason=answer.reason)
    return row


def _known(account_id: str, item: ActionItem) -> User | None:
    """Whose account it is, if that person is active and may say something about the item."""
    if not account_id:
        return None
    found = ExternalIdentity.objects.filter(account_id=account_id).select_related("user").first()
    if found is None or not may_finish_action(person_of(User.objects.get(pk=found.user_id)), owner_id=item.owner_id):
        return None
    return User.objects.get(pk=found.user_id)


def _tried(meaning: Meaning, item: ActionItem, move: RemoteMove, user: User, now: datetime) -> Answer:
    words = f"Moved to {move.status} in Jira."
    try:
        with transaction.atomic():
            if meaning is Meaning.ACKNOWLEDGE:
                if item.state == ActionState.ACKNOWLEDGED:
                    return Answer(Outcome.NOTED)
                action_items.acknowledge(item=item, by=user, now=now)
            elif meaning is Meaning.CLOSE:
                action_items.finish(item=item, outcome=words, by=user, now=now)
            else:
                action_items.drop(item=item, outcome=words, by=user, now=now)
    except Refused as refusal:
        return Answer(Outcome.REFUSED, f"{item.ref} is as it was: {refusal.reason}")
    return Answer(Outcome.DONE)
