"""Writes about people: teams, roles, tokens."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.domain.roles import BINDING, Role
from governance.people.domain.scopes import TokenScope
from governance.people.models import ApiToken, RoleGrant, Team
from governance.people.queries.people import binds_people, person_of
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
    """Revoke a role, and end all tokens of the person: they were created with the rights of that role."""
    if by is not None:
        check_manage_people(person_of(by), user_id=user.pk)
    with transaction.atomic():
        _locked(user)  # before the head of the audit chain
        gone, _ = RoleGrant.objects.filter(user=user, role=role.value, team=team).delete()
        if not gone:
            raise NotFound(f"{user.username} does not have that role.", field="role")
        details = {"role": role.value, "team": team.slug if team else None}
        reason = "" if by else ALONE
        subject = ("person", user.username)
        audit.record(kind="role.revoked", by=by, subject=subject, details=details, reason=reason, now=now)
        end_tokens(user=user, reason=f"The role {role.label.lower()} was revoked.", by=by, now=now)


def close_account(*, user: User, by: User | None, now: datetime) -> User:
    """Deactivate an account and end its tokens. Its history remains, and its roles remain until they are revoked."""
    if by is not None:
        check_manage_people(person_of(by), user_id=user.pk)
    with transaction.atomic():
        row = _locked(user)
        if not row.is_active:
            raise WrongState(f"The account {row.username} is already closed.")
        row.is_active = False
        row.save(update_fields=["is_active"])
        _record_account("closed", row, by, now)
        end_tokens(user=row, reason="The account was closed.", by=by, now=now)
    return row


def reopen_account(*, user: User, by: User | None, now: datetime) -> User:
    """Activate a closed account. Its binding roles must be revoked first, because granting them takes two people."""
    if by is not None:
        check_manage_people(person_of(by), user_id=user.pk)
    with transaction.atomic():
        row = _locked(user)
        if row.is_active:
            raise WrongState(f"The account {row.username} is not closed.")
        if by is not None and binds_people(row):
            first = "Revoke them first; granting them again takes two people."
            raise WrongState(f"The account {row.username} has roles that review, approve, spend or administer. {first}")
        row.is_active = True
        row.save(update_fields=["is_active"])
        _record_account("reopened", row, by, now)
    return row


def _locked(user: User) -> User:
    """The row, locked without its key: the database looks that up at the end of each write that names the person."""
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _record_account(step: str, row: User, by: User | None, now: datetime) -> None:
    reason = "" if by else ALONE
    audit.record(kind=f"account.{step}", by=by, subject=("person", row.username), reason=reason, now=now)


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
        if not _locked(user).is_active:
            raise WrongState(f"The account {user.username} is closed.")
        row.save(force_insert=True)
        details = {"prefix": row.prefix, "valid_days": valid_days, "scope": row.scope}
        reason = "" if by else ALONE
        subject = ("person", user.username)
        audit.record(kind="token.created", by=by, subject=subject, details=details, reason=reason, now=now)
    return token


def end_tokens(*, user: User, reason: str, by: User | None, now: datetime) -> list[str]:
    """Revoke all valid tokens of `user`, as a part of another change or by an operator. Returns their prefixes."""
    with transaction.atomic():
        _locked(user)  # no token is created meanwhile
        valid = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
        tokens = ApiToken.objects.filter(valid, user=user)
        prefixes = sorted(tokens.values_list("prefix", flat=True))
        if prefixes:
            tokens.update(revoked_at=now)
            details, subject = {"prefixes": prefixes}, ("person", user.username)
            audit.record(kind="token.revoked", by=by, subject=subject, details=details, reason=reason, now=now)
    return prefixes
