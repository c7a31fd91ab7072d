"""Pages of allocation rules: versions, editor with preview, proposal."""

from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.bills.actions import allocation as writes
from governance.bills.models import AllocationVersion
from governance.bills.queries import allocation
from governance.bills.queries.allocation import Preview
from governance.bills.rules import check_handle_bills, check_see_bills, may_handle_bills
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.approvals.queries import open_for
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import ReasonForm, reason_in
from governance.rulebook.actions.publication import propose_publication
from governance.site.web.refusals import attempt, refusal_of
from weighbridge.core.errors import Invalid

START = """\
apiVersion: weighbridge/v1
kind: AllocationRules
name: default
rules:
  - id: visual-search
    match:
      tags: {model: [visual-search]}
    account: search
    model: search/visual-search
"""


class RulesForm(forms.Form):
    """Rules as YAML, and the month of the preview."""

    source = forms.CharField(
        label="YAML",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 26, "spellcheck": "false", "class": "code-input", "autocomplete": "off"}),
        help_text=(
            "Lists under match: providers, services, subaccounts, resources, skus, tags. A value may end in *; an "
            "empty list means that a row has none."
        ),
    )
    month = forms.ChoiceField(label="Preview with the bills of", required=False)

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # Django's own arguments
        months = [(month.isoformat(), f"{month:%B %Y}") for month in allocation.months()]
        self.fields["month"].choices = months or [("", "no bills yet")]  # type: ignore[attr-defined]  # it is a ChoiceField


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/allocation-rules/`: every version of the rules."""
    check_see_bills(person_of(request))
    context = {
        "rows": allocation.versions(),
        "may_write": may_handle_bills(person_of(request)),
        "crumbs": (("Bills", reverse("governance:bills")), ("Allocation rules", "")),
    }
    return render(request, "governance/bills/allocation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest) -> HttpResponse:
    """`/allocation-rules/new/`: write the next version, with a preview on one month."""
    check_handle_bills(person_of(request))
    form = RulesForm(request.POST) if request.method == "POST" else RulesForm(initial={"source": _start()})
    preview = None
    if request.method == "POST" and form.is_valid():
        try:
            if "save" in request.POST:
                version = writes.draft(source=form.cleaned_data["source"], by=user_of(request), now=timezone.now())
                return redirect("governance:allocation_version", version.number)
            preview = _preview(form.cleaned_data["source"], form.cleaned_data["month"])
        except Invalid as refusal:
            form.add_error("source", refusal.reason)
    context = {"form": form, "preview": preview, "crumbs": _crumbs("New version")}
    return render(request, "governance/bills/allocation_draft.html", context)


@require_safe
def detail(request: HttpRequest, number: int) -> HttpResponse:
    """One version: a preview of its rules on a month, its source, and the form to propose it."""
    person = person_of(request)
    check_see_bills(person)
    version = allocation.find(number=number)
    months = allocation.months()
    month_text = request.GET.get("month", "") or (months[0].isoformat() if months else "")
    context = {
        "version": version,
        "months": months,
        "preview": _preview(version.source, month_text),
        "reason_form": ReasonForm(),
        "cannot_propose": refusal_of(lambda: check_handle_bills(person)),
        "open_change": open_for(kind=Changed.ALLOCATION, subject=version),
        "crumbs": _crumbs(f"Version {number}"),
    }
    return render(request, "governance/bills/allocation_version.html", context)


@require_POST
def propose(request: HttpRequest, number: int) -> HttpResponse:
    """Propose the publication of a version. A second person confirms."""
    check_handle_bills(person_of(request))
    version = allocation.find(number=number)

    def act() -> str:
        change = propose_publication(
            version=version, reason=reason_in(request), by=user_of(request), now=timezone.now()
        )
        return f"{change} is proposed. Another person who handles bills and did not write it must confirm it."

    attempt(request, act)
    return redirect("governance:allocation_version", number)


def part_of_change(change: Change) -> dict[str, Any]:
    """The context for the page of a proposed change: the version that it publishes, the rules that differ, and why it
    cannot be confirmed yet.
    """
    version, base = AllocationVersion.objects.get(pk=change.subject_id), change.details.get(allocation.BASE)
    page = reverse("governance:allocation_version", args=[version.number])
    context = {"version": version, "version_page": page, "differences": allocation.changes(version=version, base=base)}
    if change.state == ChangeState.PENDING:
        context["cannot_apply"] = refusal_of(lambda: allocation.check_base(base))
    return context


def _crumbs(title: str) -> tuple[tuple[str, str], ...]:
    bills, rules = reverse("governance:bills"), reverse("governance:allocation")
    return ("Bills", bills), ("Allocation rules", rules), (title, "")


def _preview(source: str, month: str) -> Preview | None:
    rules = allocation.parse(source)
    allocation.targets(rules)
    try:
        return allocation.preview(rules=rules, month=date.fromisoformat(month))
    except ValueError:  # no month, or an invalid one
        return None


def _start() -> str:
    """The rules in force: those of another draft may have been refused."""
    in_force = allocation.published()
    return in_force.source if in_force else START
