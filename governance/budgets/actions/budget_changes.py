"""Changes of a budget or a commitment by two people: a platform lead or finance without a part in it confirms."""

from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db.models import Q

from governance.budgets.actions import rebookings
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.queries.budgets import accounts_of, team_of
from governance.budgets.rules import check_propose_budget_change, may_see_budget
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import ChangeKind, register
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person, Role
from weighbridge.core.errors import NotAllowed


def propose(*, wish: Rebooking, reason: str, by: User, now: datetime) -> Change:
    """Propose a change. Its confirmation books it in one transaction."""
    details = {
        "aspect": wish.aspect.value,
        "account": str(wish.account),
        "target": str(wish.target) if wish.target else None,
        "target_id": wish.target.pk if wish.target else None,
        "amount": str(wish.amount),
        "teams": sorted({team_of(account) for account in wish.accounts} - {""}),
    }
    about = {"subject_id": wish.account.pk, "part": wish.request_ref, "description": wish.description}
    change = Change(kind=Changed.BUDGET, **about, details=details)
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def _wish_of(change: Change) -> Rebooking:
    """The rebooking of a change, with the current accounts."""
    (account, *others), details = accounts_of(change), change.details
    aspect, amount, target = Aspect(details["aspect"]), Decimal(details["amount"]), next(iter(others), None)
    return Rebooking(account=account, target=target, aspect=aspect, amount=amount, request_ref=change.part)


def _may_propose(person: Person, change: Change) -> None:
    for account in accounts_of(change):
        check_propose_budget_change(person, team=team_of(account))


def _check_impartial(person: Person, change: Change) -> None:
    if not person.teams.isdisjoint(change.details["teams"]):
        raise NotAllowed("You file requests for a team whose budget this changes. Another person must confirm it.")


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
        apply=lambda change, by, now: rebookings.rebook(
            wish=_wish_of(change), key=f"change:{change.pk}", by=by, now=now
        ),
        visible=_visible,
        done="confirmed and booked.",
        why_none="All platform leads and members of finance proposed it or file for the team. An "
        "administrator can propose the role for another person.",
    )
)
