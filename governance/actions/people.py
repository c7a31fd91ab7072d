"""Writes about people: teams, roles, tokens."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from governance import audit
from governance.domain.refusals import Invalid, NotFound
from governance.domain.roles import Role
from governance.models import ApiToken, RoleGrant, Team


def create_team(*, slug: str, name: str, by: User | None, now: datetime) -> Team:
    """Open a team, or answer the one there is."""
    with transaction.atomic():
        team, is_new = Team.objects.get_or_create(slug=slug, defaults={"name": name})
        if is_new:
            audit.record(kind="team.created", by=by, subject=("team", slug), details={"name": name}, now=now)
    return team


def grant_role(*, user: User, role: Role, team: Team | None = None, by: User | None, now: datetime) -> RoleGrant:
    """Give a role; requesters for one team, everybody else for the whole organisation."""
    if (role is Role.REQUESTER) != (team is not None):
        raise Invalid("A requester is granted for a team; every other role for the whole organisation.", field="team")
    if by is not None and by.pk == user.pk:
        raise Invalid("Nobody grants a role to themselves; ask another administrator.", field="user")
    with transaction.atomic():
        grant, is_new = RoleGrant.objects.get_or_create(user=user, role=role.value, team=team)
        if is_new:
            details = {"role": role.value, "team": team.slug if team else None}
            audit.record(kind="role.granted", by=by, subject=("person", user.username), details=details, now=now)
    return grant


def revoke_role(*, user: User, role: Role, team: Team | None = None, by: User | None, now: datetime) -> None:
    """Take a role back."""
    with transaction.atomic():
        gone, _ = RoleGrant.objects.filter(user=user, role=role.value, team=team).delete()
        if not gone:
            raise NotFound(f"{user.username} does not hold that role.", field="role")
        details = {"role": role.value, "team": team.slug if team else None}
        audit.record(kind="role.revoked", by=by, subject=("person", user.username), details=details, now=now)


def create_token(*, user: User, valid_days: int, by: User | None, now: datetime) -> str:
    """A new token of `user`, shown this once; only its hash is kept."""
    token = f"wb_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        ApiToken.objects.create(
            user=user,
            digest=hashlib.sha256(token.encode()).hexdigest(),
            prefix=token[:9],
            created_at=now,
            expires_at=now + timedelta(days=valid_days),
        )
        details = {"prefix": token[:9], "valid_days": valid_days}
        audit.record(kind="token.created", by=by, subject=("person", user.username), details=details, now=now)
    return token
