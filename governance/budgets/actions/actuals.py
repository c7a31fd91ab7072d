"""Books billed amounts on the ledger: draws down commitments, and raises findings for overruns."""

from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.domain import actuals, ledger
from governance.budgets.domain import quarter_forecast as outlook
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.amounts import check_hundredths
from governance.budgets.domain.ledger import BudgetMode, LedgerLine
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import entries_of, lock_accounts
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from weighbridge.core.money import format_amount


def book_actual(
    *, account: BudgetAccount, stated: Stated, key: str, source: str = "", by: User | None, now: datetime
) -> LedgerEntry:
    """Set the total cost of a month on an account, for a request or without one.

    The first bill of a month is booked as an actual, a restatement as a correction by the difference, and an estimate
    as an accrual until the bill arrives. Amounts with a request draw on its commitment. A repeated `key` books nothing
    new. The caller checks the permission; `by` None is the system. To book on several accounts, lock them in the order
    of their IDs.
    """
    actuals.check_period(stated.period)
    check_hundredths(stated.amount)
    with transaction.atomic():
        (row,) = lock_accounts(Q(pk=account.pk))
        existing = LedgerEntry.objects.filter(key=key).first()
        if existing is not None:
            return existing
        entries = entries_of(row)
        new = actuals.restate(entries, stated=stated, key=key)
        booked = [bookings.book(account=row, entry=entry, note=source, by=by, now=now) for entry in new]
        if row.mode != BudgetMode.OFF:
            _raise_overrun_findings(row, [*entries, *new], stated, by, now)
    return booked[-1]


def _raise_overrun_findings(
    account: BudgetAccount, entries: list[LedgerLine], stated: Stated, by: User | None, now: datetime
) -> None:
    tolerance = account.tolerance_percent
    if stated.request_ref:
        holding = ledger.holding_of(entries, ref=stated.request_ref)
        if outlook.overrun(holding, tolerance_percent=tolerance) > 0:
            subject = f"{stated.request_ref} on {account}"
            text = _overrun_text("committed", account, granted=holding.committed, spent=holding.spent)
            key = f"budget.overrun:{stated.request_ref}:{account.pk}"
            findings.raise_once(sighting=_sighting(subject, text, stated, key), by=by, now=now)
    balance = ledger.balance(entries)
    over = outlook.excess(granted=balance.allocated, spent=balance.spent, tolerance_percent=tolerance)
    if over > 0:
        text = _overrun_text("allocated", account, granted=balance.allocated, spent=balance.spent)
        sighting = _sighting(str(account), text, stated, f"budget.overrun:{account.pk}")
        findings.raise_once(sighting=sighting, by=by, now=now)


def _overrun_text(what: str, account: BudgetAccount, *, granted: Decimal, spent: Decimal) -> str:
    unit = account.unit
    return (
        f"{format_amount(spent, unit=unit)} was billed or accrued, and {format_amount(granted, unit=unit)} is {what}: "
        f"{format_amount(spent - granted, unit=unit)} more, which is above the tolerance of "
        f"{account.tolerance_percent} %."
    )


def _sighting(subject: str, text: str, stated: Stated, key: str) -> Sighting:
    return Sighting(
        kind="budget.overrun",
        subject=subject,
        text=text,
        severity=Severity.HIGH,
        source=f"bills of {stated.period}",
        key=key,
    )
