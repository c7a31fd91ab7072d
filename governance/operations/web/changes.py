"""Pages of changes that take two people: open changes, their effect, and the decision of the second person."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.bills.web import allocation
from governance.budgets.web import budgets
from governance.inventory import web as inventory
from governance.people.approvals import actions as approvals
from governance.people.approvals import queries as reads
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.kinds import KINDS, check_confirm, check_refuse, kind_of
from governance.people.approvals.models import Change
from governance.people.rules import check_manage_people, may_manage_people
from governance.people.web import grants
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import ReasonForm
from governance.rulebook.web import policies
from governance.site.queries import bounded_page
from governance.site.web.refusals import refusal_of, refusals_shown, settled

PAGE_SIZE = 30


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """`/changes/`: open and closed changes, optionally of one `?kind=`, and the form to propose a role."""
    person, kind = person_of(request), request.GET.get("kind", "")
    if request.method == "POST":
        check_manage_people(person)
    form, change, status = grants.propose(request)
    if change is not None:
        return redirect("governance:change", change.pk)
    rows = reads.listed(person=person, kind=kind if kind in KINDS else "")
    context = {
        "waiting": rows.filter(state=ChangeState.PENDING),
        "page": bounded_page(rows.exclude(state=ChangeState.PENDING), size=PAGE_SIZE, number=request.GET.get("page")),
        "form": form if may_manage_people(person) else None,
    }
    return render(request, "governance/operations/changes.html", context, status=status)


@require_safe
def detail(request: HttpRequest, change_id: int) -> HttpResponse:
    """`/changes/7/`: the change, its proposer and reason, and the people who may confirm it."""
    return _page(request, reads.find(change_id=change_id, person=person_of(request)))


def _page(request: HttpRequest, change: Change, form: ReasonForm | None = None, status: int = 200) -> HttpResponse:
    person = person_of(request)
    context = {
        "change": change,
        "is_open": change.state == ChangeState.PENDING,
        "cannot_confirm": refusal_of(lambda: check_confirm(person, change)),
        "confirmers": reads.confirmers(change),
        "why_none": kind_of(change).why_none,
        "form": None if refusal_of(lambda: check_refuse(person, change)) else form or ReasonForm(),
        "is_own": change.proposed_by_id == person.id,
        "crumbs": (("Changes", reverse("governance:changes")), (str(change), "")),
        **_part_of(change),
    }
    return render(request, "governance/operations/change.html", context, status=status)


@require_POST
def confirm(request: HttpRequest, change_id: int) -> HttpResponse:
    """Confirm a change, by the second person."""
    change = reads.find(change_id=change_id, person=person_of(request))
    with refusals_shown(request):
        approvals.confirm(change=change, by=user_of(request), now=timezone.now())
        messages.success(request, f"{change} is {kind_of(change).done}")
    return redirect("governance:change", change_id)


@require_POST
def refuse(request: HttpRequest, change_id: int) -> HttpResponse:
    """Refuse a change (second person) or withdraw it (proposer)."""
    change, form = reads.find(change_id=change_id, person=person_of(request)), ReasonForm(request.POST)
    check_refuse(person_of(request), change)

    def act() -> str:
        row = approvals.refuse(change=change, **form.cleaned_data, by=user_of(request), now=timezone.now())
        return f"{row} is {row.state}. Nothing was changed."

    done, status = settled(request, form, act)
    return redirect("governance:change", change_id) if done else _page(request, change, form, status)


def _part_of(change: Change) -> dict[str, Any]:
    """The part of the context that depends on the kind."""
    part = _PARTS.get(Changed(change.kind))
    return part(change) if part else {}


_PARTS: dict[Changed, Callable[[Change], dict[str, Any]]] = {
    Changed.POLICY: policies.part_of_change,
    Changed.POLICY_END: policies.part_of_change,
    Changed.CHECKLIST: policies.part_of_change,
    Changed.CATALOG: policies.part_of_change,
    Changed.ALLOCATION: allocation.part_of_change,
    Changed.ROLE: grants.part_of_change,
    Changed.BUDGET: budgets.part_of_change,
    Changed.OWNER: inventory.part_of_change,
    Changed.TIER_OR_TASK: lambda change: {"details": change.details},
    Changed.RETIREMENT: lambda change: {"details": change.details},
    Changed.DATASET: lambda change: {"details": change.details},
}
