"""Permissions: `check_` functions raise with a reason, `may_` functions return a bool."""

from collections.abc import Callable
from typing import ParamSpec

from governance.people.domain.roles import Person, Role
from weighbridge.core.errors import NotAllowed

P = ParamSpec("P")


def need_role(person: Person, *roles: Role, to: str) -> None:
    """Raise NotAllowed unless the person is active and has one of the roles."""
    if not person.is_active:
        raise NotAllowed("Your account is not active. Ask an administrator.")
    if not person.roles.intersection(roles):
        raise NotAllowed(f"Only {' or '.join(role.holder for role in roles)} may {to}.")


def may(check: Callable[P, None]) -> Callable[P, bool]:
    """The function of the same arguments that says whether the check passes."""

    def passes(*args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            check(*args, **kwargs)
        except NotAllowed:
            return False
        return True

    return passes


def check_act_for_team(person: Person, *, team: str) -> None:
    """Register models and file requests: requesters of that team."""
    need_role(person, Role.REQUESTER, to="file for a team")
    if team not in person.teams:
        raise NotAllowed(f"You are not a requester of the team {team!r}. Ask an administrator to add you.")


def check_act_for_any_team(person: Person) -> None:
    """Register evaluation data: requesters of any team."""
    need_role(person, Role.REQUESTER, to="register data and file requests")


def check_manage_people(person: Person, *, user_id: int | None = None) -> None:
    """Manage teams and roles: administrators, but not their own roles (`user_id` is the person with the role)."""
    need_role(person, Role.ADMIN, to="manage people")
    if user_id == person.id:
        raise NotAllowed("You cannot grant or revoke your own roles. Ask another administrator.")


def check_create_token(person: Person, *, user_id: int) -> None:
    """Create tokens: only for oneself, because a token acts as its user."""
    if not person.is_active or user_id != person.id:
        own = "You can create tokens only for yourself."
        raise NotAllowed(f"{own} An operator on the server can create tokens for others.")


OPERATORS = (Role.PLATFORM_LEAD, Role.ADMIN)
"""The roles that repeat deliveries and test connections."""


def check_operate(person: Person) -> None:
    """Retry effects and test connections: platform leads and administrators."""
    need_role(person, *OPERATORS, to="operate integrations")


def check_read_trail(person: Person) -> None:
    """Read the whole trail, which contains people and requests of all teams: administrators and auditors."""
    need_role(person, Role.ADMIN, Role.AUDITOR, to="read the whole audit trail")


def check_read_changes(person: Person) -> None:
    """Read changes that take two people: everyone who may propose some, and auditors."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, Role.AUDITOR, to="read proposed changes")


def sees_everything(person: Person) -> bool:
    """Whether the person may read the requests and models of all teams: any role but that of a requester."""
    return person.is_active and bool(person.roles - {Role.REQUESTER})


may_manage_people = may(check_manage_people)
may_operate = may(check_operate)
may_read_trail = may(check_read_trail)
may_read_changes = may(check_read_changes)
