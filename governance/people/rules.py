"""Who may do what: `check_` raises with a reason, `may_` answers."""

from collections.abc import Callable

from governance.people.domain.roles import Person, Role
from weighbridge.core.errors import NotAllowed

_WORDS = {
    Role.REQUESTER: "a requester",
    Role.REVIEWER: "a reviewer",
    Role.PLATFORM_LEAD: "a platform lead",
    Role.PRODUCT_LEAD: "a product lead",
    Role.FINANCE: "finance",
    Role.ADMIN: "an administrator",
    Role.AUDITOR: "an auditor",
}


def need_role(person: Person, *roles: Role, to: str) -> None:
    """Raise NotAllowed unless the person is active and has one of the roles."""
    if not person.is_active:
        raise NotAllowed("Your account is not active; ask an administrator.")
    if not person.roles.intersection(roles):
        raise NotAllowed(f"Only {' or '.join(_WORDS[role] for role in roles)} may {to}.")


def may(check: Callable[[], None]) -> bool:
    """Turn a check into a yes or no."""
    try:
        check()
    except NotAllowed:
        return False
    return True


def check_act_for_team(person: Person, *, team: str) -> None:
    """Registering models and filing requests: requesters of that team."""
    need_role(person, Role.REQUESTER, to="file for a team")
    if team not in person.teams:
        raise NotAllowed(f"You are not a requester of the team {team!r}; ask an administrator to add you.")


def check_act_for_any_team(person: Person) -> None:
    """Registering evaluation data: requesters of any team."""
    need_role(person, Role.REQUESTER, to="register data and file requests")


def check_manage_people(person: Person, *, user_id: int | None = None) -> None:
    """Teams and roles: administrators, and nobody their own (`user_id` is whose role it is)."""
    need_role(person, Role.ADMIN, to="manage people")
    if user_id == person.id:
        raise NotAllowed("Nobody grants or revokes a role of their own; ask another administrator.")


def may_manage_people(person: Person) -> bool:
    """Whether the person may open teams and grant roles to others."""
    return may(lambda: check_manage_people(person))


def check_create_token(person: Person, *, user_id: int) -> None:
    """A token acts as its user, so everybody makes their own and nobody another's."""
    if not person.is_active or user_id != person.id:
        raise NotAllowed("A token acts as its user: everybody makes their own, or an operator does on the server.")


def check_operate(person: Person) -> None:
    """Retrying effects and testing connections: platform leads and administrators."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, to="operate integrations")


def may_operate(person: Person) -> bool:
    """Whether the person may retry effects and test connections."""
    return may(lambda: check_operate(person))


def check_read_trail(person: Person) -> None:
    """The whole trail names people and requests of every team: administrators and auditors read it."""
    need_role(person, Role.ADMIN, Role.AUDITOR, to="read the whole audit trail")


def may_read_trail(person: Person) -> bool:
    """Whether the person may read the whole trail."""
    return may(lambda: check_read_trail(person))


def sees_everything(person: Person) -> bool:
    """Whether the person reads all teams' requests and models: everybody active who is more than a requester."""
    readers = {Role.REVIEWER, Role.PLATFORM_LEAD, Role.PRODUCT_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR}
    return person.is_active and not person.roles.isdisjoint(readers)
