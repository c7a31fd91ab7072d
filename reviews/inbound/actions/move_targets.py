"""Apply a ticket move to an action item: acknowledge, finish or drop it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.contrib.auth.models import User
from django.db import transaction

from governance.people.domain.roles import Person
from reviews.inbound.queries import action_of
from reviews.quarterly.actions import action_items
from reviews.quarterly.domain.action_items import ACTION_CLOSED, ActionState
from reviews.quarterly.models import ActionItem
from reviews.quarterly.rules import may_finish_action
from reviews.tickets.domain import Meaning, MoveAnswer, MoveOutcome, answer_on_action, meaning_for_action
from reviews.tickets.models import Ticket
from reviews.tickets.ports import RemoteMove
from weighbridge.core.errors import Refused


@dataclass(frozen=True)
class ActionItemTarget:
    """The action item of a ticket, locked, so that two workers never process the same ticket at once."""

    item: ActionItem

    @classmethod
    def locked(cls, ticket: Ticket) -> Self:
        """Lock the action item of a ticket."""
        return cls(ActionItem.objects.select_for_update().get(pk=action_of(ticket).pk))

    def meaning(self, asked: Meaning) -> Meaning:
        """The meaning of a move for an action item."""
        return meaning_for_action(asked)

    def may_act(self, person: Person) -> bool:
        """Whether the person may acknowledge or close the item."""
        return may_finish_action(person, owner_id=self.item.owner_id)

    def answer(self, meaning: Meaning, *, author: str, is_known: bool) -> MoveAnswer:
        """The answer to the move, before it is applied."""
        is_closed = ActionState(self.item.state) in ACTION_CLOSED
        return answer_on_action(meaning, is_closed=is_closed, ref=self.item.ref, author=author, is_known=is_known)

    def apply(self, meaning: Meaning, move: RemoteMove, user: User, now: datetime) -> MoveAnswer:
        """Acknowledge, finish or drop the item as the user, with the regular permission checks."""
        item = self.item
        outcome = f"Moved to {move.status} in Jira."
        try:
            with transaction.atomic():
                if meaning is Meaning.ACKNOWLEDGE:
                    if item.state == ActionState.ACKNOWLEDGED:
                        return MoveAnswer(MoveOutcome.NOTED)
                    action_items.acknowledge(item=item, by=user, now=now)
                elif meaning is Meaning.CLOSE:
                    action_items.finish(item=item, outcome=outcome, by=user, now=now)
                else:
                    action_items.drop(item=item, outcome=outcome, by=user, now=now)
        except Refused as refusal:
            return MoveAnswer(MoveOutcome.REFUSED, f"{item.ref} was not changed: {refusal.reason}")
        return MoveAnswer(MoveOutcome.DONE)
