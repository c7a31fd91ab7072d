"""Writing one line of the ledger; every other write of a budget goes through here. The caller holds the
account locked.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.budgets.domain import delegation as handing_out
from governance.budgets.domain import ledger
from governance.budgets.domain.ledger import Balance, BudgetMode, LedgerLine, check_entry
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balance_of
from governance.budgets.queries.cost_centers import account_above
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity

NOTE_CHARS_MAX = 200


def book(*, account: BudgetAccount, entry: LedgerLine, note: str = "", by: User | None, now: datetime) -> LedgerEntry:
    """Book an entry on an account the caller holds locked; the database refuses the same key twice."""
    check_entry(entry)
    with transaction.atomic():
        row = LedgerEntry.objects.create(
            account=account,
            kind=entry.kind.value,
            amount=entry.amount,
            request_ref=entry.request_ref or "",
            is_commitment=entry.is_commitment,
            period=entry.period,
            key=entry.key,
            note=note[:NOTE_CHARS_MAX],
            booked_by=by,
            booked_at=now,
        )
        details = {"amount": str(entry.amount), "unit": account.unit, "request": entry.request_ref or ""}
        if entry.period:
            details["period"] = entry.period
        audit.record(
            kind=f"budget.{entry.kind.value}", by=by, subject=("budget", str(account)), details=details, now=now
        )
    return row


def book_checked(*, account: BudgetAccount, entry: LedgerLine, by: User, now: datetime) -> LedgerEntry:
    """Book what takes from the account if it can bear it; where it only observes, book it all the same and tell."""
    ledger.check_open(is_closed=account.closed_at is not None, account=str(account))
    balance = balance_of(account)
    if account.mode == BudgetMode.ENFORCE:
        ledger.check_available(balance, amount=entry.amount, unit=account.unit, account=str(account))
    with transaction.atomic():
        row = book(account=account, entry=entry, by=by, now=now)
        if account.mode == BudgetMode.OBSERVE and entry.amount > balance.available:
            why = "The account only observes, so it was booked."
            findings.raise_once(sighting=_seen(account, balance, entry, why), by=by, now=now)
    return row


def book_planned(*, account: BudgetAccount, entry: LedgerLine, by: User, now: datetime) -> LedgerEntry:
    """Book what an approval takes from a quarter to come: never refused, and told where it is more than was given
    there.

    Nothing is told of an account that was given nothing yet: its quarter is not budgeted.
    """
    balance = balance_of(account)
    with transaction.atomic():
        row = book(account=account, entry=entry, by=by, now=now)
        if account.mode != BudgetMode.OFF and balance.allocated > 0 and entry.amount > balance.available:
            why = "Its quarter is yet to come, so it was planned."
            findings.raise_once(sighting=_seen(account, balance, entry, why), by=by, now=now)
    return row


def book_given(*, account: BudgetAccount, entry: LedgerLine, by: User, now: datetime) -> LedgerEntry:
    """Book what an account is given or, below zero, loses, if it and the account above can bear that."""
    ledger.check_open(is_closed=account.closed_at is not None, account=str(account))
    unit = account.unit
    handing_out.check_keeps(
        balance_of(account, as_given=True),
        amount=entry.amount,
        unit=unit,
        account=str(account),
        enforces=account.mode == BudgetMode.ENFORCE,
    )
    above = account_above(account) if entry.amount > 0 else None
    if above is not None:
        enforces = above.mode == BudgetMode.ENFORCE
        handing_out.check_hands_out(
            balance_of(above), amount=entry.amount, unit=unit, account=str(above), enforces=enforces
        )
    return book(account=account, entry=entry, by=by, now=now)


def _seen(account: BudgetAccount, balance: Balance, entry: LedgerLine, why: str) -> Sighting:
    said = ledger.too_much(balance, amount=entry.amount, unit=account.unit, account=str(account))
    return Sighting(
        kind="budget.observed",
        subject=f"{entry.request_ref} on {account}",
        text=f"{said} {why}",
        severity=Severity.MEDIUM,
        source=f"{entry.kind.value} of {entry.request_ref}",
        key=f"budget.observed:{entry.key}",
    )
