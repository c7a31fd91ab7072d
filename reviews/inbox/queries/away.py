"""What is left by people who cannot act: those whose account is closed, and those who are absent."""

from collections.abc import Set

from django.contrib.auth.models import User
from django.db.models import Q

from governance.people.domain.roles import Person, Role
from governance.people.queries.people import name_of
from reviews.requests.queries.requests import owned_by


def is_away(name: str, *, absent: Set[int]) -> Q:
    """Select the rows whose user in the field `name` has a closed account or is one of the absent."""
    return Q(**{f"{name}__is_active": False}) | Q(**{f"{name}__in": list(absent)})


def why_away(user: User) -> str:
    """Why this user, who is away, cannot act, as a sentence."""
    return f"{name_of(user)} is absent." if user.is_active else f"The account of {name_of(user)} is closed."


def own_or_left(person: Person, *, absent: Set[int]) -> Q:
    """Select the own requests; for a platform lead also those whose requester and owner of the model are away."""
    rows = owned_by(person)
    if person.has_role(Role.PLATFORM_LEAD):
        rows |= is_away("requester", absent=absent) & is_away("model_version__asset__owner", absent=absent)
    return rows
