"""Pages of budgets: the tree, allocations, the ledger, and the ledger as a file."""

import secrets
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial, wraps
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
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
from governance.budgets.domain.burn_down import burn_down_chart
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import Balance, BudgetMode
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, CostCenter
from governance.budgets.queries import budgets, cost_centers, ledger, roll_up
from governance.budgets.queries.burn_down import burn_down
from governance.budgets.queries.ledger import AccountStatement
from governance.budgets.rules import (
    check_allocate_budget,
    check_propose_budget_change,
    may_allocate_budget,
    may_propose_budget_change,
)
from governance.budgets.web import budget_tree
from governance.budgets.web.budget_forms import TITLES, AllocationForm, CenterForm, ChangeForm, ParentForm, TermsForm
from governance.exports.web import export
from governance.findings.rules import may_read_findings
from governance.people.approvals import queries as changes
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person
from governance.people.web.current_user import person_of, user_of
from governance.site.queries import pages_of_parts
from governance.site.web.formatting import format_quantity
from governance.site.web.refusals import settled

PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """`/budgets/`: the budgets of all cost centers in a quarter, and the allocation form for finance."""
    if request.method != "POST":
        return _list(request)
    check_allocate_budget(person_of(request))
    form = AllocationForm(request.POST)
    done, status = settled(request, form, lambda: _allocate(request, form))
    if done:
        return redirect(f"{reverse('governance:budgets')}?quarter={form.cleaned_data['quarter']}")
    return _list(request, form=form, status=status)


def _list(request: HttpRequest, *, status: int = 200, **bound: forms.Form) -> HttpResponse:
    """The page of all budgets of a quarter; `bound` are forms that were refused, by their name in the template."""
    person, current = person_of(request), str(Quarter.of(timezone.now().date()))
    quarter = str(Quarter.parse(request.GET.get("quarter", "") or current))
    initial = {"quarter": current, "key": secrets.token_urlsafe(16)}
    offered = {"form": AllocationForm(initial=initial), "center_form": CenterForm()} | bound
    context = {
        "quarter": quarter,
        "current": current,
        "quarters": sorted({current, quarter, *ledger.quarters()}, reverse=True),
        **budget_tree.context_of(person, quarter, request.GET),
        "waiting": changes.listed(person=person, state="pending", kind="budget").count(),
        "may_read_findings": may_read_findings(person),
        **(offered if may_allocate_budget(person) else {"form": None}),
    }
    return render(request, "governance/budgets/budgets.html", context, status=status)


@require_POST
def open_center(request: HttpRequest) -> HttpResponse:
    """Open a unit or a project."""
    check_allocate_budget(person_of(request))
    form = CenterForm(request.POST)

    def act() -> str:
        given = dict(form.cleaned_data)
        level, team = CenterLevel(given.pop("level")), given.pop("team")
        parent = cost_centers.of_team(team) if team else None
        center = tree_writes.open_center(level=level, parent=parent, **given, by=user_of(request), now=timezone.now())
        return f"{center.name} is created. Allocate a budget to it."

    done, status = settled(request, form, act)
    return redirect("governance:budgets") if done else _list(request, center_form=form, status=status)


@require_safe
def account(request: HttpRequest, team: str, quarter: str, unit: str) -> HttpResponse:
    """One account: balance, terms, open changes, and its postings with the amount available after each.

    `?part=ledger&page=` is a page of the postings, and `?part=requests&page=` of the requests that drew on the account.
    """
    return _page(request, _account(request, team, quarter, unit))


def _page(request: HttpRequest, row: BudgetAccount, *, status: int = 200, **bound: forms.Form) -> HttpResponse:
    """The page of an account; `bound` are forms that were refused, by their name in the template."""
    person, quarter = person_of(request), row.quarter
    statement = ledger.statement_of(row, today=timezone.now().date())
    burned = burn_down(row, today=timezone.now().date())
    title = TITLES[BudgetUnit(row.unit)]
    crumbs = (
        ("Budgets", f"{reverse('governance:budgets')}?quarter={quarter}"),
        (f"{row.center.name} {quarter}, {title}", ""),
    )
    may_shape, is_open = may_allocate_budget(person), row.closed_at is None
    may_change = is_open and may_propose_budget_change(person, team=budgets.team_of(row))
    initial = {"mode": row.mode, "tolerance_percent": row.tolerance_percent}
    parts = {"ledger": statement.lines, "requests": statement.holdings}
    context = {
        "account": row,
        "statement": statement,
        "pages_at": reverse("governance:account", args=[row.center.slug, quarter, row.unit]),
        "pages": pages_of_parts(parts, size=PAGE_SIZE, asked=request.GET),
        "rolled": roll_up.of_account(row),
        "burn_down": burn_down_chart(burned),
        "crumbs": crumbs,
        "title": title,
        "mode": BudgetMode(row.mode),
        "waiting": budgets.waiting_on(row),
        "terms_form": TermsForm(initial=initial) if may_shape else None,
        "place_form": _place_form(row) if may_shape else None,
        "change_form": _change_form(row, statement) if may_change else None,
        **bound,
    }
    return render(request, "governance/budgets/account.html", context, status=status)


def _change_form(row: BudgetAccount, statement: AccountStatement, data: QueryDict | None = None) -> ChangeForm:
    """The form that proposes a change of an account."""
    refs = [ref for ref, holding, _ in statement.holdings if holding.committed > 0]
    return ChangeForm(data, refs=refs, targets=budgets.targets_of(row))


def _place_form(row: BudgetAccount) -> ParentForm | None:
    parent = row.center.parent
    return ParentForm(initial={"parent": parent.slug}) if row.center.level == CenterLevel.TEAM and parent else None


def _step(
    name: str,
    *,
    form: Callable[[BudgetAccount, QueryDict], forms.Form],
    check: Callable[[Person, BudgetAccount], None],
) -> Callable[[Callable[..., str]], Callable[..., HttpResponse]]:
    """Make a view of a step on an account. It shows the account with the sentence about it, or the refused form."""

    def make_view(act: Callable[..., str]) -> Callable[..., HttpResponse]:
        @require_POST
        @wraps(act)
        def view(request: HttpRequest, team: str, quarter: str, unit: str) -> HttpResponse:
            row = _account(request, team, quarter, unit)
            check(person_of(request), row)
            bound = form(row, request.POST)
            taken = partial(act, row, by=user_of(request), now=timezone.now())
            done, status = settled(request, bound, lambda: taken(**bound.cleaned_data))
            if done:
                return redirect("governance:account", team, quarter, unit)
            return _page(request, row, status=status, **{name: bound})

        return view

    return make_view


def _bound_change_form(row: BudgetAccount, data: QueryDict) -> ChangeForm:
    return _change_form(row, ledger.statement_of(row, today=timezone.now().date()), data)


@_step(
    "change_form",
    form=_bound_change_form,
    check=lambda person, row: check_propose_budget_change(person, team=budgets.team_of(row)),
)
def propose_change(
    row: BudgetAccount, *, aspect: str, target: str, reason: str, by: User, now: datetime, **given: Any
) -> str:
    """Propose a change of an account."""
    targets = {str(each.pk): each for each in budgets.targets_of(row)}
    wish = Rebooking(account=row, aspect=Aspect(aspect), target=targets.get(target), **given)
    return changes.proposed_text(budget_changes.propose(wish=wish, reason=reason, by=by, now=now))


@_step("terms_form", form=lambda _, data: TermsForm(data), check=lambda person, _: check_allocate_budget(person))
def terms(row: BudgetAccount, *, mode: str, by: User, now: datetime, **given: Any) -> str:
    """Set the mode and the tolerance of an account."""
    wanted = BudgetMode(mode)
    done = tree_writes.set_terms(account=row, mode=wanted, **given, by=by, now=now)
    return changes.proposed_text(done) if isinstance(done, Change) else f"{wanted.value.capitalize()}. {wanted.words}"


@_step("place_form", form=lambda _, data: ParentForm(data), check=lambda person, _: check_allocate_budget(person))
def place(row: BudgetAccount, *, parent: CostCenter, by: User, now: datetime) -> str:
    """Move the cost center of an account under another unit."""
    tree_writes.move_center(center=row.center, parent=parent, by=by, now=now)
    return f"{row.center.name} is now under {parent.name}."


@require_safe
def exported(request: HttpRequest, team: str, quarter: str, unit: str, kind: str) -> HttpResponseBase:
    """`/budgets/TEAM/QUARTER/UNIT/ledger.csv` and `.xlsx`: all postings of one account, newest first."""
    row = _account(request, team, quarter, unit)
    return export(ledger.table(ledger.statement_of(row, today=timezone.now().date())), kind=kind)


def part_of_change(change: Change) -> dict[str, Any]:
    """The context for the page of a proposed change: the accounts on which it books, and their new mode, if any."""
    mode = change.details.get("mode")
    return {
        "accounts": [_standing(each) for each in budgets.accounts_of(change)],
        "terms": BudgetMode(mode) if mode else None,
    }


def _standing(account: BudgetAccount) -> tuple[BudgetAccount, Balance, Decimal]:
    balance, quarter = budgets.balance_of(account), Quarter.parse(account.quarter)
    return account, balance, outlook.forecast(balance, quarter=quarter, today=timezone.now().date())


def _account(request: HttpRequest, team: str, quarter: str, unit: str) -> BudgetAccount:
    return ledger.account_for(team=team, quarter=quarter, unit=unit, person=person_of(request))


def _allocate(request: HttpRequest, form: AllocationForm) -> str:
    given = form.cleaned_data
    holder, key, now = cost_centers.holder(given["team"]), f"form:{given['key']}", timezone.now()
    wanted = {name: given[name] for name in ("quarter", "amount", "reason")} | {"unit": BudgetUnit(given["unit"])}
    done = writes.allocate(holder=holder, key=key, by=user_of(request), now=now, **wanted)
    if isinstance(done, Change):
        return changes.proposed_text(done)
    return f"{format_quantity(given['amount'], unit=given['unit'])} allocated to {holder.name} for {given['quarter']}."
