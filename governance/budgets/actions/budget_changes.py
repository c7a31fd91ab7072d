"""Changes of budgets by two people: a platform lead or finance who does not belong to the team confirms."""

from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db.models import Q

from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.actions.wishes import Allocation, Terms, Wish
from governance.budgets.domain.budget_changes import REBOOKED, Aspect
from governance.budgets.domain.ledger import BudgetMode
from governance.budgets.domain.second_person import check_independent
from governance.budgets.queries.budgets import accounts_of, team_of
from governance.budgets.queries.cost_centers import teams_covered
from governance.budgets.rules import check_allocate_budget, check_propose_budget_change, may_see_budget
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import ChangeKind, register
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person, Role
from governance.people.queries.membership import team_slugs_of


def propose(*, wish: Wish, reason: str, by: User, now: datetime) -> Change:
    """Propose a change. Its confirmation books it in one transaction."""
    teams = {team_of(account) for account in wish.accounts} - {""}
    details = {"account": str(wish.account), "target_id": None, **wish.details, "teams": sorted(teams)}
    about = {"subject_id": wish.account.pk, "part": wish.part, "description": wish.description}
    change = Change(kind=Changed.BUDGET, **about, details=details)
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def _wish_of(change: Change) -> Wish:
    """The wish of a change, with the current accounts."""
    (account, *others), details = accounts_of(change), change.details
    aspect = Aspect(details["aspect"])
    if aspect is Aspect.TERMS:
        percent = details["tolerance_percent"]
        return Terms(account=account, mode=BudgetMode(details["mode"]), tolerance_percent=percent)
    amount, target = Decimal(details["amount"]), next(iter(others), None)
    if aspect is Aspect.ALLOCATION:
        return Allocation(account=account, amount=amount)
    return Rebooking(account=account, target=target, aspect=aspect, amount=amount, request_ref=change.part)


def _may_propose(person: Person, change: Change) -> None:
    if Aspect(change.details["aspect"]) not in REBOOKED:
        check_allocate_budget(person)
    for account in accounts_of(change):
        check_propose_budget_change(person, team=team_of(account))


def _check_impartial(person: Person, change: Change) -> None:
    covered = (teams_covered(account.center) for account in accounts_of(change))
    teams = frozenset(change.details["teams"]).union(*covered)
    check_independent(own_teams=team_slugs_of(person, now=change.proposed_at), teams=teams)


def _visible(person: Person) -> Q:
    if may_see_budget(person, team=""):
        return Q()
    seen = Q(proposed_by_id=person.id)
    for team in person.teams:
        seen |= Q(details__teams__contains=[team])
    return seen if person.is_active else Q(pk__in=())


register(
    ChangeKind(
        name=Changed.BUDGET,
        noun="a change of a budget",
        confirmers=(Role.PLATFORM_LEAD, Role.FINANCE),
        another="another platform lead or finance",
        may_propose=_may_propose,
        check_impartial=_check_impartial,
        check=lambda change: _wish_of(change).check(),
        lock=lambda change: _wish_of(change).lock(),
        apply=lambda change, by, now: _wish_of(change).book(key=f"change:{change.pk}", by=by, now=now),
        visible=_visible,
        team=lambda change: team_of(accounts_of(change)[0]),
        done="confirmed and booked.",
        why_none="All platform leads and members of finance proposed it or belong to the team. An "
        "administrator can propose the role for another person.",
    )
)
