"""Writes about people: teams, roles, tokens."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.domain.roles import BINDING, Role
from governance.people.domain.scopes import TokenScope
from governance.people.models import ApiToken, RoleGrant, Team
from governance.people.queries.people import person_of
from governance.people.rules import check_create_token, check_manage_people
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState

TOKEN_DAYS_MAX = 366
ALONE = "By an operator on the server, without a second person."
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,60}")


def create_team(*, slug: str, name: str, by: User | None, now: datetime) -> Team:
    """Create a team, or return the existing one; `by` None is an operator on the server."""
    if by is not None:
        check_manage_people(person_of(by))
    if not SLUG.fullmatch(slug):
        raise Invalid("The slug of a team may contain only letters, digits, hyphens and underscores.", field="slug")
    with transaction.atomic():
        team, is_new = Team.objects.get_or_create(slug=slug, defaults={"name": name})
        if is_new:
            audit.record(kind="team.created", by=by, subject=("team", slug), details={"name": name}, now=now)
    return team


def grant_role(
    *, user: User, role: Role, team: Team | None = None, change: Change | None = None, by: User | None, now: datetime
) -> RoleGrant:
    """Grant a role; a binding one needs the `change` that another person proposed and `by` confirmed."""
    if (role is Role.REQUESTER) != (team is not None):
        wrong = "The role requester is granted for a team, all other roles for the whole organization."
        raise Invalid(wrong, field="team")
    if by is not None:
        check_manage_people(person_of(by), user_id=user.pk)
        if role in BINDING:
            _check_two_people(user, role, change, by)
    with transaction.atomic():
        grant, is_new = RoleGrant.objects.get_or_create(user=user, role=role.value, team=team)
        if is_new:
            details = {"role": role.value, "team": team.slug if team else None}
            details |= {"change": str(change)} if change else {}
            reason = "" if by else ALONE
            subject = ("person", user.username)
            audit.record(kind="role.granted", by=by, subject=subject, details=details, reason=reason, now=now)
    return grant


def _check_two_people(user: User, role: Role, change: Change | None, by: User) -> None:
    agreed = Change.objects.filter(kind=Changed.ROLE, gains=user, part=role.value, state=ChangeState.CONFIRMED)
    if change is None or not agreed.filter(pk=change.pk, closed_by=by).exists():
        wanted = "Two people must grant this role. Propose it under Changes; another administrator then confirms it."
        raise NotAllowed(wanted, code="two_people")


def revoke_role(*, user: User, role: Role, team: Team | None = None, by: User | None, now: datetime) -> None:
    """Revoke a role."""
    if by is not None:
        check_manage_people(person_of(by), user_id=user.pk)
    with transaction.atomic():
        gone, _ = RoleGrant.objects.filter(user=user, role=role.value, team=team).delete()
        if not gone:
            raise NotFound(f"{user.username} does not have that role.", field="role")
        details = {"role": role.value, "team": team.slug if team else None}
        audit.record(kind="role.revoked", by=by, subject=("person", user.username), details=details, now=now)


def close_account(*, user: User, by: User | None, now: datetime) -> User:
    """Deactivate an account. Its history remains, and its roles remain until they are revoked."""
    if by is not None:
        check_manage_people(person_of(by), user_id=user.pk)
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        if not row.is_active:
            raise WrongState(f"The account {row.username} is already closed.")
        row.is_active = False
        row.save(update_fields=["is_active"])
        audit.record(kind="account.closed", by=by, subject=("person", row.username), now=now)
    return row


def create_token(
    *, user: User, valid_days: int, by: User | None, now: datetime, scope: TokenScope = TokenScope.WRITE
) -> str:
    """Create a token of `user` with `scope`. The token is shown only once; only its hash is stored."""
    if by is not None:
        check_create_token(person_of(by), user_id=user.pk)
    if not 1 <= valid_days <= TOKEN_DAYS_MAX:
        raise Invalid(f"A token can be valid for 1 to {TOKEN_DAYS_MAX} days.", field="valid_days")
    token = f"wb_{secrets.token_urlsafe(32)}"
    row = ApiToken(user=user, digest=hashlib.sha256(token.encode()).hexdigest(), prefix=token[:9], scope=scope.value)
    row.created_at, row.expires_at = now, now + timedelta(days=valid_days)
    with transaction.atomic():
        row.save(force_insert=True)
        details = {"prefix": row.prefix, "valid_days": valid_days, "scope": row.scope}
        audit.record(kind="token.created", by=by, subject=("person", user.username), details=details, now=now)
    return token
