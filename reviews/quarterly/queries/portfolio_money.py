"""What the requests of a portfolio gain in US dollars, and how much of their team's budget they hold."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from governance.budgets.domain import ledger
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import LedgerLine
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import LedgerEntry
from governance.budgets.queries.budgets import entry_of
from governance.budgets.rules import may_see_budget
from governance.people.domain.roles import Person
from reviews.evidence.models import RequestProjection
from reviews.quarterly.queries.portfolio import PortfolioRow

MEDIAN = "p50"


@dataclass(frozen=True, kw_only=True)
class PortfolioMoney:
    """The money of a request, each None if it is not known, or not for the reader.

    `value_usd` is the median gain of one year over the baseline of its projection. `budget_share` is the share of 1 of
    the team's budget in US dollars that it holds in the quarter: reserved, committed or billed.
    """

    value_usd: Decimal | None = None
    budget_share: Decimal | None = None


def money_of(rows: Sequence[PortfolioRow], *, quarter: Quarter, person: Person) -> dict[str, PortfolioMoney]:
    """The money of each row, by reference, with a constant number of queries."""
    values = _values([row.ref for row in rows])
    teams = {row.team for row in rows if may_see_budget(person, team=row.team)}
    entries = _entries(teams, quarter)
    return {
        row.ref: PortfolioMoney(value_usd=values.get(row.ref), budget_share=_share(entries[row.team], row.ref))
        for row in rows
    }


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


def _entries(teams: set[str], quarter: Quarter) -> Mapping[str, Sequence[LedgerLine]]:
    """The ledger of the account of each team in US dollars."""
    of_teams = {"account__center__team__slug__in": teams, "account__center__level": CenterLevel.TEAM}
    rows = LedgerEntry.objects.filter(**of_teams, account__quarter=str(quarter), account__unit=BudgetUnit.USD)
    found: dict[str, list[LedgerLine]] = defaultdict(list)
    for row in rows.select_related("account__center__team").order_by("pk"):
        team = row.account.center.team
        found[team.slug if team else ""].append(entry_of(row))
    return found


def _share(entries: Sequence[LedgerLine], ref: str) -> Decimal | None:
    """None without a budget."""
    budget = ledger.balance(entries).budget
    return ledger.holding_of(entries, ref=ref).used / budget if budget > 0 else None
