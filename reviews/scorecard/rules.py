"""Who may do what: `check_` raises with a reason, `may_` answers."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import check_act_for_team, may


def check_keep_score(person: Person, *, team: str) -> None:
    """Setting a model's KPIs and supplying their actuals: requesters of its team, and product leads."""
    if not (person.is_active and Role.PRODUCT_LEAD in person.roles):
        check_act_for_team(person, team=team)


def may_keep_score(person: Person, *, team: str) -> bool:
    """Whether the person may set this model's KPIs and supply their actuals."""
    return may(lambda: check_keep_score(person, team=team))
