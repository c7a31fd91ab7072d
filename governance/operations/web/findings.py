"""The page of findings, with assigning and closing."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.budgets.models import BudgetAccount
from governance.budgets.queries import overruns
from governance.exports.web import export
from governance.findings import actions as writes
from governance.findings import queries as findings_queries
from governance.findings.enums import FindingState
from governance.findings.models import Finding
from governance.findings.rules import (
    check_assign_finding,
    check_close_finding,
    may_assign_finding,
    may_close_finding,
)
from governance.people.domain.roles import Person, Role
from governance.people.queries.people import name_of
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import LinesField, PersonField
from governance.site.domain.numbers import whole_number
from governance.site.queries import bounded_page
from governance.site.web.refusals import settled
from weighbridge.core.errors import Invalid

PAGE_SIZE, SELECTED = 20, "selected-%s"
_NONE: Mapping[str, forms.Form] = MappingProxyType({})
REFERENCE = re.compile(r"[A-Z]+-\d{4}-\d+$")


class AssignForm(forms.Form):
    """The owner and the due date of a finding."""

    owner = PersonField(label="Who")
    due_on = forms.DateField(label="Until", widget=forms.DateInput(attrs={"type": "date"}))


class AssignOneForm(AssignForm):
    """The same for one finding, with the id of the owner whom the page shows."""

    seen_owner = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, finding: Finding) -> None:
        initial = {"seen_owner": finding.owner_id}
        super().__init__(data, initial=initial, auto_id=f"assign-{finding.pk}-%s")


class CloseForm(forms.Form):
    """The closing note."""

    note = LinesField(
        label="What was done",
        max_length=writes.NOTE_CHARS_MAX,
        error_messages={"required": writes.NOTE_RULE},
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class FindingFilterForm(forms.Form):
    """The filters of the list. An unknown choice filters nothing."""

    state = forms.ChoiceField(label="State", required=False, choices=[("", "Any"), *FindingState.choices])
    owner = forms.ChoiceField(
        label="Responsible", required=False, choices=[("", "Anybody"), ("mine", "Me"), ("none", "Nobody")]
    )

    @property
    def filters(self) -> dict[str, str]:
        """The filters of a bound form."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in ("state", "owner")}


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """`/findings/`: newest first. People without access to all findings see those that they own.

    POST assigns every selected finding to the same person, or none if one of them cannot be assigned.
    """
    person, selected, status = person_of(request), AssignForm(auto_id=SELECTED), 200
    if request.method == "POST":
        check_assign_finding(person)
        selected = AssignForm(request.POST, auto_id=SELECTED)
        done, status = settled(request, selected, lambda: _assign_selected(request, selected))
        if done:
            return redirect(request.get_full_path())
    form = FindingFilterForm(request.GET)
    rows = findings_queries.listed(person=person, **form.filters)
    page = bounded_page(rows, size=PAGE_SIZE, number=request.GET.get("page"))
    accounts = overruns.accounts_of(page)
    may_assign_some = may_assign_finding(person) and any(row.state == FindingState.OPEN for row in page)
    context = {
        "page": page,
        "form": form,
        "is_filtered": any(form.filters.values()),
        "clear": reverse("governance:findings"),
        "rows": [_listed(row, accounts.get(row.pk), person) for row in page],
        "assign_selected": selected if may_assign_some or selected.errors else None,
        "chosen": request.POST.getlist("finding"),
        "may_file": person.has_role(Role.REQUESTER),
        "crumbs": (("Budgets", reverse("governance:budgets")), ("Findings", "")),
    }
    return render(request, "governance/operations/findings.html", context, status=status)


@require_safe
def exported(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/findings.csv` and `.xlsx`: all pages of the filtered list."""
    filters = FindingFilterForm(request.GET).filters
    return export(findings_queries.table(person=person_of(request), **filters), kind=kind)


@require_safe
def detail(request: HttpRequest, finding_id: int) -> HttpResponse:
    """`/findings/<id>/`: one finding."""
    return _page(request, finding_id)


def _page(
    request: HttpRequest, finding_id: int, refused: Mapping[str, forms.Form] = _NONE, status: int = 200
) -> HttpResponse:
    """The page of a finding, with the form that was refused."""
    person = person_of(request)
    finding = findings_queries.find(finding_id=finding_id, person=person)
    account = overruns.accounts_of([finding]).get(finding.pk)
    context = {
        "row": {**_shown(finding, account, person), **refused},
        "may_file": person.has_role(Role.REQUESTER),
        "crumbs": (
            ("Budgets", reverse("governance:budgets")),
            ("Findings", reverse("governance:findings")),
            (str(finding), ""),
        ),
    }
    return render(request, "governance/operations/finding.html", context, status=status)


def _assign_selected(request: HttpRequest, form: AssignForm) -> str:
    choices = [text.partition(":") for text in request.POST.getlist("finding")]
    chosen = [find_one(number, person_of(request)) for number, _, _ in choices]
    if not chosen:
        raise Invalid("Select at least one finding.", field="finding")
    seen = {row.pk: whole_number(owner) for row, (_, _, owner) in zip(chosen, choices, strict=True)}
    by, now = user_of(request), timezone.now()
    writes.assign_all(findings=chosen, seen_owners=seen, **form.cleaned_data, by=by, now=now)
    count = f"{len(chosen)} finding{'s' if len(chosen) > 1 else ''}"
    return f"{name_of(form.cleaned_data['owner'])} is now responsible for {count}."


def find_one(text: str, person: Person) -> Finding:
    """The finding with this number, as a form sends it."""
    number = whole_number(text)
    if number is None:
        raise Invalid(f"{text[:40]!r} is no number of a finding.", field="finding")
    return findings_queries.find(finding_id=number, person=person)


def _shown(finding: Finding, account: BudgetAccount | None, person: Person) -> dict[str, Any]:
    """A finding with its account, the request at the start of its subject, and the forms that the person may use.

    `choice` is how the selection names the finding: with the owner whom the page shows.
    """
    first = finding.subject.partition(" ")[0]
    may_close = may_close_finding(person, owner_id=finding.owner_id)
    return {
        "finding": finding,
        "choice": f"{finding.pk}:{finding.owner_id or ''}",
        "account": account,
        "ref": first if REFERENCE.match(first) else "",
        "assign": AssignOneForm(finding=finding) if may_assign_finding(person) else None,
        "close": CloseForm(auto_id=f"close-{finding.pk}-%s") if may_close else None,
    }


def _listed(finding: Finding, account: BudgetAccount | None, person: Person) -> dict[str, Any]:
    """The same in a list, which leads to the choice of a person on the page of the finding: there are many people."""
    shown = _shown(finding, account, person)
    return {**shown, "assign": None, "may_assign": shown["assign"] is not None}


@require_POST
def assign(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Assign a finding, unless somebody else was made responsible since the page was loaded."""
    finding = findings_queries.find(finding_id=finding_id, person=person_of(request))
    check_assign_finding(person_of(request))
    form = AssignOneForm(request.POST, finding=finding)

    def act() -> str:
        given, by, now = dict(form.cleaned_data), user_of(request), timezone.now()
        seen = {finding.pk: given.pop("seen_owner")}
        writes.assign_all(findings=[finding], seen_owners=seen, **given, by=by, now=now)
        return f"{name_of(given['owner'])} is now responsible for {finding}."

    done, status = settled(request, form, act)
    return redirect("governance:finding", finding_id) if done else _page(request, finding_id, {"assign": form}, status)


@require_POST
def close(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Close a finding with a note."""
    finding = findings_queries.find(finding_id=finding_id, person=person_of(request))
    check_close_finding(person_of(request), owner_id=finding.owner_id)
    form = CloseForm(request.POST, auto_id=f"close-{finding_id}-%s")

    def act() -> str:
        row = writes.close(finding=finding, **form.cleaned_data, by=user_of(request), now=timezone.now())
        return f"{row} is closed."

    done, status = settled(request, form, act)
    return redirect("governance:finding", finding_id) if done else _page(request, finding_id, {"close": form}, status)
