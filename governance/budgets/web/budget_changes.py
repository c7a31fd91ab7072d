"""Pages of changes of budgets: what waits, what it would leave, and the second person's word."""

from collections.abc import Callable
from decimal import Decimal

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.budgets.actions import budget_changes as writes
from governance.budgets.actions.budget_changes import Wish
from governance.budgets.domain import quarter_forecast as outlook
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.ledger import Balance
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount, BudgetChange
from governance.budgets.queries import budget_changes, ledger
from governance.budgets.queries.budgets import balance_of
from governance.budgets.rules import check_confirm_budget_change, may_refuse_budget_change
from governance.budgets.web.budgets import change_form
from governance.people.approvals.enums import ChangeState
from governance.people.web.current_user import person_of, user_of
from governance.people.web.reason_form import ReasonForm, reason_in
from governance.site.web.refusals import attempt
from weighbridge.core.errors import Invalid, Refused

PAGE_SIZE = 30


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/budgets/changes/`: what was proposed, the newest first."""
    rows = budget_changes.listed(person=person_of(request))
    context = {
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "crumbs": (("Budgets", reverse("governance:budgets")), ("Changes", "")),
    }
    return render(request, "budgets/budget_changes.html", context)


@require_safe
def detail(request: HttpRequest, change_id: int) -> HttpResponse:
    """`/budgets/changes/7/`: what would change, where the accounts stand, and who may confirm it."""
    person, change = person_of(request), _found(request, change_id)
    teams = budget_changes.teams_of(change)
    context = {
        "change": change,
        "is_open": change.state == ChangeState.PENDING,
        "accounts": [_standing(each) for each in (change.account, change.target) if each is not None],
        "cannot_confirm": _reason_of(
            lambda: check_confirm_budget_change(person, proposed_by_id=change.proposed_by_id, teams=teams)
        ),
        "confirmers": budget_changes.confirmers(change),
        "form": ReasonForm() if may_refuse_budget_change(person, proposed_by_id=change.proposed_by_id) else None,
        "is_own": change.proposed_by_id == person.id,
        "crumbs": (
            ("Budgets", reverse("governance:budgets")),
            ("Changes", reverse("governance:budget_changes")),
            (str(change), ""),
        ),
    }
    return render(request, "budgets/budget_change.html", context)


@require_POST
def propose(request: HttpRequest, team: str, quarter: str, unit: str) -> HttpResponse:
    """Propose a change of an account."""
    today = timezone.now().date()
    statement = ledger.find(team=team, quarter=quarter, unit=unit, person=person_of(request), today=today)

    def act() -> str:
        form = change_form(statement.account, statement, request.POST)
        if not form.is_valid():
            field, reasons = next(iter(form.errors.items()))
            raise Invalid(f"{field.replace('_', ' ').capitalize()}: {reasons[0]}", field=field)
        given = form.cleaned_data
        targets = {str(each.pk): each for each in budget_changes.targets_of(statement.account)}
        wish = Wish(
            aspect=Aspect(given["aspect"]),
            account=statement.account,
            amount=given["amount"],
            target=targets.get(given["target"]),
            request_ref=given["request_ref"],
        )
        row = writes.propose(wish=wish, reason=given["reason"], by=user_of(request), now=timezone.now())
        return f"{row} waits for a second person."

    attempt(request, act)
    return redirect("governance:account", team, quarter, unit)


@require_POST
def confirm(request: HttpRequest, change_id: int) -> HttpResponse:
    """The second person's yes."""
    change = _found(request, change_id)

    def act() -> str:
        writes.confirm(change=change, by=user_of(request), now=timezone.now())
        return f"{change} is confirmed and booked."

    attempt(request, act)
    return redirect("governance:budget_change", change_id)


@require_POST
def refuse(request: HttpRequest, change_id: int) -> HttpResponse:
    """The second person's no, or the proposer's."""
    change = _found(request, change_id)

    def act() -> str:
        row = writes.refuse(change=change, reason=reason_in(request), by=user_of(request), now=timezone.now())
        return f"{row} is {row.state}; nothing changed."

    attempt(request, act)
    return redirect("governance:budget_change", change_id)


def _found(request: HttpRequest, change_id: int) -> BudgetChange:
    return budget_changes.find(change_id=change_id, person=person_of(request))


def _standing(account: BudgetAccount) -> tuple[BudgetAccount, Balance, Decimal]:
    balance = balance_of(account)
    quarter, today = Quarter.parse(account.quarter), timezone.now().date()
    return account, balance, outlook.forecast(balance, quarter=quarter, today=today)


def _reason_of(check: Callable[[], None]) -> str:
    try:
        check()
    except Refused as refusal:
        return refusal.reason
    return ""
