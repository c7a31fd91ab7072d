"""Pages of proposed changes: what waits for a second person, what it would change, and the second person's word."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.people.approvals import actions as writes
from governance.people.approvals import queries as changes
from governance.people.approvals.enums import ChangeState
from governance.people.approvals.models import ROLES, RuleChange
from governance.people.approvals.rules import check_confirm_change, check_read_changes, may_refuse_change
from governance.people.domain.roles import Role
from governance.people.queries import people
from governance.people.rules import may_manage_people
from governance.people.web.current_user import person_of, user_of
from governance.people.web.reason_form import ReasonForm, reason_in
from governance.rulebook.queries import rulebook
from governance.rulebook.web.policies import shown_changes
from governance.site.web.refusals import attempt, show_in
from weighbridge.core.errors import Refused

if TYPE_CHECKING:
    AnyModelChoiceField = forms.ModelChoiceField[Any]
else:
    AnyModelChoiceField = forms.ModelChoiceField

PAGE_SIZE = 30


class PersonField(AnyModelChoiceField):
    """Somebody, by name."""

    def label_from_instance(self, obj: Any) -> str:
        """Full name and user name."""
        name = obj.get_full_name()
        return f"{name} ({obj.username})" if name else str(obj.username)


class GrantForm(forms.Form):
    """A role that binds people, for somebody else."""

    user = PersonField(
        User.objects.filter(is_active=True).order_by("username"), label="Person", to_field_name="username"
    )
    role = forms.ChoiceField(choices=ROLES)
    reason = forms.CharField(label="Why", widget=forms.Textarea(attrs={"rows": 3}), max_length=writes.REASON_CHARS_MAX)


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """`/changes/`: what waits, what was decided, and proposing a role."""
    person = person_of(request)
    check_read_changes(person)
    form, status = GrantForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                change = _proposed(request, form.cleaned_data)
            except Refused as refusal:
                show_in(form, refusal)
                status = refusal.status
            else:
                return redirect("governance:change", change.pk)
    context = {
        "waiting": changes.listed(state=ChangeState.PENDING),
        "page": Paginator(changes.closed(), PAGE_SIZE).get_page(request.GET.get("page")),
        "form": form if may_manage_people(person) else None,
    }
    return render(request, "people/changes.html", context, status=status)


@require_safe
def detail(request: HttpRequest, change_id: int) -> HttpResponse:
    """`/changes/7/`: what would change, who proposed it and why, and who may confirm it."""
    person, change = person_of(request), _found(request, change_id)
    context = {
        "change": change,
        "is_open": change.state == ChangeState.PENDING,
        "cannot_confirm": _reason_of(
            lambda: check_confirm_change(person, proposed_by_id=change.proposed_by_id, gaining_ids=change.gaining_ids)
        ),
        "confirmers": changes.confirmers(change),
        "form": ReasonForm() if may_refuse_change(person, proposed_by_id=change.proposed_by_id) else None,
        "is_own": change.proposed_by_id == person.id,
        "crumbs": (("Changes", reverse("governance:changes")), (str(change), "")),
        **_said(change),
    }
    return render(request, "people/change.html", context)


@require_POST
def confirm(request: HttpRequest, change_id: int) -> HttpResponse:
    """The second person's yes."""
    change = _found(request, change_id)

    def act() -> str:
        writes.confirm(change=change, by=user_of(request), now=timezone.now())
        return f"{change} is confirmed and in force."

    attempt(request, act)
    return redirect("governance:change", change_id)


@require_POST
def refuse(request: HttpRequest, change_id: int) -> HttpResponse:
    """The second person's no, or the proposer's."""
    change = _found(request, change_id)

    def act() -> str:
        row = writes.refuse(change=change, reason=reason_in(request), by=user_of(request), now=timezone.now())
        return f"{row} is {row.state}; nothing changed."

    attempt(request, act)
    return redirect("governance:change", change_id)


def _found(request: HttpRequest, change_id: int) -> RuleChange:
    check_read_changes(person_of(request))
    return changes.find(change_id)


def _proposed(request: HttpRequest, asked: dict[str, Any]) -> RuleChange:
    return writes.propose_grant(
        user=asked["user"], role=Role(asked["role"]), reason=asked["reason"], by=user_of(request), now=timezone.now()
    )


def _said(change: RuleChange) -> dict[str, Any]:
    if change.user is not None:
        held = people.person_of(change.user).roles
        return {"role": Role(change.role), "held": ", ".join(sorted(role.label for role in held)) or "none"}
    version = change.version
    assert version is not None  # noqa: S101 -- the database says so
    kind = rulebook.kind_of(version)
    current = rulebook.in_force(kind=kind, name=version.name)
    differences = None
    if change.state == ChangeState.PENDING and current is not None:
        differences = shown_changes(before=current, after=version)
    return {"version": version, "kind": kind, "differences": differences}


def _reason_of(check: Callable[[], None]) -> str:
    try:
        check()
    except Refused as refusal:
        return refusal.reason
    return ""
