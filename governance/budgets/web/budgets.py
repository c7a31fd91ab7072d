"""Pages of budgets: the tree, allocations, the ledger, and the ledger as a file."""

import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.budgets.actions import budget_changes
from governance.budgets.actions import budgets as writes
from governance.budgets.actions import cost_centers as tree_writes
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain import quarter_forecast as outlook
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import Balance, BudgetMode
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount
from governance.budgets.queries import budgets, cost_centers, ledger
from governance.budgets.queries.budgets import AccountView
from governance.budgets.queries.ledger import AccountStatement
from governance.budgets.rules import (
    check_allocate_budget,
    may_allocate_budget,
    may_propose_budget_change,
    may_see_budget,
)
from governance.budgets.web.budget_forms import TITLES, AllocationForm, CenterForm, ChangeForm, ParentForm, TermsForm
from governance.exports.web import export
from governance.findings.rules import may_read_findings
from governance.people.approvals import queries as changes
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person
from governance.people.web.current_user import person_of, user_of
from governance.site.web.formatting import format_quantity
from governance.site.web.refusals import attempt, show_in
from weighbridge.core.errors import Invalid, Refused


@dataclass(frozen=True)
class CenterAccounts:
    """The accounts of one cost center in one quarter, and its depth in the tree."""

    team: str
    team_name: str
    level: str
    depth: int
    under: str
    accounts: tuple[AccountView, ...]


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """`/budgets/`: budgets and available amounts of all cost centers in a quarter, and the allocation form for
    finance.
    """
    person = person_of(request)
    if request.method == "POST":
        check_allocate_budget(person)
    current = str(Quarter.of(timezone.now().date()))
    form = _form(request, current)
    if request.method == "POST" and form.is_valid() and _allocate(request, form):
        return redirect(f"{reverse('governance:budgets')}?quarter={form.cleaned_data['quarter']}")
    quarter = request.GET.get("quarter", "") or current
    context = {
        "quarter": quarter,
        "current": current,
        "quarters": sorted({current, quarter, *ledger.quarters()}, reverse=True),
        "teams": _centers(person, quarter),
        "waiting": changes.listed(person=person, state="pending", kind="budget").count(),
        "may_read_findings": may_read_findings(person),
        **({"form": form, "center_form": CenterForm()} if may_allocate_budget(person) else {"form": None}),
    }
    return render(request, "governance/budgets/budgets.html", context)


@require_POST
def open_center(request: HttpRequest) -> HttpResponse:
    """Open a unit or a project."""
    form = CenterForm(request.POST)

    def act() -> str:
        if not form.is_valid():
            field, reasons = next(iter(form.errors.items()))
            raise Invalid(f"{field.capitalize()}: {reasons[0]}", field=field)
        given = form.cleaned_data
        team = given["team"]
        center = tree_writes.open_center(
            level=CenterLevel(given["level"]),
            slug=given["slug"],
            name=given["name"],
            parent=cost_centers.of_team(team) if team else None,
            by=user_of(request),
            now=timezone.now(),
        )
        return f"{center.name} is created. Allocate a budget to it."

    attempt(request, act)
    return redirect("governance:budgets")


@require_safe
def account(request: HttpRequest, team: str, quarter: str, unit: str) -> HttpResponse:
    """One account: balance, terms, open changes, and all postings with the amount available after each."""
    person, statement = person_of(request), _statement(request, team, quarter, unit)
    row = statement.account
    title = TITLES[BudgetUnit(statement.unit)]
    crumbs = (
        ("Budgets", f"{reverse('governance:budgets')}?quarter={quarter}"),
        (f"{statement.team_name} {quarter}, {title}", ""),
    )
    may_shape, is_open = may_allocate_budget(person), row.closed_at is None
    may_change = is_open and may_propose_budget_change(person, team=budgets.team_of(row))
    initial = {"mode": row.mode, "tolerance_percent": row.tolerance_percent}
    context = {
        "statement": statement,
        "crumbs": crumbs,
        "title": title,
        "mode": BudgetMode(row.mode),
        "waiting": budgets.waiting_on(row),
        "terms_form": TermsForm(initial=initial) if may_shape else None,
        "place_form": _place_form(row) if may_shape else None,
        "change_form": _change_form(row, statement) if may_change else None,
    }
    return render(request, "governance/budgets/account.html", context)


def _change_form(row: BudgetAccount, statement: AccountStatement, data: QueryDict | None = None) -> ChangeForm:
    """The form that proposes a change of an account."""
    refs = [ref for ref, holding, _ in statement.holdings if holding.committed > 0]
    return ChangeForm(data, refs=refs, targets=budgets.targets_of(row))


@require_POST
def propose_change(request: HttpRequest, team: str, quarter: str, unit: str) -> HttpResponse:
    """Propose a change of an account."""
    today = timezone.now().date()
    statement = ledger.find(team=team, quarter=quarter, unit=unit, person=person_of(request), today=today)

    def act() -> str:
        form = _change_form(statement.account, statement, request.POST)
        if not form.is_valid():
            field, reasons = next(iter(form.errors.items()))
            raise Invalid(f"{field.replace('_', ' ').capitalize()}: {reasons[0]}", field=field)
        given = form.cleaned_data
        targets = {str(each.pk): each for each in budgets.targets_of(statement.account)}
        wish = Rebooking(
            aspect=Aspect(given["aspect"]),
            account=statement.account,
            amount=given["amount"],
            target=targets.get(given["target"]),
            request_ref=given["request_ref"],
        )
        row = budget_changes.propose(wish=wish, reason=given["reason"], by=user_of(request), now=timezone.now())
        return f"{row} is proposed. A second person must confirm it."

    attempt(request, act)
    return redirect("governance:account", team, quarter, unit)


def part_of_change(change: Change) -> dict[str, Any]:
    """The context for the page of a proposed change: the accounts on which it books."""
    return {"accounts": [_standing(each) for each in budgets.accounts_of(change)]}


def _standing(account: BudgetAccount) -> tuple[BudgetAccount, Balance, Decimal]:
    balance, quarter = budgets.balance_of(account), Quarter.parse(account.quarter)
    return account, balance, outlook.forecast(balance, quarter=quarter, today=timezone.now().date())


def _place_form(row: BudgetAccount) -> ParentForm | None:
    parent = row.center.parent
    return ParentForm(initial={"parent": parent.slug}) if row.center.level == CenterLevel.TEAM and parent else None


@require_POST
def terms(request: HttpRequest, team: str, quarter: str, unit: str) -> HttpResponse:
    """Set the mode and the tolerance of an account."""
    row = ledger.account_for(team=team, quarter=quarter, unit=unit, person=person_of(request))

    def act() -> str:
        form = TermsForm(request.POST)
        if not form.is_valid():
            raise Invalid("Choose a mode, and a tolerance from 0 to 100 percent.", field="tolerance_percent")
        mode, tolerance = BudgetMode(form.cleaned_data["mode"]), form.cleaned_data["tolerance_percent"]
        tree_writes.set_terms(
            account=row, mode=mode, tolerance_percent=tolerance, by=user_of(request), now=timezone.now()
        )
        return f"{mode.value.capitalize()}. {mode.words}"

    attempt(request, act)
    return redirect("governance:account", team, quarter, unit)


@require_POST
def place(request: HttpRequest, team: str, quarter: str, unit: str) -> HttpResponse:
    """Move the cost center of an account under another unit."""
    row = ledger.account_for(team=team, quarter=quarter, unit=unit, person=person_of(request))

    def act() -> str:
        form = ParentForm(request.POST)
        if not form.is_valid():
            raise Invalid("Choose the organization or one of its units.", field="parent")
        parent = form.cleaned_data["parent"]
        tree_writes.move_center(center=row.center, parent=parent, by=user_of(request), now=timezone.now())
        return f"{row.center.name} is now under {parent.name}."

    attempt(request, act)
    return redirect("governance:account", team, quarter, unit)


@require_safe
def exported(request: HttpRequest, team: str, quarter: str, unit: str, kind: str) -> HttpResponse:
    """`/budgets/TEAM/QUARTER/UNIT/ledger.csv` and `.xlsx`: all postings of one account, newest first."""
    return export(ledger.table(_statement(request, team, quarter, unit)), kind=kind)


def _statement(request: HttpRequest, team: str, quarter: str, unit: str) -> AccountStatement:
    today = timezone.now().date()
    return ledger.find(team=team, quarter=quarter, unit=unit, person=person_of(request), today=today)


def _form(request: HttpRequest, quarter: str) -> AllocationForm:
    if request.method == "POST":
        return AllocationForm(request.POST)
    return AllocationForm(initial={"quarter": quarter, "key": secrets.token_urlsafe(16)})


def _allocate(request: HttpRequest, form: AllocationForm) -> bool:
    given = form.cleaned_data
    unit, amount, holder = BudgetUnit(given["unit"]), Decimal(given["amount"]), cost_centers.holder(given["team"])
    try:
        writes.allocate_for(
            holder=holder,
            quarter=given["quarter"],
            unit=unit,
            amount=amount,
            key=f"form:{given['key']}",
            by=user_of(request),
            now=timezone.now(),
        )
    except Refused as refusal:
        show_in(form, refusal)
        return False
    words = format_quantity(amount, unit=unit.value)
    messages.success(request, f"{words} allocated to {holder.name} for {given['quarter']}.")
    return True


def _centers(person: Person, quarter: str) -> list[CenterAccounts]:
    """Cost centers in tree order, without those that have no account visible to the person."""
    by_center: dict[str, list[AccountView]] = {}
    for row in budgets.accounts(teams=None, quarter=quarter):
        if may_see_budget(person, team=row.of_team):
            by_center.setdefault(row.team, []).append(row)
    return [
        CenterAccounts(
            center.slug,
            center.name,
            center.level,
            depth,
            center.parent.name if center.parent else "",
            tuple(by_center[center.slug]),
        )
        for center, depth in cost_centers.in_order()
        if center.slug in by_center
    ]
