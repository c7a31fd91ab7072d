"""Apply a ticket move to an action item: acknowledge, finish or drop it."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from governance.people.domain.roles import Person
from reviews.quarterly.actions import action_items
from reviews.quarterly.domain.action_items import ACTION_CLOSED, ActionState
from reviews.quarterly.models import ActionItem
from reviews.quarterly.rules import may_finish_action
from reviews.tickets.domain.moves import Meaning, MoveAnswer, MoveOutcome, answer_on_action


@dataclass(frozen=True)
class ActionItemTarget:
    """The action item of a ticket."""

    item: ActionItem

    def may_act(self, person: Person) -> bool:
        """Whether the person may acknowledge or close the item."""
        return may_finish_action(person, owner_id=self.item.owner_id)

    def answer(self, meaning: Meaning, *, author: str, is_known: bool) -> MoveAnswer:
        """The answer to the move, before it is applied."""
        state = ActionState(self.item.state)
        if is_known and meaning is Meaning.ACKNOWLEDGE and state is ActionState.ACKNOWLEDGED:
            return MoveAnswer(MoveOutcome.NOTED)
        is_closed = state in ACTION_CLOSED
        return answer_on_action(meaning, is_closed=is_closed, ref=self.item.ref, author=author, is_known=is_known)

    def apply(self, meaning: Meaning, outcome: str, user: User, now: datetime) -> None:
        """Acknowledge, finish or drop the item as the user."""
        if meaning is Meaning.ACKNOWLEDGE:
            action_items.acknowledge(item=self.item, by=user, now=now)
        elif meaning is Meaning.CLOSE:
            action_items.finish(item=self.item, outcome=outcome, by=user, now=now)
        else:
            action_items.drop(item=self.item, outcome=outcome, by=user, now=now)
