"""`action-items/`: what the quarterly review decided, taken up, carried out or given up by programs."""

from collections.abc import Mapping
from datetime import datetime

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.people.api.steps import StepSubject
from governance.people.domain.roles import Person
from reviews.quarterly.actions import action_items as writes
from reviews.quarterly.api.answers import ActionAnswer
from reviews.quarterly.api.inputs import OutcomeInput
from reviews.quarterly.models import ActionItem
from reviews.quarterly.queries.action_items import ActionView, action_view, find_action
from reviews.quarterly.rules import check_drop_action, check_finish_action


class Action(APIView):
    """An action item."""

    @extend_schema(operation_id="actions_retrieve", responses=ActionAnswer)
    def get(self, request: Request, action: str) -> Response:
        """What was decided, who owes it, and what became of it."""
        _, person, now = asker(request)
        return Response(ActionAnswer(_view(action=action, person=person, now=now)).data)


def _found(*, action: str, person: Person) -> Mapping[str, object]:
    return {"item": find_action(ref=action, person=person)}


def _view(*, action: str, person: Person, now: datetime) -> ActionView:
    return action_view(find_action(ref=action, person=person), now=now)


def _finishes(person: Person, item: ActionItem) -> None:
    check_finish_action(person, owner_id=item.owner_id)


ACTION = StepSubject(_found, _view, ActionAnswer)

acknowledge = ACTION.step(
    "actions_acknowledge", writes.acknowledge, "Say that somebody is at it; its owner, or a lead.", check=_finishes
)
finish = ACTION.step(
    "actions_finish",
    writes.finish,
    "Close it as carried out; its owner, or a lead. It never reopens.",
    check=_finishes,
    takes=OutcomeInput,
)
drop = ACTION.step(
    "actions_drop",
    writes.drop,
    "Give it up, with the reason; a lead who does not owe it. It never reopens.",
    check=lambda person, item: check_drop_action(person, owner_id=item.owner_id),
    takes=OutcomeInput,
)
