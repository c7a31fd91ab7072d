"""Reads of proposed changes of budgets and commitments."""

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from governance.budgets.models import BudgetAccount, BudgetChange
from governance.budgets.rules import may_confirm_budget_change, may_see_budget
from governance.people.approvals.enums import ChangeState
from governance.people.domain.roles import Person, Role
from governance.people.queries.people import people_with, person_of
from weighbridge.core.errors import NotFound

_RELATED = ("account__centre__team", "target__centre__team", "proposed_by", "closed_by")


def teams_of(change: BudgetChange) -> frozenset[str]:
    """The slugs of the teams whose budget it changes."""
    return frozenset(team_of(account) for account in (change.account, change.target) if account is not None) - {""}


def team_of(account: BudgetAccount) -> str:
    """The slug of the team an account belongs to; empty for a unit or the organisation."""
    return account.centre.team.slug if account.centre.team else ""


def may_see(person: Person, *, change: BudgetChange) -> bool:
    """Whether the person sees one of the budgets it changes, or proposed it."""
    accounts = [each for each in (change.account, change.target) if each is not None]
    return change.proposed_by_id == person.id or any(may_see_budget(person, team=team_of(each)) for each in accounts)


def listed(*, person: Person, state: str = "") -> QuerySet[BudgetChange]:
    """Changes the person may see, the newest first, those of one state or all."""
    rows = BudgetChange.objects.select_related(*_RELATED).order_by("-pk")
    if not may_see_budget(person, team=""):
        own = Q(account__centre__team__slug__in=person.teams) | Q(target__centre__team__slug__in=person.teams)
        rows = rows.filter(own | Q(proposed_by_id=person.id)) if person.is_active else rows.none()
    return rows.filter(state=state) if state else rows


def find(*, change_id: int, person: Person) -> BudgetChange:
    """One change, or NotFound, which is also the answer to whoever may not see it."""
    change = BudgetChange.objects.select_related(*_RELATED).filter(pk=change_id).first()
    if change is None or not may_see(person, change=change):
        raise NotFound(f"There is no change of a budget {change_id}.")
    return change


def confirmers(change: BudgetChange) -> list[User]:
    """Who could confirm it now, by user name."""
    teams = teams_of(change)
    able = {user.pk: user for role in (Role.PLATFORM_LEAD, Role.FINANCE) for user in people_with(role)}
    return sorted(
        (
            user
            for user in able.values()
            if may_confirm_budget_change(person_of(user), proposed_by_id=change.proposed_by_id, teams=teams)
        ),
        key=lambda user: user.username,
    )


def waiting_on(account: BudgetAccount) -> list[BudgetChange]:
    """Changes of this account that wait for a second person."""
    rows = BudgetChange.objects.select_related(*_RELATED).filter(state=ChangeState.PENDING)
    return list(rows.filter(Q(account=account) | Q(target=account)).order_by("pk"))


def targets_of(account: BudgetAccount) -> list[BudgetAccount]:
    """Where something of an account may move: its own other quarters, and other centres in the same
    quarter; open ones.
    """
    rows = BudgetAccount.objects.select_related("centre").filter(closed_at=None, unit=account.unit)
    same = Q(centre=account.centre) | Q(quarter=account.quarter)
    return list(rows.filter(same).exclude(pk=account.pk).order_by("quarter", "centre__name"))
