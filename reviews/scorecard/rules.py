"""Permissions: `check_` raises with a reason, `may_` returns a boolean."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import check_act_for_team, may


def check_edit_scorecard(person: Person, *, team: str) -> None:
    """Requesters of its team and product leads may set the KPIs of a model and supply their actuals."""
    if not (person.is_active and Role.PRODUCT_LEAD in person.roles):
        check_act_for_team(person, team=team)


may_edit_scorecard = may(check_edit_scorecard)
