"""`budgets/`: what teams may spend and have left, and allocating more."""

import uuid

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.actions import budgets as writes
from governance.api.answers import AllocationAnswer, BudgetAnswer
from governance.api.inputs import AllocationInput, BudgetFilters
from governance.api.reading import TABLE_ANSWERS, TABLE_KIND, AnyAccept, asker, download, read
from governance.enums import Unit
from governance.queries import budgets, ledger
from governance.rules import may_see_budget


class Budgets(APIView):
    """The budgets you may see."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="budgets_list", parameters=[BudgetFilters], responses=BudgetAnswer(many=True))
    def get(self, request: Request) -> Response:
        """One entry per team, quarter and unit, the latest quarter first."""
        _, person, _ = asker(request)
        quarter = read(BudgetFilters, request.query_params).get("quarter")
        rows = [
            row for row in budgets.accounts(teams=None, quarter=quarter) if may_see_budget(person, team=row.of_team)
        ]
        return Response(BudgetAnswer(rows, many=True).data)

    @extend_schema(operation_id="budgets_allocate", request=AllocationInput, responses={201: AllocationAnswer})
    def post(self, request: Request) -> Response:
        """Give a team something to spend, on top of what it has; finance alone. Send an Idempotency-Key."""
        user, _, now = asker(request)
        given = read(AllocationInput, request.data)
        entry = writes.allocate(
            team=given["team"], quarter=given["quarter"], unit=Unit(given["unit"]), amount=given["amount"],
            key=f"api:{uuid.uuid4().hex}", by=user, now=now,
        )  # fmt: skip
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
