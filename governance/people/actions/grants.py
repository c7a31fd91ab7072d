"""Grants of roles that judge, spend or administer. They take two people."""

from datetime import datetime

from django.contrib.auth.models import User

from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import binding, register
from governance.people.approvals.models import Change
from governance.people.domain.roles import BINDING, Role
from governance.people.models import RoleGrant
from governance.people.rules import check_manage_people
from weighbridge.core.errors import Invalid


def propose_grant(*, user: User, role: Role, reason: str, by: User, now: datetime) -> Change:
    """Propose a binding role for another person. Another administrator confirms it."""
    description = f"Give {user.get_full_name() or user.username} the role {role.label.lower()}"
    details = {"user": user.username, "role": role.value}
    change = Change(
        kind=Changed.ROLE, subject_id=user.pk, part=role.value, description=description, gains=user, details=details
    )
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def _check_grant(change: Change) -> None:
    user, role = User.objects.get(pk=change.subject_id), Role(change.part)
    if role not in BINDING:
        free = f"The role {role.label.lower()} needs no second person."
        raise Invalid(f"{free} An administrator can grant it directly.", field="role")
    if not user.is_active:
        raise Invalid(f"The account {user.username} is closed.", field="user")
    if RoleGrant.objects.filter(user=user, role=role.value).exists():
        raise Invalid(f"{user.username} already has that role.", field="role")


def _grant(change: Change, by: User, now: datetime) -> None:
    user = User.objects.get(pk=change.subject_id)
    people.grant_role(user=user, role=Role(change.part), change=change, by=by, now=now)


register(
    binding(
        name=Changed.ROLE,
        may_propose=lambda person, change: check_manage_people(person, user_id=change.subject_id),
        check=_check_grant,
        apply=_grant,
    )
)
