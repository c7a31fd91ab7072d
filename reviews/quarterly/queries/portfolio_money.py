"""The accounts of a portfolio: what its requests hold, their share of the budget, and what they gain in US dollars."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from django.db.models import Q

from governance.budgets.domain import ledger
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import Balance, Holding, LedgerLine, holdings
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries import budgets
from governance.budgets.queries.budgets import OF_THE_ACCOUNT, entry_of
from governance.budgets.rules import may_see_budget
from governance.people.domain.roles import Person
from reviews.evidence.models import RequestProjection

MEDIAN = "p50"


class InPortfolio(Protocol):
    """A request of the portfolio: its reference, and the slug of its team."""

    @property
    def ref(self) -> str:
        """The reference of the request."""

    @property
    def team(self) -> str:
        """The slug of its team."""


@dataclass(frozen=True, kw_only=True)
class PortfolioMoney:
    """The money of a request, each None if it is not known, or not for the reader.

    `value_usd` is the median gain of one year over the baseline of its projection. `budget_share` is the share of 1 of
    the team's budget in US dollars that it holds in the quarter: reserved, committed or billed.
    """

    value_usd: Decimal | None = None
    budget_share: Decimal | None = None


def money_of(rows: Sequence[InPortfolio], *, quarter: Quarter, person: Person) -> dict[str, PortfolioMoney]:
    """The money of each row, by reference, with a constant number of queries."""
    values = _values([row.ref for row in rows])
    shown = [row for row in rows if may_see_budget(person, team=row.team)]
    shares = _shares(shown, quarter)
    return {row.ref: PortfolioMoney(value_usd=values.get(row.ref), budget_share=shares.get(row.ref)) for row in rows}


def _values(refs: Sequence[str]) -> dict[str, Decimal | None]:
    rows = RequestProjection.objects.filter(request__ref__in=refs).select_related("projection", "request")
    latest = rows.order_by("request_id", "-number").distinct("request_id")
    return {row.request.ref: _value(row.projection.document, row.projection.spec, row.option) for row in latest}


def _value(document: Mapping[str, Any], spec: Mapping[str, Any], option: str) -> Decimal | None:
    """The baseline gains nothing over itself, which is no value."""
    if option == (spec.get("value") or {}).get("baseline"):
        return None
    median = next((each["gain_usd"][MEDIAN] for each in document.get("worth", ()) if each["option"] == option), None)
    return None if median is None else Decimal(median)


def _shares(rows: Sequence[InPortfolio], quarter: Quarter) -> dict[str, Decimal]:
    """The share of each request in the budget of its team in US dollars; none without a budget.

    Of the ledgers, only the entries of these requests and those that change an allocation are read.
    """
    of_teams = {
        "account__center__team__slug__in": {row.team for row in rows},
        "account__center__level": CenterLevel.TEAM,
    }
    wanted = Q(request_ref__in=[row.ref for row in rows]) | Q(kind__in=OF_THE_ACCOUNT)
    found = LedgerEntry.objects.filter(wanted, **of_teams, account__quarter=str(quarter), account__unit=BudgetUnit.USD)
    entries: dict[str, list[LedgerLine]] = defaultdict(list)
    for entry in found.select_related("account__center__team").order_by("pk"):
        team = entry.account.center.team
        entries[team.slug if team else ""].append(entry_of(entry))
    given = {team: ledger.balance(lines).budget for team, lines in entries.items()}
    held = {team: holdings(lines) for team, lines in entries.items()}
    return {
        row.ref: held[row.team].get(row.ref, Holding()).used / given[row.team]
        for row in rows
        if given.get(row.team, 0) > 0
    }


@dataclass(frozen=True)
class OpenAccount:
    """An account of a team, with its balance, and what each request of the portfolio holds on it."""

    account: BudgetAccount
    holdings: Mapping[str | None, Holding]
    balance: Balance

    @property
    def unit(self) -> str:
        """The unit in words."""
        return str(BudgetUnit(self.account.unit).label)

    @property
    def name(self) -> str:
        """The name, with the slug, because names of centers may repeat."""
        center = self.account.center
        return f"{center.name} ({center.slug}) {self.account.quarter} {self.unit}"

    def billed(self, ref: str) -> float:
        """What was billed of a request so far."""
        return float(max(self.holdings.get(ref, Holding()).counted, Decimal(0)))

    def held(self, ref: str) -> float:
        """What is reserved, committed or billed for a request."""
        return float(max(self.holdings.get(ref, Holding()).used, Decimal(0)))

    @property
    def available(self) -> float:
        """What no request holds."""
        return float(self.balance.available)


def accounts_of(rows: Sequence[InPortfolio], *, quarter: Quarter) -> dict[tuple[str, str], OpenAccount]:
    """The accounts of the teams of the requests in the quarter, by team and unit."""
    teams, refs = {row.team for row in rows}, [row.ref for row in rows]
    accounts = BudgetAccount.objects.filter(center__team__slug__in=teams, quarter=str(quarter))
    found = list(accounts.filter(center__level=CenterLevel.TEAM).select_related("center__team").order_by("pk"))
    entries: dict[int, list[LedgerLine]] = defaultdict(list)
    for entry in LedgerEntry.objects.filter(account__in=found, request_ref__in=refs).order_by("pk"):
        entries[entry.account_id].append(entry_of(entry))
    views = budgets.accounts(teams=sorted(teams), quarter=str(quarter))
    balances = {(view.team, view.unit): view.balance for view in views}
    return {
        (account.center.team.slug, account.unit): OpenAccount(
            account, holdings(entries[account.pk]), balances[account.center.slug, account.unit]
        )
        for account in found
        if account.center.team is not None
    }
