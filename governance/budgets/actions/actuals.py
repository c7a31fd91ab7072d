"""Books billed amounts on the ledger: draws down commitments, and raises findings for overruns."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.domain import actuals, ledger
from governance.budgets.domain import quarter_forecast as outlook
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.amounts import check_hundredths
from governance.budgets.domain.ledger import BudgetMode, Holding
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.budgets.queries.budgets import balance_of, entries_of, lock_accounts
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from weighbridge.core.money import format_amount


def book_actual(
    *, account: BudgetAccount, stated: Stated, key: str, source: str = "", by: User | None, now: datetime
) -> LedgerEntry:
    """Set the total cost of a month on an account, for a request or without one.

    Amounts with a request draw on its commitment. A repeated `key` books nothing new. The caller checks the permission;
    `by` None is the system. To book on several accounts, lock them in the order of their IDs.
    """
    actuals.check_period(stated.period)
    check_hundredths(stated.amount)
    with transaction.atomic():
        (row,) = lock_accounts(Q(pk=account.pk))
        existing = LedgerEntry.objects.filter(key=key).first()
        if existing is not None:
            return existing
        entries = entries_of(row, refs=[stated.request_ref])
        new = actuals.restate(entries, stated=stated, key=key)
        booked = [bookings.book(account=row, entry=entry, note=source, by=by, now=now) for entry in new]
        if row.mode != BudgetMode.OFF:
            held = ledger.holding_of([*entries, *new], ref=stated.request_ref) if stated.request_ref else None
            _raise_overrun_findings(row, held, stated, by, now)
    return booked[-1]


def _raise_overrun_findings(
    account: BudgetAccount, held: Holding | None, stated: Stated, by: User | None, now: datetime
) -> None:
    balance, kind, ref = balance_of(account), "budget.overrun", stated.request_ref
    limits = [("allocated", str(account), f"{kind}:{account.pk}", balance.own_budget, balance.spent)]
    if held is not None:
        limits.insert(0, ("committed", f"{ref} on {account}", f"{kind}:{ref}:{account.pk}", held.committed, held.spent))
    for what, subject, key, granted, spent in limits:
        if outlook.excess(granted=granted, spent=spent, tolerance_percent=account.tolerance_percent) > 0:
            more, billed, limit = (format_amount(each, unit=account.unit) for each in (spent - granted, spent, granted))
            text = (
                f"{billed} was billed or accrued, and {limit} is {what}: {more} more, which is above the tolerance of "
                f"{account.tolerance_percent} %."
            )
            source = f"bills of {stated.period}"
            sighting = Sighting(kind=kind, subject=subject, text=text, severity=Severity.HIGH, source=source, key=key)
            findings.raise_once(sighting=sighting, by=by, now=now)
