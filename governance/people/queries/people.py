"""Who somebody is: roles and teams as a frozen Person, which every rule takes."""

from django.contrib.auth.models import User

from governance.people.domain.roles import BINDING, Person, Role
from governance.people.models import RoleGrant, Team


def person_of(user: User) -> Person:
    """The person behind a user account, with roles and teams as granted now."""
    grants = list(RoleGrant.objects.filter(user=user).select_related("team"))
    return Person(
        id=user.pk,
        username=user.username,
        name=name_of(user),
        roles=frozenset(Role(grant.role) for grant in grants),
        teams=frozenset(grant.team.slug for grant in grants if grant.team is not None),
        is_active=user.is_active,
    )


def name_of(user: User) -> str:
    """The full name, or the user name of somebody who gave none."""
    return user.get_full_name() or user.username


def teams_of(person: Person) -> list[Team]:
    """Teams a person files requests for, by name."""
    return list(Team.objects.filter(slug__in=person.teams).order_by("name"))


def people_with(role: Role) -> list[User]:
    """Active users who hold a role, by user name."""
    return list(User.objects.filter(is_active=True, role_grants__role=role).distinct().order_by("username"))


def binds_people(user: User) -> bool:
    """Whether the user holds a role that judges, spends or administers, be the account open or closed."""
    return RoleGrant.objects.filter(user=user, role__in=BINDING).exists()
