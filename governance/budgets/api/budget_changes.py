"""`budgets/changes/` and `findings/`: changes reviewed again, and what the system noticed."""

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.budgets.actions import budget_changes as writes
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.api.inputs import BudgetChangeInput
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.queries import ledger
from governance.people.api.caller import asker
from governance.people.approvals.serializers import ChangeAnswer
from governance.site.api.shapes import read


class BudgetChanges(APIView):
    """Changes of budgets and commitments; `changes/` has them with all others that take two people."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="budget_changes_propose", request=BudgetChangeInput, responses={201: ChangeAnswer})
    def post(self, request: Request) -> Response:
        """Propose another amount, quarter or account; a platform lead or finance who has no part in it confirms."""
        user, person, now = asker(request)
        given = read(BudgetChangeInput, request.data)
        team, quarter, unit = given["team"], given["quarter"], given["unit"]
        moves = "to_team" in given or "to_quarter" in given
        to_team, to_quarter = given.get("to_team", team), given.get("to_quarter", quarter)
        wish = Rebooking(
            aspect=Aspect(given["aspect"]),
            amount=given["amount"],
            request_ref=given["request"],
            account=ledger.account_for(team=team, quarter=quarter, unit=unit, person=person),
            target=ledger.account_for(team=to_team, quarter=to_quarter, unit=unit, person=person) if moves else None,
        )
        change = writes.propose(wish=wish, reason=given["reason"], by=user, now=now)
        return Response(ChangeAnswer(change).data, status=201)
