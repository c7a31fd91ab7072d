"""Permissions: `check_` raises with a reason, `may_` returns a boolean."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import check_act_for_team, may, need_role


def check_edit_scorecard(person: Person, *, team: str) -> None:
    """Requesters of its team and product leads may set the KPIs of a model and supply their actuals."""
    if not (person.is_active and Role.PRODUCT_LEAD in person.roles):
        check_act_for_team(person, team=team)


def check_edit_some_scorecard(person: Person) -> None:
    """Supply actuals of some model: any requester, and product leads."""
    need_role(person, Role.REQUESTER, Role.PRODUCT_LEAD, to="supply what KPIs came to")


may_edit_scorecard = may(check_edit_scorecard)
