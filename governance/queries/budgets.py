"""Reads of the budget ledger: what is available now, and after this."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from governance.domain import ledger
from governance.domain.ledger import Balance, Entry, EntryKind
from governance.enums import Unit
from governance.models import BudgetAccount, LedgerEntry, Team


@dataclass(frozen=True)
class AccountView:
    """One account as a person sees it."""

    team: str
    team_name: str
    quarter: str
    unit: str
    balance: Balance


@dataclass(frozen=True)
class Effect:
    """What approving a request would do to one account; `available` counts the request's own reservation as free."""

    unit: str
    quarter: str
    allocated: Decimal
    available: Decimal
    amount: Decimal
    after: Decimal
    reserved_by_others: Decimal
    committed: Decimal
    is_affordable: bool


def entries_of(account: BudgetAccount) -> list[Entry]:
    """The account's bookings in order, as the ledger's arithmetic takes them."""
    return [_entry(row) for row in account.entries.order_by("pk")]


def _entry(row: LedgerEntry) -> Entry:
    return Entry(kind=EntryKind(row.kind), amount=row.amount, request_ref=row.request_ref or None, key=row.key)


def lock_accounts(which: Q) -> list[BudgetAccount]:
    """Accounts in the one order in which everybody locks them, so that no two bookings wait for each other."""
    wanted = list(BudgetAccount.objects.filter(which).values_list("pk", flat=True))
    return list(BudgetAccount.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))


def lock_touched(*, ref: str, team: Team, quarter: str) -> list[BudgetAccount]:
    """Lock every account that settling the request may book on; ask before the first audit event of a transaction."""
    return lock_accounts(Q(entries__request_ref=ref) | Q(team=team, quarter=quarter))


def accounts(*, teams: list[str] | None, quarter: str | None = None) -> list[AccountView]:
    """Accounts of the named teams (None: of all), latest quarter first."""
    rows = BudgetAccount.objects.select_related("team").order_by("-quarter", "team__name", "unit")
    if teams is not None:
        rows = rows.filter(team__slug__in=teams)
    if quarter:
        rows = rows.filter(quarter=quarter)
    booked: dict[int, list[Entry]] = defaultdict(list)
    for entry in LedgerEntry.objects.filter(account__in=rows.order_by()).order_by("pk"):
        booked[entry.account_id].append(_entry(entry))
    return [
        AccountView(row.team.slug, row.team.name, row.quarter, row.unit, ledger.balance(booked[row.pk])) for row in rows
    ]


def effect(*, team: Team, quarter: str, unit: Unit, amount: Decimal, ref: str) -> Effect:
    """What committing `amount` for the request `ref` would leave in the account."""
    account = BudgetAccount.objects.filter(team=team, quarter=quarter, unit=unit).first()
    entries = entries_of(account) if account else []
    balance = ledger.balance(entries)
    own = ledger.reserved_by(entries, ref=ref)
    available = balance.available + own
    return Effect(
        unit=unit.value,
        quarter=quarter,
        allocated=balance.allocated,
        available=available,
        amount=amount,
        after=available - amount,
        reserved_by_others=ledger.reserved_by_others(entries, ref=ref),
        committed=balance.committed,
        is_affordable=available >= amount,
    )
