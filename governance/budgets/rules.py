"""Permissions: `check_` functions raise with a reason, `may_` functions return a bool."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role


def check_allocate_budget(person: Person) -> None:
    """Allocate budgets: finance."""
    need_role(person, Role.FINANCE, to="allocate a budget")


def check_see_budget(person: Person, *, team: str) -> None:
    """See a team's budget: the team, leads, finance, administrators and auditors."""
    if not (person.is_active and team in person.teams):
        need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, Role.ADMIN, Role.AUDITOR, to="see another team's budget")


def check_propose_budget_change(person: Person, *, team: str) -> None:
    """Propose a change of amount, quarter or account: requesters of the team, platform leads and finance."""
    if not (person.has_role(Role.REQUESTER) and team in person.teams):
        need_role(person, Role.PLATFORM_LEAD, Role.FINANCE, to="change another team's budget")


def check_propose_some_budget_change(person: Person) -> None:
    """Propose a change for some account: any requester, platform leads and finance."""
    need_role(person, Role.REQUESTER, Role.PLATFORM_LEAD, Role.FINANCE, to="propose a change of a budget")


may_allocate_budget = may(check_allocate_budget)
may_see_budget = may(check_see_budget)
may_propose_budget_change = may(check_propose_budget_change)
