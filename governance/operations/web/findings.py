"""The page of findings, with assigning and closing."""

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.budgets.models import BudgetAccount
from governance.budgets.queries import overruns
from governance.findings import actions as writes
from governance.findings import queries as findings_queries
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
from governance.people.web.fields import PersonField
from governance.site.web.refusals import refusals_shown
from weighbridge.core.errors import Invalid

PAGE_SIZE = 20
REFERENCE = re.compile(r"[A-Z]+-\d{4}-\d+$")


class AssignForm(forms.Form):
    """The owner and the due date of a finding."""

    owner = PersonField(label="Who")
    due_on = forms.DateField(label="Until", widget=forms.DateInput(attrs={"type": "date"}))


class CloseForm(forms.Form):
    """The closing note."""

    note = forms.CharField(
        label="What was done", max_length=writes.NOTE_CHARS_MAX, widget=forms.Textarea(attrs={"rows": 2})
    )


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/findings/`: newest first. People without access to all findings see those that they own."""
    person = person_of(request)
    page = Paginator(findings_queries.listed(person=person), PAGE_SIZE).get_page(request.GET.get("page"))
    accounts = overruns.accounts_of(page)
    context = {
        "page": page,
        "rows": [_shown(row, accounts.get(row.pk), person) for row in page],
        "may_file": person.has_role(Role.REQUESTER),
        "crumbs": (("Budgets", reverse("governance:budgets")), ("Findings", "")),
    }
    return render(request, "governance/operations/findings.html", context)


def _shown(finding: Finding, account: BudgetAccount | None, person: Person) -> dict[str, Any]:
    """A finding with its account, the request at the start of its subject, and the forms that the person may use."""
    first = finding.subject.partition(" ")[0]
    may_close = may_close_finding(person, owner_id=finding.owner_id)
    return {
        "finding": finding,
        "account": account,
        "ref": first if REFERENCE.match(first) else "",
        "assign": AssignForm(auto_id=f"assign-{finding.pk}-%s") if may_assign_finding(person) else None,
        "close": CloseForm(auto_id=f"close-{finding.pk}-%s") if may_close else None,
    }


@require_POST
def assign(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Assign a finding."""
    finding = findings_queries.find(finding_id=finding_id, person=person_of(request))
    check_assign_finding(person_of(request))
    form = AssignForm(request.POST)
    with refusals_shown(request):
        if not form.is_valid():
            raise Invalid("Choose a person and enter a date like 2026-12-31.", field="due_on")
        row = writes.assign(finding=finding, **form.cleaned_data, by=user_of(request), now=timezone.now())
        messages.success(request, f"{name_of(form.cleaned_data['owner'])} is now responsible for {row}.")
    return redirect("governance:findings")


@require_POST
def close(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Close a finding with a note."""
    finding = findings_queries.find(finding_id=finding_id, person=person_of(request))
    check_close_finding(person_of(request), owner_id=finding.owner_id)
    form = CloseForm(request.POST)
    with refusals_shown(request):
        note = form.cleaned_data["note"] if form.is_valid() else ""
        row = writes.close(finding=finding, note=note, by=user_of(request), now=timezone.now())
        messages.success(request, f"{row} is closed.")
    return redirect("governance:findings")
