"""`actions/`: what the quarterly review decided, taken up, carried out or given up by programs."""

from collections.abc import Callable

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import Input, Nothing, read
from reviews.quarterly.actions import action_items as writes
from reviews.quarterly.api import answers as said
from reviews.quarterly.models import ActionItem
from reviews.quarterly.queries.cycles import action_view, find_action


class OutcomeInput(Input):
    """What became of an action item."""

    outcome = serializers.CharField(max_length=writes.OUTCOME_CHARS_MAX)


class Action(APIView):
    """An action item."""

    @extend_schema(operation_id="actions_retrieve", responses=said.ActionAnswer)
    def get(self, request: Request, action: str) -> Response:
        """What was decided, who owes it, and what became of it."""
        return _answer(request, action)


class Acknowledgment(APIView):
    """An action item taken up."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="actions_acknowledge", request=Nothing, responses=said.ActionAnswer)
    def post(self, request: Request, action: str) -> Response:
        """Say that somebody is at it; its owner, or a lead."""
        user, person, now = asker(request)
        item = find_action(ref=action, person=person)
        read(Nothing, request.data)
        writes.acknowledge(item=item, by=user, now=now)
        return _answer(request, action)


class Finish(APIView):
    """An action item done."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="actions_finish", request=OutcomeInput, responses=said.ActionAnswer)
    def post(self, request: Request, action: str) -> Response:
        """Close it as carried out; its owner, or a lead. It never reopens."""
        return _close(request, action, writes.finish)


class DropView(APIView):
    """An action item given up."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="actions_drop", request=OutcomeInput, responses=said.ActionAnswer)
    def post(self, request: Request, action: str) -> Response:
        """Give it up, with the reason; a lead who does not owe it. It never reopens."""
        return _close(request, action, writes.drop)


def _close(request: Request, action: str, write: Callable[..., ActionItem]) -> Response:
    user, person, now = asker(request)
    item = find_action(ref=action, person=person)
    write(item=item, outcome=read(OutcomeInput, request.data)["outcome"], by=user, now=now)
    return _answer(request, action)


def _answer(request: Request, action: str) -> Response:
    _, person, now = asker(request)
    return Response(said.ActionAnswer(action_view(find_action(ref=action, person=person), now=now)).data)
