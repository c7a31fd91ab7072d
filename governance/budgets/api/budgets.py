"""`budgets/` and `cost-centers/`: what teams may spend and have left, allocating more, and changes by two people."""

import uuid

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from governance.budgets.actions import budget_changes
from governance.budgets.actions import budgets as writes
from governance.budgets.actions import cost_centers as tree_writes
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.api.inputs import (
    AllocationInput,
    BudgetChangeInput,
    BudgetFilters,
    CenterInput,
    TermsInput,
)
from governance.budgets.api.serializers import AllocationAnswer, BudgetAnswer, CenterAnswer, TermsAnswer
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode
from governance.budgets.enums import BudgetUnit
from governance.budgets.queries import budgets, cost_centers, ledger
from governance.budgets.rules import check_allocate_budget, check_propose_some_budget_change, may_see_budget
from governance.exports.web import export
from governance.people.api.caller import asker
from governance.people.approvals.models import Change
from governance.people.approvals.serializers import ProposalAnswer
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, read, read_for

ALLOCATED = {201: AllocationAnswer, 202: ProposalAnswer}
SET = {200: TermsAnswer, 202: ProposalAnswer}


class Budgets(ViewSet):
    """The budgets you may see."""

    @extend_schema(operation_id="budgets_list", parameters=[BudgetFilters], responses=BudgetAnswer(many=True))
    def listed(self, request: Request) -> Response:
        """One entry per cost center, quarter and unit, the latest quarter first."""
        _, person, _ = asker(request)
        quarter = read(BudgetFilters, request.query_params).get("quarter")
        rows = budgets.accounts(teams=None, quarter=quarter)
        seen = [row for row in rows if may_see_budget(person, team=row.of_team)]
        return Response(BudgetAnswer(seen, many=True).data)

    @extend_schema(operation_id="budgets_allocate", request=AllocationInput, responses=ALLOCATED)
    def allocate(self, request: Request) -> Response:
        """Give a team or another cost center something to spend, on top of what it has; for finance. Where it takes a
        second person, the answer is 202 and the proposed change. Send an Idempotency-Key.
        """
        user, person, now = asker(request)
        given = read_for(request, AllocationInput, lambda: check_allocate_budget(person))
        holder, unit = given.pop("team"), BudgetUnit(given.pop("unit"))
        done = writes.allocate(holder=holder, unit=unit, **given, key=f"api:{uuid.uuid4().hex}", by=user, now=now)
        if isinstance(done, Change):
            return Response(ProposalAnswer(done).data, status=202)
        return Response(AllocationAnswer(done).data, status=201)

    @extend_schema(operation_id="budgets_ledger_export", parameters=[TABLE_KIND], responses=TABLE_ANSWERS)
    def export(self, request: Request, team: str, quarter: str, unit: str, kind: str) -> HttpResponseBase:
        """Every booking with what it left available, the newest first."""
        _, person, now = asker(request)
        account = ledger.account_for(team=team, quarter=quarter, unit=unit, person=person)
        return export(ledger.table(ledger.statement_of(account, today=now.date())), kind=kind)

    @extend_schema(operation_id="budgets_terms", request=TermsInput, responses=SET)
    def set_terms(self, request: Request, team: str, quarter: str, unit: str) -> Response:
        """Set the mode (off, observe, enforce) and the tolerance in percent; for finance. Looser terms take a second
        person: the answer is 202 and the proposed change.
        """
        user, person, now = asker(request)
        account = ledger.account_for(team=team, quarter=quarter, unit=unit, person=person)
        given = read_for(request, TermsInput, lambda: check_allocate_budget(person))
        done = tree_writes.set_terms(account=account, **given | {"mode": BudgetMode(given["mode"])}, by=user, now=now)
        if isinstance(done, Change):
            return Response(ProposalAnswer(done).data, status=202)
        return Response(TermsAnswer(done).data)

    @extend_schema(operation_id="budget_changes_propose", request=BudgetChangeInput, responses={201: ProposalAnswer})
    def propose_change(self, request: Request) -> Response:
        """Propose another amount, quarter or account; a platform lead or finance who has no part in it confirms."""
        user, person, now = asker(request)
        given = read_for(request, BudgetChangeInput, lambda: check_propose_some_budget_change(person))
        source = {name: given[name] for name in ("team", "quarter", "unit")}
        moved = {name: given[f"to_{name}"] for name in ("team", "quarter") if f"to_{name}" in given}
        wish = Rebooking(
            aspect=Aspect(given["aspect"]),
            amount=given["amount"],
            request_ref=given["request"],
            account=ledger.account_for(**source, person=person),
            target=ledger.account_for(**source | moved, person=person) if moved else None,
        )
        change = budget_changes.propose(wish=wish, reason=given["reason"], by=user, now=now)
        return Response(ProposalAnswer(change).data, status=201)


class CostCenters(ViewSet):
    """The tree that budgets hang on."""

    @extend_schema(operation_id="budgets_centers_list", responses=CenterAnswer(many=True))
    def listed(self, request: Request) -> Response:
        """Every cost center whose budget you may see, each after the one it hangs under."""
        _, person, _ = asker(request)
        centers = [center for center, _ in cost_centers.in_order()]
        seen = [row for row in centers if may_see_budget(person, team=row.team.slug if row.team else "")]
        return Response(CenterAnswer(seen, many=True).data)

    @extend_schema(operation_id="budgets_centers_open", request=CenterInput, responses={201: CenterAnswer})
    def open(self, request: Request) -> Response:
        """Open a unit or a project; finance alone. A team's cost center opens with its first budget."""
        user, person, now = asker(request)
        given = read_for(request, CenterInput, lambda: check_allocate_budget(person))
        level, team = CenterLevel(given.pop("level")), given.pop("team", None)
        parent = cost_centers.of_team(team) if team else None
        center = tree_writes.open_center(level=level, parent=parent, **given, by=user, now=now)
        return Response(CenterAnswer(center).data, status=201)
