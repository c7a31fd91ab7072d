"""What is left by people who cannot act: those whose account is closed, and those who are absent."""

from collections.abc import Set
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from governance.people.domain.roles import Person, Role
from governance.people.queries.people import name_of
from reviews.requests.models import IS_OPEN, ReviewRequest
from reviews.requests.queries.requests import owned_by


def is_away(name: str, *, absent: Set[int]) -> Q:
    """Select the rows whose user in the field `name` has a closed account or is one of the absent."""
    return Q(**{f"{name}__is_active": False}) | Q(**{f"{name}__in": list(absent)})


def away_people(*, absent: Set[int]) -> QuerySet[User, Any]:
    """The ids of the people whose account is closed or who are absent."""
    return User.objects.filter(Q(is_active=False) | Q(pk__in=list(absent))).order_by().values("pk")


def why_away(user: User) -> str:
    """Why this user, who is away, cannot act, as a sentence."""
    return f"{name_of(user)} is absent." if user.is_active else f"The account of {name_of(user)} is closed."


def open_own_or_left(person: Person, *, absent: Set[int]) -> QuerySet[ReviewRequest, Any]:
    """The ids of the open requests that `own_or_left` selects: three parts that each read an index."""
    rows = ReviewRequest.objects.filter(IS_OPEN).order_by().values("pk")
    parts = [rows.filter(model_version__asset__owner=person.id)]
    if person.has_role(Role.PLATFORM_LEAD):
        away = away_people(absent=absent)
        parts.append(rows.filter(requester__in=away, model_version__asset__owner__in=away))
    return rows.filter(requester=person.id).union(*parts)


def own_or_left(person: Person, *, absent: Set[int]) -> Q:
    """Select the own requests; for a platform lead also those whose requester and owner of the model are away."""
    rows = owned_by(person)
    if person.has_role(Role.PLATFORM_LEAD):
        rows |= is_away("requester", absent=absent) & is_away("model_version__asset__owner", absent=absent)
    return rows
