"""`budgets/changes/` and `findings/`: changes reviewed again, and what the system noticed."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.budgets.actions import budget_changes as writes
from governance.budgets.actions.budget_changes import Wish
from governance.budgets.api.inputs import BudgetChangeInput
from governance.budgets.api.serializers import BudgetChangeAnswer
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.models import BudgetChange
from governance.budgets.queries import budget_changes, ledger
from governance.people.api.caller import asker
from governance.people.approvals.serializers import ChangeFilters, ChangeReasonInput
from governance.site.api.shapes import Nothing, read


class BudgetChanges(GenericAPIView[Any]):
    """Changes of budgets and commitments."""

    parser_classes = [JSONParser]
    serializer_class = BudgetChangeAnswer

    @extend_schema(
        operation_id="budget_changes_list", parameters=[ChangeFilters], responses=BudgetChangeAnswer(many=True)
    )
    def get(self, request: Request) -> Response:
        """The newest first; those of the state pending wait for a second person."""
        _, person, _ = asker(request)
        state = read(ChangeFilters, request.query_params).get("state", "")
        rows = budget_changes.listed(person=person, state=state)
        return self.get_paginated_response(BudgetChangeAnswer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(
        operation_id="budget_changes_propose", request=BudgetChangeInput, responses={201: BudgetChangeAnswer}
    )
    def post(self, request: Request) -> Response:
        """Propose another amount, quarter or account; a platform lead or finance who has no part in it confirms."""
        user, person, now = asker(request)
        given = read(BudgetChangeInput, request.data)
        team, quarter, unit = given["team"], given["quarter"], given["unit"]
        moves = "to_team" in given or "to_quarter" in given
        to_team, to_quarter = given.get("to_team", team), given.get("to_quarter", quarter)
        wish = Wish(
            aspect=Aspect(given["aspect"]),
            amount=given["amount"],
            request_ref=given["request"],
            account=ledger.account_for(team=team, quarter=quarter, unit=unit, person=person),
            target=ledger.account_for(team=to_team, quarter=to_quarter, unit=unit, person=person) if moves else None,
        )
        change = writes.propose(wish=wish, reason=given["reason"], by=user, now=now)
        return Response(BudgetChangeAnswer(change).data, status=201)


class BudgetChangeDetail(APIView):
    """One change."""

    @extend_schema(operation_id="budget_changes_retrieve", responses=BudgetChangeAnswer)
    def get(self, request: Request, change_id: int) -> Response:
        """What would change, who proposed it and why, and how it ended."""
        return Response(BudgetChangeAnswer(_found(request, change_id)).data)


class BudgetChangeConfirmation(APIView):
    """The second person's yes."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="budget_changes_confirm", request=Nothing, responses=BudgetChangeAnswer)
    def post(self, request: Request, change_id: int) -> Response:
        """Book the change; needs a platform lead or finance who neither proposed it nor files for the team."""
        change = _found(request, change_id)
        user, _, now = asker(request)
        read(Nothing, request.data)
        return Response(BudgetChangeAnswer(writes.confirm(change=change, by=user, now=now)).data)


class BudgetChangeRefusal(APIView):
    """The second person's no, or the proposer's."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="budget_changes_refuse", request=ChangeReasonInput, responses=BudgetChangeAnswer)
    def post(self, request: Request, change_id: int) -> Response:
        """Close the proposal without effect: refused, or withdrawn by whoever proposed it."""
        change = _found(request, change_id)
        user, _, now = asker(request)
        reason = read(ChangeReasonInput, request.data)["reason"]
        return Response(BudgetChangeAnswer(writes.refuse(change=change, reason=reason, by=user, now=now)).data)


def _found(request: Request, change_id: int) -> BudgetChange:
    _, person, _ = asker(request)
    return budget_changes.find(change_id=change_id, person=person)
