"""The form for proposing a binding role, on the page of changes."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from governance.people.actions.grants import propose_grant
from governance.people.approvals.models import ROLES, Change
from governance.people.domain.roles import Role
from governance.people.queries import people
from governance.people.web.current_user import user_of
from governance.people.web.fields import PersonField, ReasonForm
from governance.site.web.refusals import show_in
from weighbridge.core.errors import Refused


class GrantForm(ReasonForm):
    """A binding role for another person."""

    user = PersonField(label="Person")
    role = forms.ChoiceField(choices=ROLES)
    field_order = ("user", "role", "reason")


def propose(request: HttpRequest) -> tuple[GrantForm, Change | None, int]:
    """The submitted form, the proposed change, and the HTTP status."""
    form = GrantForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return form, None, 400 if request.method == "POST" else 200
    fields = form.cleaned_data | {"role": Role(form.cleaned_data["role"])}
    try:
        return form, propose_grant(**fields, by=user_of(request), now=timezone.now()), 200
    except Refused as refusal:
        show_in(form, refusal)
        return form, None, refusal.status


def part_of_change(change: Change) -> dict[str, Any]:
    """The context for the page of a proposed change: the person and the role."""
    roles = people.person_of(User.objects.get(pk=change.subject_id)).roles
    return {"role": Role(change.part), "current_roles": ", ".join(sorted(role.label for role in roles)) or "none"}
