"""Reads of people: users with roles and teams as `Person` objects for the rules."""

from collections.abc import Sequence
from functools import reduce
from operator import and_

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from governance.people.domain.roles import BINDING, Person, Role
from governance.people.models import RoleGrant, Team
from governance.site.domain.memory import Kept

KEPT_MAX = 1_000


def person_of(user: User) -> Person:
    """The person of a user account, with current roles and teams."""
    return person_with(user, grants=list(RoleGrant.objects.filter(user=user).select_related("team")))


def person_with(user: User, *, grants: Sequence[RoleGrant]) -> Person:
    """The person of a user account who has these roles and teams."""
    return Person(
        id=user.pk,
        username=user.username,
        name=name_of(user),
        roles=frozenset(Role(grant.role) for grant in grants),
        teams=frozenset(grant.team.slug for grant in grants if grant.team is not None),
        is_active=user.is_active,
    )


def gate_keeps_s() -> float:
    """For how many seconds the gate uses what it read before."""
    return float(settings.WEIGHBRIDGE["GATE_KEEPS_S"])


kept_person_of = Kept(person_of, seconds=gate_keeps_s, most=KEPT_MAX)
"""`person_of` for the gate."""


def name_of(user: User) -> str:
    """The full name, or the user name if there is no full name."""
    return user.get_full_name() or user.username


def named_like(words: str) -> Q:
    """Whether each of the words, however it is capitalized, is in one of the names of a user."""
    named = (
        Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
        for word in words.split()
    )
    return reduce(and_, named, Q())


def teams_of(person: Person) -> list[Team]:
    """The teams for which a person files requests, by name."""
    return list(Team.objects.filter(slug__in=person.teams).order_by("name"))


def people_with(role: Role) -> list[User]:
    """Active users with a role, by user name."""
    return list(User.objects.filter(is_active=True, role_grants__role=role).distinct().order_by("username"))


def binds_people(user: User) -> bool:
    """Whether the user has a role that judges, spends or administers, even if the account is closed."""
    return RoleGrant.objects.filter(user=user, role__in=BINDING).exists()
