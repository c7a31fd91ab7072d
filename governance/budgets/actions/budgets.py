"""Writes of the budget ledger. Each function locks its accounts first, so that two approvals cannot spend the same
money.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.budgets.actions import cost_centers
from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.domain import ledger
from governance.budgets.domain.amounts import check_amount
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode, EntryKind, LedgerLine
from governance.budgets.domain.quarter_forecast import TOLERANCE_PERCENT
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.budgets.queries.budgets import entries_of, lock_accounts, lock_touched, of_team
from governance.budgets.queries.cost_centers import account_above, upwards
from governance.budgets.queries.cost_centers import of_team as of_team_center
from governance.budgets.rules import check_allocate_budget
from governance.people.models import Team
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid


def allocate(
    *, team: Team, quarter: str, unit: BudgetUnit, amount: Decimal, key: str, by: User, now: datetime
) -> LedgerEntry:
    """Allocate a budget to a team. A repeated `key` allocates nothing new."""
    check_allocate_budget(person_of(by))
    Quarter.parse(quarter)
    check_amount(amount)
    with transaction.atomic():
        if of_team_center(team) is None:
            # Lock this before the head of the audit chain, which opening a center locks: a new center is under the
            # organization.
            lock_accounts(Q(center__level=CenterLevel.ORGANIZATION.value, quarter__lte=quarter, unit=unit))
        center = cost_centers.open_for_team(team=team, by=by, now=now)
        return allocate_to(center=center, quarter=quarter, unit=unit, amount=amount, key=key, by=by, now=now)


def allocate_for(
    *, holder: Team | CostCenter, quarter: str, unit: BudgetUnit, amount: Decimal, key: str, by: User, now: datetime
) -> LedgerEntry:
    """Allocate a budget to a team or to another cost center."""
    if isinstance(holder, Team):
        return allocate(team=holder, quarter=quarter, unit=unit, amount=amount, key=key, by=by, now=now)
    return allocate_to(center=holder, quarter=quarter, unit=unit, amount=amount, key=key, by=by, now=now)


def allocate_to(
    *, center: CostCenter, quarter: str, unit: BudgetUnit, amount: Decimal, key: str, by: User, now: datetime
) -> LedgerEntry:
    """Allocate a budget to a cost center, if the account above it has that much left."""
    check_allocate_budget(person_of(by))
    Quarter.parse(quarter)
    check_amount(amount)
    with transaction.atomic():
        # Lock earlier accounts too: an approval locks them while it opens later ones, which could cause a
        # deadlock.
        lock_accounts(Q(center__in=upwards(center), unit=unit, quarter__lte=quarter))
        account = _opened(center, quarter, unit)
        above = account_above(account)
        lock_accounts(Q(pk__in=[account.pk, *([above.pk] if above else [])]))
        existing = LedgerEntry.objects.filter(key=key).first()
        if existing is not None:
            return existing
        ledger.check_open(is_closed=account.closed_at is not None, account=str(account))
        return bookings.book_allocation(
            account=account, entry=LedgerLine(EntryKind.ALLOCATE, amount, None, key), by=by, now=now
        )


def reserve(
    *, team: Team, quarter: str, amounts: Mapping[BudgetUnit, Decimal], ref: str, key: str, by: User, now: datetime
) -> None:
    """Reserve amounts for a request under review. Raises WrongState, with the amounts, if they are not available."""
    with transaction.atomic():
        for account, amount in _locked(team, quarter, amounts):
            entry = LedgerLine(EntryKind.RESERVE, amount, ref, f"{key}:reserve:{account.unit}")
            bookings.book_checked(account=account, entry=entry, by=by, now=now)


def commit(
    *,
    team: Team,
    quarter: str,
    amounts: Mapping[BudgetUnit, Decimal],
    ref: str,
    key: str,
    by: User,
    now: datetime,
    later: Mapping[str, Mapping[BudgetUnit, Decimal]] = MappingProxyType({}),
) -> None:
    """Replace the reservation of a request with a commitment of `amounts`, in the caller's transaction.

    `later` are the amounts in later quarters. They are planned on the accounts of those quarters, which are opened if
    needed.
    """
    with transaction.atomic():
        lock_touched(refs=[ref], team=team, quarter=quarter)
        _release_reserved(ref, key, by, now)
        for account, amount in _locked(team, quarter, amounts):
            entry = LedgerLine(EntryKind.COMMIT, amount, ref, f"{key}:commit:{account.unit}")
            bookings.book_checked(account=account, entry=entry, by=by, now=now)
        for to_come, planned in sorted(later.items()):
            _plan(team, to_come, planned, ref, key, by, now)


def release(*, ref: str, key: str, by: User | None, now: datetime) -> None:
    """Release the remaining reservations of a request."""
    with transaction.atomic():
        _release_reserved(ref, key, by, now)


def release_commitment(
    *, ref: str, key: str, kind: EntryKind = EntryKind.RELEASE, by: User | None, now: datetime
) -> None:
    """Release the unbilled part of a request's commitments.

    Idempotent. `kind` is `release`, or `expire` if the authorization expired. On a closed account the released amount
    stays unused.
    """
    with transaction.atomic():
        for account in lock_accounts(Q(entries__request_ref=ref)):
            own = f"{key}:{kind.value}:{account.pk}"
            for entry in ledger.release_entry(entries_of(account), ref=ref, key=own, kind=kind):
                bookings.book(account=account, entry=entry, by=by, now=now)


def _plan(
    team: Team, quarter: str, amounts: Mapping[BudgetUnit, Decimal], ref: str, key: str, by: User, now: datetime
) -> None:
    center = cost_centers.open_for_team(team=team, by=by, now=now)
    for unit in sorted(unit for unit, amount in amounts.items() if amount > 0):
        account = _opened(center, quarter, unit)
        entry = LedgerLine(EntryKind.PLAN, amounts[unit], ref, f"{key}:plan:{quarter}:{unit}")
        bookings.book_planned(account=account, entry=entry, by=by, now=now)


def _opened(center: CostCenter, quarter: str, unit: BudgetUnit) -> BudgetAccount:
    """The account. A new one gets the terms of the latest account of the same center and unit."""
    last = BudgetAccount.objects.filter(center=center, unit=unit, quarter__lt=quarter).order_by("-quarter").first()
    terms = {
        "mode": last.mode if last else BudgetMode.ENFORCE.value,
        "tolerance_percent": last.tolerance_percent if last else TOLERANCE_PERCENT,
    }
    account, _ = BudgetAccount.objects.get_or_create(center=center, quarter=quarter, unit=unit, defaults=terms)
    return account


def _release_reserved(ref: str, key: str, by: User | None, now: datetime) -> None:
    for account in lock_accounts(Q(entries__request_ref=ref)):
        reserved = ledger.reserved_by(entries_of(account), ref=ref)
        if reserved > 0:
            entry = LedgerLine(EntryKind.RELEASE, reserved, ref, f"{key}:release:{account.pk}")
            bookings.book(account=account, entry=entry, by=by, now=now)


def _locked(team: Team, quarter: str, amounts: Mapping[BudgetUnit, Decimal]) -> list[tuple[BudgetAccount, Decimal]]:
    wanted = {unit: amount for unit, amount in amounts.items() if amount > 0}
    rows = lock_accounts(of_team(team=team, quarter=quarter) & Q(unit__in=wanted))
    account_by_unit = {BudgetUnit(account.unit): account for account in rows}
    for unit, amount in wanted.items():
        if unit not in account_by_unit:
            raise Invalid(
                f"{team.name} has no {unit.label} budget for {quarter}, and this request needs {amount:,}. "
                "Ask finance to allocate one.",
                code="no_budget",
            )
    return [(account, wanted[unit]) for unit, account in account_by_unit.items()]
