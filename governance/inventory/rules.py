"""Permissions of the inventory: `check_…` raises with a reason, `may_…` returns a bool."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import check_act_for_team, may
from weighbridge.core.errors import NotAllowed


def check_announce(person: Person, *, team: str) -> None:
    """Announcing, moving and withdrawing the retirement of a model: requesters of its team, and platform leads."""
    if not (person.is_active and Role.PLATFORM_LEAD in person.roles):
        check_act_for_team(person, team=team)


def check_outside_team(person: Person, *, team: str) -> None:
    """Confirming a milder classification or a later retirement: nobody of the team that gains by it."""
    if team in person.teams:
        raise NotAllowed(f"You belong to the team {team!r}, which gains by this change; somebody else must confirm it.")


may_announce = may(check_announce)
