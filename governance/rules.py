"""Who may do what on the ground floor: `check_` raises with a reason, `may_` answers."""

from collections.abc import Callable

from governance.domain.refusals import NotAllowed
from governance.domain.roles import Person, Role


def _need(person: Person, *roles: Role, to: str) -> None:
    if not person.is_active:
        raise NotAllowed("Your account is not active; ask an administrator.")
    if not person.roles.intersection(roles):
        wanted = " or ".join(role.value.replace("_", " ") for role in roles)
        raise NotAllowed(f"Only a {wanted} may {to}.")


def may(check: Callable[[], None]) -> bool:
    """Turn a check into a yes or no."""
    try:
        check()
    except NotAllowed:
        return False
    return True


def check_write_rulebook(person: Person) -> None:
    """Drafting a policy or checklist: platform leads and administrators."""
    _need(person, Role.PLATFORM_LEAD, Role.ADMIN, to="write a policy")


def check_publish_rulebook(person: Person, *, written_by_id: int | None) -> None:
    """Publishing: an administrator, and somebody else than the author."""
    _need(person, Role.ADMIN, to="publish a policy")
    if written_by_id == person.id:
        raise NotAllowed("Somebody other than its author must publish a policy; ask another administrator.")


def may_publish_rulebook(person: Person, *, written_by_id: int | None) -> bool:
    """Whether the person may publish this draft."""
    return may(lambda: check_publish_rulebook(person, written_by_id=written_by_id))


def may_write_rulebook(person: Person) -> bool:
    """Whether the person may draft a policy."""
    return may(lambda: check_write_rulebook(person))


def check_allocate_budget(person: Person) -> None:
    """Setting what a team may spend: finance."""
    _need(person, Role.FINANCE, to="allocate a budget")


def may_allocate_budget(person: Person) -> bool:
    """Whether the person may allocate budgets."""
    return may(lambda: check_allocate_budget(person))


def check_see_budget(person: Person, *, team: str) -> None:
    """A team's budget is seen by the team, by leads, finance, administrators and auditors."""
    if team not in person.teams:
        _need(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR, to="see another team's budget")


def may_see_budget(person: Person, *, team: str) -> bool:
    """Whether the person may see this team's budget."""
    return may(lambda: check_see_budget(person, team=team))


def check_act_for_team(person: Person, *, team: str) -> None:
    """Registering models and filing requests: requesters of that team."""
    _need(person, Role.REQUESTER, to="file for a team")
    if team not in person.teams:
        raise NotAllowed(f"You are not a requester of the team {team!r}; ask an administrator to add you.")


def check_act_for_any_team(person: Person) -> None:
    """Registering evaluation data: requesters of any team."""
    _need(person, Role.REQUESTER, to="register data")


def check_operate(person: Person) -> None:
    """Retrying effects and testing connections: platform leads and administrators."""
    _need(person, Role.PLATFORM_LEAD, Role.ADMIN, to="operate integrations")


def may_operate(person: Person) -> bool:
    """Whether the person may retry effects and test connections."""
    return may(lambda: check_operate(person))


def sees_everything(person: Person) -> bool:
    """Roles that read all teams' requests and models."""
    return bool(person.roles & {Role.REVIEWER, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR})
