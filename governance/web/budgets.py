"""Pages of budgets: accounts, allocations, the ledger, and the ledger as a file."""

import secrets
from dataclasses import dataclass
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from governance.actions import budgets as writes
from governance.domain.quarters import Quarter
from governance.domain.refusals import Refused
from governance.domain.roles import Person
from governance.enums import Unit
from governance.models import Team
from governance.queries import budgets, ledger
from governance.queries.budgets import AccountView
from governance.queries.ledger import Statement
from governance.rules import check_allocate_budget, may_allocate_budget, may_see_budget
from governance.web.exports import export
from governance.web.formatting import format_quantity
from governance.web.reader import person_of, user_of
from governance.web.refusals import show_in

TITLES = {Unit.USD: "Money (USD)", Unit.GPU_H: "GPU hours"}


@dataclass(frozen=True)
class TeamAccounts:
    """The accounts of one team in one quarter."""

    team: str
    team_name: str
    accounts: tuple[AccountView, ...]


class AllocationForm(forms.Form):
    """Something to spend. `key` makes a form sent twice one allocation."""

    team = forms.ModelChoiceField(Team.objects.order_by("name"), to_field_name="slug", empty_label="Choose a team")
    quarter = forms.CharField(max_length=6, help_text="Like 2026Q4.")
    unit = forms.ChoiceField(choices=[(unit.value, title) for unit, title in TITLES.items()])
    amount = forms.DecimalField(max_digits=16, decimal_places=2, help_text="Added to what was allocated before.")
    key = forms.CharField(max_length=60, widget=forms.HiddenInput)

    def clean_quarter(self) -> str:
        """The quarter in its one spelling."""
        try:
            return str(Quarter.parse(self.cleaned_data["quarter"]))
        except Refused as refusal:
            raise forms.ValidationError(refusal.reason) from refusal


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """`/budgets/`: what teams may spend in a quarter and have left; finance allocates here."""
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
        "teams": _teams(person, quarter),
        "form": form if may_allocate_budget(person) else None,
    }
    return render(request, "governance/budgets.html", context)


@require_safe
def account(request: HttpRequest, team: str, quarter: str, unit: str) -> HttpResponse:
    """One account: its balance, and every booking with what was left after it."""
    statement = _statement(request, team, quarter, unit)
    title = TITLES[Unit(statement.unit)]
    crumbs = (
        ("Budgets", f"{reverse('governance:budgets')}?quarter={quarter}"),
        (f"{statement.team_name} {quarter}, {title}", ""),
    )
    return render(request, "governance/account.html", {"statement": statement, "crumbs": crumbs, "title": title})


@require_safe
def exported(request: HttpRequest, team: str, quarter: str, unit: str, kind: str) -> HttpResponse:
    """`/budgets/TEAM/QUARTER/UNIT/ledger.csv` and `.xlsx`: every booking of one account, newest first."""
    return export(ledger.table(_statement(request, team, quarter, unit)), kind=kind)


def _statement(request: HttpRequest, team: str, quarter: str, unit: str) -> Statement:
    return ledger.find(team=team, quarter=quarter, unit=unit, person=person_of(request))


def _form(request: HttpRequest, quarter: str) -> AllocationForm:
    if request.method == "POST":
        return AllocationForm(request.POST)
    return AllocationForm(initial={"quarter": quarter, "key": secrets.token_urlsafe(16)})


def _allocate(request: HttpRequest, form: AllocationForm) -> bool:
    given = form.cleaned_data
    unit, amount = Unit(given["unit"]), Decimal(given["amount"])
    try:
        writes.allocate(
            team=given["team"], quarter=given["quarter"], unit=unit, amount=amount, key=f"form:{given['key']}",
            by=user_of(request), now=timezone.now(),
        )  # fmt: skip
    except Refused as refusal:
        show_in(form, refusal)
        return False
    words = format_quantity(amount, unit=unit.value)
    messages.success(request, f"{words} allocated to {given['team'].name} for {given['quarter']}.")
    return True


def _teams(person: Person, quarter: str) -> list[TeamAccounts]:
    found: dict[str, list[AccountView]] = {}
    for row in budgets.accounts(teams=None, quarter=quarter):
        if may_see_budget(person, team=row.team):
            found.setdefault(row.team, []).append(row)
    return [TeamAccounts(team, rows[0].team_name, tuple(rows)) for team, rows in found.items()]
