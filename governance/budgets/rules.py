"""Who may do what: `check_` raises with a reason, `may_` answers."""

from collections.abc import Collection

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role
from weighbridge.core.errors import NotAllowed


def check_allocate_budget(person: Person) -> None:
    """Setting what a team may spend: finance."""
    need_role(person, Role.FINANCE, to="allocate a budget")


def may_allocate_budget(person: Person) -> bool:
    """Whether the person may allocate budgets."""
    return may(lambda: check_allocate_budget(person))


def check_see_budget(person: Person, *, team: str) -> None:
    """A team's budget is seen by the team, by leads, finance, administrators and auditors."""
    if not (person.is_active and team in person.teams):
        need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR, to="see another team's budget")


def may_see_budget(person: Person, *, team: str) -> bool:
    """Whether the person may see this team's budget."""
    return may(lambda: check_see_budget(person, team=team))


def check_propose_budget_change(person: Person, *, team: str) -> None:
    """Asking for another amount, quarter or account: requesters of the team, platform leads and finance."""
    if not (person.has_role(Role.REQUESTER) and team in person.teams):
        need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, to="change another team's budget")


def may_propose_budget_change(person: Person, *, team: str) -> bool:
    """Whether the person may ask for a change of this team's budget."""
    return may(lambda: check_propose_budget_change(person, team=team))


def check_confirm_budget_change(person: Person, *, proposed_by_id: int, teams: Collection[str]) -> None:
    """Confirming it: a platform lead or finance who did not propose it and files for none of the teams it concerns."""
    need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, to="confirm a change of a budget")
    if person.id == proposed_by_id:
        raise NotAllowed("You proposed this change; another platform lead or finance must confirm it.")
    if not person.teams.isdisjoint(teams):
        raise NotAllowed("You file requests for a team whose budget this changes; somebody else must confirm it.")


def may_confirm_budget_change(person: Person, *, proposed_by_id: int, teams: Collection[str]) -> bool:
    """Whether the person may confirm this change of a budget."""
    return may(lambda: check_confirm_budget_change(person, proposed_by_id=proposed_by_id, teams=teams))


def check_refuse_budget_change(person: Person, *, proposed_by_id: int) -> None:
    """Closing it without effect: a platform lead or finance, or whoever proposed it."""
    if not (person.is_active and person.id == proposed_by_id):
        need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, to="refuse a change of a budget")


def may_refuse_budget_change(person: Person, *, proposed_by_id: int) -> bool:
    """Whether the person may refuse or withdraw this change of a budget."""
    return may(lambda: check_refuse_budget_change(person, proposed_by_id=proposed_by_id))
