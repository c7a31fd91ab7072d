"""Writes of the budget ledger. Every booking locks its accounts first, so two approvals never spend the same money."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance import audit
from governance.domain import ledger
from governance.domain.ledger import EntryKind
from governance.domain.money import CENT
from governance.domain.quarters import Quarter
from governance.domain.refusals import Invalid
from governance.enums import Unit
from governance.models import BudgetAccount, LedgerEntry, Team
from governance.queries.budgets import entries_of, lock_accounts, lock_touched
from governance.queries.people import person_of
from governance.rules import check_allocate_budget

AMOUNT_BELOW = 10**14  # sixteen digits, two of them after the point


def allocate(
    *, team: Team, quarter: str, unit: Unit, amount: Decimal, key: str, by: User, now: datetime
) -> LedgerEntry:
    """Give a team something to spend; the same `key` again is the same allocation."""
    check_allocate_budget(person_of(by))
    Quarter.parse(quarter)
    _check_amount(amount)
    with transaction.atomic():
        account, _ = BudgetAccount.objects.get_or_create(team=team, quarter=quarter, unit=unit)
        BudgetAccount.objects.select_for_update().get(pk=account.pk)
        known = LedgerEntry.objects.filter(key=key).first()
        return known or _book(account, EntryKind.ALLOCATE, amount, "", key, by, now)


def reserve(
    *, team: Team, quarter: str, amounts: Mapping[Unit, Decimal], ref: str, key: str, by: User, now: datetime
) -> None:
    """Set amounts aside for a request under review; refused, with the figures, where they are not available."""
    with transaction.atomic():
        for account, amount in _locked(team, quarter, amounts):
            balance = ledger.balance(entries_of(account))
            ledger.check_available(balance, amount=amount, unit=account.unit, account=str(account))
            _book(account, EntryKind.RESERVE, amount, ref, f"{key}:reserve:{account.unit}", by, now)


def commit(
    *, team: Team, quarter: str, amounts: Mapping[Unit, Decimal], ref: str, key: str, by: User, now: datetime
) -> None:
    """Turn what was reserved for a request into a commitment of `amounts`, in the caller's transaction."""
    with transaction.atomic():
        lock_touched(ref=ref, team=team, quarter=quarter)
        _release_reserved(ref, key, by, now)
        for account, amount in _locked(team, quarter, amounts):
            balance = ledger.balance(entries_of(account))
            ledger.check_available(balance, amount=amount, unit=account.unit, account=str(account))
            _book(account, EntryKind.COMMIT, amount, ref, f"{key}:commit:{account.unit}", by, now)


def release(*, ref: str, key: str, by: User | None, now: datetime) -> None:
    """Give back whatever is still reserved for a request."""
    with transaction.atomic():
        _release_reserved(ref, key, by, now)


def _release_reserved(ref: str, key: str, by: User | None, now: datetime) -> None:
    for account in lock_accounts(Q(entries__request_ref=ref)):
        reserved = ledger.reserved_by(entries_of(account), ref=ref)
        if reserved > 0:
            _book(account, EntryKind.RELEASE, reserved, ref, f"{key}:release:{account.pk}", by, now)


def _locked(team: Team, quarter: str, amounts: Mapping[Unit, Decimal]) -> list[tuple[BudgetAccount, Decimal]]:
    wanted = {unit: amount for unit, amount in amounts.items() if amount > 0}
    found = {Unit(account.unit): account for account in lock_accounts(Q(team=team, quarter=quarter, unit__in=wanted))}
    for unit, amount in wanted.items():
        if unit not in found:
            raise Invalid(
                f"{team.name} has no {unit.label} budget for {quarter}, and this request needs {amount:,}. "
                "Ask finance to allocate one.",
                code="no_budget",
            )
    return [(account, wanted[unit]) for unit, account in found.items()]


def _check_amount(amount: Decimal) -> None:
    if not amount.is_finite() or not 0 < amount < AMOUNT_BELOW:
        raise Invalid(f"The amount must be more than zero and less than {AMOUNT_BELOW:,}.", field="amount")
    if amount != amount.quantize(CENT):
        raise Invalid("The amount has more than two decimals; the ledger keeps whole hundredths.", field="amount")


def _book(
    account: BudgetAccount, kind: EntryKind, amount: Decimal, ref: str, key: str, by: User | None, now: datetime
) -> LedgerEntry:
    entry = LedgerEntry.objects.create(
        account=account, kind=kind.value, amount=amount, request_ref=ref, key=key, booked_by=by, booked_at=now
    )
    details = {"amount": str(amount), "unit": account.unit, "request": ref}
    audit.record(kind=f"budget.{kind.value}", by=by, subject=("budget", str(account)), details=details, now=now)
    return entry
