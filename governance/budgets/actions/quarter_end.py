"""Closes the accounts of past quarters: the uncommitted rest of each allocation expires."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.domain.ledger import EntryKind, LedgerLine
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import balance_of, lock_accounts
from governance.budgets.queries.cost_centers import accounts_above


def close_quarters(*, by: User | None = None, now: datetime) -> list[BudgetAccount]:
    """Close the accounts of past quarters, from the leaves up.

    Idempotent. Uncommitted amounts expire. Commitments remain, and late bills draw them down; amounts released later
    stay unused.
    """
    over = Q(closed_at=None, quarter__lt=str(Quarter.of(now)))
    if not BudgetAccount.objects.filter(over).exists():
        return []
    with transaction.atomic():
        rows = [row for row in lock_accounts(over) if row.closed_at is None]
        depths = _depths(rows)
        rows.sort(key=lambda row: (-depths[row.pk], row.pk))
        for row in rows:
            _close(row, by, now)
    return rows


def _close(row: BudgetAccount, by: User | None, now: datetime) -> None:
    left = balance_of(row).available
    row.closed_at = now
    row.save(update_fields=["closed_at"])
    audit.record(kind="budget.closed", by=by, subject=("budget", str(row)), details={"left": str(left)}, now=now)
    if left > 0:
        bookings.book(account=row, entry=LedgerLine(EntryKind.EXPIRE, left, None, f"expire:{row.pk}"), by=by, now=now)


def _depths(rows: Sequence[BudgetAccount]) -> dict[int, int]:
    """The number of accounts above each account."""
    above = accounts_above(quarters={row.quarter for row in rows})

    def depth(account_id: int) -> int:
        higher = above[account_id]
        return 0 if higher is None else 1 + depth(higher)

    return {row.pk: depth(row.pk) for row in rows}
