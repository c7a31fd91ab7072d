"""`budgets/`: what teams may spend and have left, and allocating more."""

import uuid

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.budgets.actions import budgets as writes
from governance.budgets.actions import cost_centers as tree_writes
from governance.budgets.api.inputs import AllocationInput, BudgetFilters, CenterInput, TermsInput
from governance.budgets.api.serializers import AllocationAnswer, BudgetAnswer, CenterAnswer
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode
from governance.budgets.enums import BudgetUnit
from governance.budgets.queries import budgets, cost_centers, ledger
from governance.budgets.rules import may_see_budget
from governance.people.api.caller import asker
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, AnyAccept, download, read


class Budgets(APIView):
    """The budgets you may see."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="budgets_list", parameters=[BudgetFilters], responses=BudgetAnswer(many=True))
    def get(self, request: Request) -> Response:
        """One entry per cost center, quarter and unit, the latest quarter first."""
        _, person, _ = asker(request)
        quarter = read(BudgetFilters, request.query_params).get("quarter")
        rows = [
            row for row in budgets.accounts(teams=None, quarter=quarter) if may_see_budget(person, team=row.of_team)
        ]
        return Response(BudgetAnswer(rows, many=True).data)

    @extend_schema(operation_id="budgets_allocate", request=AllocationInput, responses={201: AllocationAnswer})
    def post(self, request: Request) -> Response:
        """Give a team or another cost center something to spend, on top of what it has; finance alone. Send an
        Idempotency-Key.
        """
        user, _, now = asker(request)
        given = read(AllocationInput, request.data)
        entry = writes.allocate_for(
            holder=given["team"],
            quarter=given["quarter"],
            unit=BudgetUnit(given["unit"]),
            amount=given["amount"],
            key=f"api:{uuid.uuid4().hex}",
            by=user,
            now=now,
        )
        return Response(AllocationAnswer(entry).data, status=201)


class LedgerExport(APIView):
    """The bookings of one account as a file."""

    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="budgets_ledger_export", parameters=[TABLE_KIND], responses=TABLE_ANSWERS)
    def get(self, request: Request, team: str, quarter: str, unit: str, kind: str) -> HttpResponse:
        """Every booking with what it left available, the newest first."""
        _, person, now = asker(request)
        found = ledger.find(team=team, quarter=quarter, unit=unit, person=person, today=now.date())
        return download(ledger.table(found), kind=kind)


class Centers(APIView):
    """The tree that budgets hang on."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="budgets_centers_list", responses=CenterAnswer(many=True))
    def get(self, request: Request) -> Response:
        """Every cost center whose budget you may see, each after the one it hangs under."""
        _, person, _ = asker(request)
        seen = [
            center
            for center, _ in cost_centers.in_order()
            if may_see_budget(person, team=center.team.slug if center.team else "")
        ]
        return Response(CenterAnswer(seen, many=True).data)

    @extend_schema(operation_id="budgets_centers_open", request=CenterInput, responses={201: CenterAnswer})
    def post(self, request: Request) -> Response:
        """Open a unit or a project; finance alone. A team's cost center opens with its first budget."""
        user, _, now = asker(request)
        given = read(CenterInput, request.data)
        team = given.get("team")
        center = tree_writes.open_center(
            level=CenterLevel(given["level"]),
            slug=given["slug"],
            name=given["name"],
            parent=cost_centers.of_team(team) if team else None,
            by=user,
            now=now,
        )
        return Response(CenterAnswer(center).data, status=201)


class Terms(APIView):
    """What an account does with what it cannot bear."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="budgets_terms", request=TermsInput, responses=TermsInput)
    def post(self, request: Request, team: str, quarter: str, unit: str) -> Response:
        """Set the mode (off, observe, enforce) and the tolerance in percent; finance alone."""
        user, person, now = asker(request)
        account = ledger.account_for(team=team, quarter=quarter, unit=unit, person=person)
        given = read(TermsInput, request.data)
        row = tree_writes.set_terms(
            account=account,
            mode=BudgetMode(given["mode"]),
            tolerance_percent=given["tolerance_percent"],
            by=user,
            now=now,
        )
        return Response({"mode": row.mode, "tolerance_percent": row.tolerance_percent})
