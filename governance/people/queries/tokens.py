"""Reads of API tokens: which may be used, and whose they are."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from governance.people.domain.roles import Person
from governance.people.models import ApiToken, RoleGrant
from governance.people.queries.people import person_with


def valid_tokens(now: datetime) -> QuerySet[ApiToken]:
    """The tokens that may be used at `now`, with their users."""
    valid = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    return ApiToken.objects.select_related("user").filter(valid, user__is_active=True)


def people_by_token(digests: Collection[str], *, now: datetime) -> dict[str, Person]:
    """The person of each of these tokens (SHA-256, hexadecimal) that may be used at `now`, in two queries."""
    users = {row.digest: row.user for row in valid_tokens(now).filter(digest__in=digests)}
    people = _people(users.values())
    return {digest: people[user.pk] for digest, user in users.items()}


def _people(users: Iterable[User]) -> dict[int, Person]:
    found = {user.pk: user for user in users}
    rows = RoleGrant.objects.filter(user__in=found).select_related("team").order_by("user_id") if found else ()
    grants = {user_id: list(own) for user_id, own in groupby(rows, key=lambda row: row.user_id)}
    return {pk: person_with(user, grants=grants.get(pk, [])) for pk, user in found.items()}
