"""Writes of the budget ledger. Each locks its accounts first, so that two approvals cannot spend the same money."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.budgets.actions import budget_changes, cost_centers
from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.actions.wishes import Allocation
from governance.budgets.domain import ledger
from governance.budgets.domain.amounts import check_amount
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import EntryKind, LedgerLine
from governance.budgets.domain.quarters import Quarter
from governance.budgets.domain.second_person import MoneyStep, reasons_for_second_person, sentence_of
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.budgets.queries.budgets import entries_of, lock_accounts, lock_touched, of_team, team_of
from governance.budgets.queries.cost_centers import account_above, largest_allocation, upwards
from governance.budgets.queries.cost_centers import of_team as of_team_center
from governance.budgets.rules import check_allocate_budget
from governance.people.approvals.models import Change
from governance.people.domain.reasons import check_reason
from governance.people.models import Team
from governance.people.queries.membership import team_slugs_of
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid


def allocate(
    *,
    holder: Team | CostCenter,
    quarter: str,
    unit: BudgetUnit,
    amount: Decimal,
    key: str,
    reason: str = "",
    by: User,
    now: datetime,
) -> LedgerEntry | Change:
    """Allocate a budget to a team or another cost center, if the account above it has that much left.

    Propose it, for the reason, if it takes a second person. A repeated `key` allocates nothing new.
    """
    check_allocate_budget(person_of(by))
    Quarter.parse(quarter).check_near(now.date())
    check_amount(amount)
    with transaction.atomic():
        center = holder if isinstance(holder, CostCenter) else _center_of(holder, quarter, unit, by, now)
        # Lock earlier accounts too: an approval locks them while it opens later ones, which could cause a deadlock.
        lock_accounts(Q(center__in=upwards(center), unit=unit, quarter__lte=quarter))
        account = _opened(center, quarter, unit)
        above = account_above(account)
        lock_accounts(Q(pk__in=[account.pk, *([above.pk] if above else [])]))
        existing = LedgerEntry.objects.filter(key=key).first()
        if existing is not None:
            return existing
        reasons = reasons_for_second_person(_step(account, amount, by, now))
        if reasons:
            check_reason(reason, why=sentence_of(reasons))
            wish = Allocation(account=account, amount=amount)
            return budget_changes.propose(wish=wish, reason=reason, by=by, now=now)
        entry = LedgerLine(EntryKind.ALLOCATE, amount, None, key)
        return bookings.book_allocation(account=account, entry=entry, by=by, now=now)


def reserve(
    *,
    team: Team,
    quarter: str,
    amounts: Mapping[BudgetUnit, Decimal],
    superseded: Collection[str] = (),
    ref: str,
    key: str,
    by: User,
    now: datetime,
) -> None:
    """Reserve amounts for a request under review. Raises WrongState, with the amounts, if they are not available.

    An approval releases what the `superseded` requests still have committed, so only the rest is reserved.
    """
    with transaction.atomic():
        for account, amount in _locked(team, quarter, amounts):
            rest = amount - ledger.open_of(entries_of(account, refs=superseded), refs=superseded)
            if rest > 0:
                entry = LedgerLine(EntryKind.RESERVE, rest, ref, f"{key}:reserve:{account.unit}")
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

    `later` are the amounts of later quarters, planned on the accounts of those quarters, which are opened if needed.
    """
    with transaction.atomic():
        lock_touched(refs=[ref], team=team, quarter=quarter)
        _give_back(ref, key, by, now, is_commitment=False)
        for account, amount in _locked(team, quarter, amounts):
            entry = LedgerLine(EntryKind.COMMIT, amount, ref, f"{key}:commit:{account.unit}")
            bookings.book_checked(account=account, entry=entry, by=by, now=now)
        if later:
            center = cost_centers.open_for_team(team=team, by=by, now=now)
            for to_come, planned in sorted(later.items()):
                _plan(center, to_come, planned, ref, key, by, now)


def release(*, ref: str, key: str, by: User | None, now: datetime) -> None:
    """Release the remaining reservations of a request."""
    with transaction.atomic():
        _give_back(ref, key, by, now, is_commitment=False)


def release_commitment(
    *, ref: str, key: str, kind: EntryKind = EntryKind.RELEASE, by: User | None, now: datetime
) -> None:
    """Release the unbilled part of a request's commitments. Idempotent.

    `kind` is `expire` if the authorization expired. On a closed account the released amount stays unused.
    """
    with transaction.atomic():
        _give_back(ref, key, by, now, kind=kind, is_commitment=True)


def _step(account: BudgetAccount, amount: Decimal, by: User, now: datetime) -> MoneyStep:
    return MoneyStep(
        own_teams=team_slugs_of(person_of(by), now=now),
        raised_teams={team_of(account)},
        amount=amount,
        usual=largest_allocation(account.center, unit=account.unit),
    )


def _center_of(team: Team, quarter: str, unit: BudgetUnit, by: User, now: datetime) -> CostCenter:
    if of_team_center(team) is None:
        # Lock this before the head of the audit chain, which opening a center under the organization locks.
        lock_accounts(Q(center__level=CenterLevel.ORGANIZATION.value, quarter__lte=quarter, unit=unit))
    return cost_centers.open_for_team(team=team, by=by, now=now)


def _plan(
    center: CostCenter, quarter: str, amounts: Mapping[BudgetUnit, Decimal], ref: str, key: str, by: User, now: datetime
) -> None:
    for unit in sorted(unit for unit, amount in amounts.items() if amount > 0):
        account = _opened(center, quarter, unit)
        entry = LedgerLine(EntryKind.PLAN, amounts[unit], ref, f"{key}:plan:{quarter}:{unit}")
        bookings.book_planned(account=account, entry=entry, by=by, now=now)


def _opened(center: CostCenter, quarter: str, unit: BudgetUnit) -> BudgetAccount:
    """The account. A new one gets the terms of the latest account of the same center and unit."""
    last = BudgetAccount.objects.filter(center=center, unit=unit, quarter__lt=quarter).order_by("-quarter").first()
    terms = {"mode": last.mode, "tolerance_percent": last.tolerance_percent} if last else {}
    account, _ = BudgetAccount.objects.get_or_create(center=center, quarter=quarter, unit=unit, defaults=terms)
    return account


def _give_back(
    ref: str, key: str, by: User | None, now: datetime, *, kind: EntryKind = EntryKind.RELEASE, is_commitment: bool
) -> None:
    for account in lock_accounts(Q(entries__request_ref=ref)):
        own, booked = f"{key}:{kind.value}:{account.pk}", entries_of(account, refs=[ref])
        for entry in ledger.release_entry(booked, ref=ref, key=own, kind=kind, is_commitment=is_commitment):
            bookings.book(account=account, entry=entry, by=by, now=now)


def _locked(team: Team, quarter: str, amounts: Mapping[BudgetUnit, Decimal]) -> list[tuple[BudgetAccount, Decimal]]:
    wanted = {unit: amount for unit, amount in amounts.items() if amount > 0}
    rows = lock_accounts(of_team(team=team, quarter=quarter) & Q(unit__in=wanted))
    account_by_unit = {BudgetUnit(account.unit): account for account in rows}
    for unit, amount in wanted.items():
        if unit not in account_by_unit:
            missing = f"{team.name} has no {unit.label} budget for {quarter}, and this request needs {amount:,}."
            raise Invalid(f"{missing} Ask finance to allocate one.", code="no_budget")
    return [(account, wanted[unit]) for unit, account in account_by_unit.items()]
