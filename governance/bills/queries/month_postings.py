"""Reads for the ledger: the amounts of bill lines by month, team, unit and request, compared with the ledger."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum

from governance.bills.domain.currencies import Amount, convert
from governance.bills.models import MonthSum
from governance.bills.queries.spend import all_rates
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import SPENT, EntryKind
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import lock_accounts

CLOSED_LATELY = timedelta(days=7)
Key = tuple[date, int, str]  # month, team, request


@dataclass(frozen=True)
class Posting:
    """The cost of a month for a team in one unit, for one request or without a request. `stated` is the amount in the
    ledger so far.
    """

    team: str
    unit: BudgetUnit
    period: str
    request_ref: str
    amount: Decimal
    account: BudgetAccount | None
    stated: Decimal | None

    def __str__(self) -> str:
        """The posting as text for audit events."""
        return f"{self.team} {self.unit} {self.period}"


def postings(*, months: Sequence[date]) -> list[Posting]:
    """All postings that these months need, with the accounts locked in the common order.

    A posted month without any lines left is posted as zero.
    """
    accounts = {(row.center.team_id, row.quarter, row.unit): row for row in lock_team_accounts(months=months)}
    # Read the lines after the locks: otherwise a bill that is stored meanwhile is in the ledger but not in the sums.
    sums, names = _sums(months)
    stated = _stated(accounts.values(), months)
    postings_found = []
    for (month, team, ref), (usd, hours) in sorted(sums.items()):
        for unit, amount in ((BudgetUnit.USD, usd), (BudgetUnit.GPU_H, hours)):
            account = accounts.get((team, str(Quarter.of(month)), unit.value))
            posted_amount = stated.pop((account.pk, f"{month:%Y-%m}", ref), None) if account else None
            if amount or posted_amount is not None:
                postings_found.append(Posting(names[team], unit, f"{month:%Y-%m}", ref, amount, account, posted_amount))
    by_pk = {row.pk: row for row in accounts.values()}
    for (pk, period, ref), posted_amount in sorted(stated.items()):
        row = by_pk[pk]
        postings_found.append(
            Posting(row.center.slug, BudgetUnit(row.unit), period, ref, Decimal(0), row, posted_amount)
        )
    return sorted(postings_found, key=lambda one: one.account.pk if one.account else 0)


def lock_team_accounts(*, months: Iterable[date]) -> list[BudgetAccount]:
    """Lock the accounts of all teams for the quarters of these months, in the common order."""
    quarters = {str(Quarter.of(month)) for month in months}
    return lock_accounts(Q(center__level=CenterLevel.TEAM.value, quarter__in=quarters))


def months_to_post(*, now: datetime) -> list[date]:
    """The months that have started, of the quarters with an account that is open or was closed within a week.

    A bill may have arrived before the account, which is closed at once if its quarter is over.
    """
    usable = Q(closed_at=None) | Q(closed_at__gte=now - CLOSED_LATELY)
    quarters = BudgetAccount.objects.filter(usable).values_list("quarter", flat=True).distinct()
    months = sorted(month for quarter in quarters for month in Quarter.parse(quarter).months)
    return [month for month in months if month <= now.date()]


def _sums(months: Sequence[date]) -> tuple[dict[Key, tuple[Decimal, Decimal]], dict[int, str]]:
    """US dollars and GPU hours by month of consumption, team and request; and the slugs of the teams."""
    rates, sums, names = all_rates(), {}, {}
    fields = ("month", "rule__team", "rule__team__slug", "rule__request_ref", "currency")
    allocated = MonthSum.objects.filter(rule__isnull=False, month__in=months).order_by()
    by_key: dict[Key, list[Mapping[str, Any]]] = defaultdict(list)
    for row in allocated.values(*fields).annotate(cost=Sum("effective"), hours=Sum("gpu_hours")):
        by_key[(row["month"], row["rule__team"], row["rule__request_ref"])].append(row)
        names[row["rule__team"]] = row["rule__team__slug"]
    for key, rows in by_key.items():
        amounts = [Amount.of_month(row["currency"], row["month"], row["cost"]) for row in rows]
        hours = sum((row["hours"] for row in rows), Decimal(0))
        sums[key] = (convert(amounts, rates).usd, hours)
    return sums, names


def _stated(accounts: Iterable[BudgetAccount], months: Sequence[date]) -> dict[tuple[int, str, str], Decimal]:
    """The billed amounts in the ledger for the months, without estimates."""
    kinds = [kind.value for kind in SPENT if kind is not EntryKind.ACCRUAL]
    periods = [f"{month:%Y-%m}" for month in months]
    rows = LedgerEntry.objects.filter(account__in=list(accounts), kind__in=kinds, period__in=periods).order_by()
    sums = rows.values("account", "period", "request_ref").annotate(amount=Sum("amount"))
    return {(row["account"], row["period"], row["request_ref"]): row["amount"] for row in sums}
