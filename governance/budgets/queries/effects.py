"""The effect of a request on the budgets of its team."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance.budgets.domain import ledger
from governance.budgets.domain import quarter_forecast as outlook
from governance.budgets.domain.ledger import ZERO, Balance, Holding, LedgerLine
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balances, entry_of
from governance.people.models import Team

_Booked = tuple[BudgetAccount, Balance, list[LedgerLine]]
"""An account, its balance, and the entries of the requests that matter."""


@dataclass(frozen=True, kw_only=True)
class BudgetEffect:
    """The effect of a request on one account: of a possible approval or, if `is_booked`, of the actual one.

    `available` includes the amounts that the request itself holds; `committed` is the amount used otherwise. A possible
    approval also makes the `released` amount available, which the requests that it supersedes have committed. In a
    quarter that `is_later` than the decision, the amount is planned and never refused. `forecast` is for the end of the
    quarter, without the request until it is booked. `billed` is the billed part of the `granted` amount; `overrun` is
    the billed amount beyond the tolerance. `expired` is what was left of the `allocated` amount when the quarter was
    closed. `has_account` is False before the first entry of the account.
    """

    unit: str
    quarter: str
    mode: str
    allocated: Decimal
    expired: Decimal
    available: Decimal
    reserved_by_others: Decimal
    released: Decimal
    this: Decimal
    forecast: Decimal
    granted: Decimal
    billed: Decimal
    remaining: Decimal
    overrun: Decimal
    is_booked: bool
    is_later: bool
    has_account: bool

    @property
    def committed(self) -> Decimal:
        """The amount used by other requests and bills, without the released amount."""
        return self.allocated - self.expired - self.available - self.reserved_by_others - self.released

    @property
    def after(self) -> Decimal:
        """The amount available after the request."""
        return self.available + self.released - self.this

    @property
    def forecast_after(self) -> Decimal:
        """The forecast including the request, without the released amount."""
        return self.forecast if self.is_booked else self.forecast + self.this - self.released

    @property
    def is_affordable(self) -> bool:
        """Whether the account covers the request."""
        return self.is_booked or self.after >= 0


def effects(
    *,
    team: Team,
    ref: str,
    amounts: Mapping[str, Mapping[BudgetUnit, Decimal]] | None,
    superseded: Collection[str] = (),
    since: Quarter,
    today: date,
) -> tuple[BudgetEffect, ...]:
    """The effects of the request `ref` on the accounts of its team, by quarter and unit, without zero effects.

    `amounts` are the amounts of a possible approval, by quarter; None means the booked amounts. A possible approval
    releases what the `superseded` requests have committed. `since` is the quarter of the decision.
    """
    own = BudgetAccount.objects.filter(center__level="team", center__team=team)
    booked, ending = Q(entries__request_ref=ref), Q(entries__request_ref__in=superseded, quarter__gte=str(since))
    touched = own.filter(booked if amounts is None else ending).values("quarter")
    wanted = Q(quarter__in=list(amounts or ())) | Q(quarter__in=touched)
    accounts = _accounts(own.filter(wanted), refs={ref, *superseded})
    quarters = sorted({*(amounts or ()), *(quarter for quarter, _ in accounts)})
    budget_effects = []
    for quarter in quarters:
        for unit in BudgetUnit:
            none_yet: _Booked = (BudgetAccount(quarter=quarter, unit=unit.value), Balance(allocated=ZERO), [])
            account, balance, entries = accounts.get((quarter, unit.value), none_yet)
            amount = None if amounts is None else amounts.get(quarter, {}).get(unit, ZERO)
            held = ledger.holding_of(entries, ref=ref)
            released = ledger.open_of(entries, refs=superseded)
            effect = _effect(account, balance, held, amount=amount, released=released, since=since, today=today)
            budget_effects.append(effect)
    return tuple(each for each in budget_effects if each.this > 0 or each.released > 0)


def _accounts(own: QuerySet[BudgetAccount], *, refs: Collection[str]) -> dict[tuple[str, str], _Booked]:
    """Accounts of one team by quarter and unit, with their balances and the entries of these requests.

    An account opens with its first entry.
    """
    opened = Exists(LedgerEntry.objects.filter(account=OuterRef("pk")))
    accounts = {row.pk: row for row in own.filter(opened)}
    found = balances(list(accounts), quarters=sorted({row.quarter for row in accounts.values()}))
    entries = defaultdict[int, list[LedgerLine]](list)
    for row in LedgerEntry.objects.filter(account__in=accounts, request_ref__in=refs).order_by("pk"):
        entries[row.account_id].append(entry_of(row))
    return {(row.quarter, row.unit): (row, found[pk], entries[pk]) for pk, row in accounts.items()}


def _effect(
    account: BudgetAccount,
    balance: Balance,
    held: Holding,
    *,
    amount: Decimal | None,
    released: Decimal,
    since: Quarter,
    today: date,
) -> BudgetEffect:
    amount_taken = held.open + held.counted if amount is None else ZERO
    quarter = Quarter.parse(account.quarter)
    return BudgetEffect(
        unit=account.unit,
        quarter=account.quarter,
        mode=account.mode,
        allocated=balance.budget,
        expired=balance.expired,
        available=balance.available + held.reserved + amount_taken,
        reserved_by_others=balance.reserved - held.reserved,
        released=released,
        this=amount_taken if amount is None else amount,
        forecast=outlook.forecast(balance, quarter=quarter, today=today),
        granted=held.committed,
        billed=held.spent,
        remaining=held.open,
        overrun=outlook.overrun(held, tolerance_percent=account.tolerance_percent),
        is_booked=amount is None,
        is_later=account.quarter > str(since),
        has_account=account.pk is not None,
    )
