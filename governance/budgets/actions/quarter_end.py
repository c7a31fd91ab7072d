"""Closes the accounts of past quarters: the uncommitted rest of each allocation expires."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.domain.ledger import EntryKind, LedgerLine
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import accounts_to_close, balance_of, lock_accounts
from governance.budgets.queries.cost_centers import accounts_above

AT_ONCE = 50


def close_quarters(*, by: User | None = None, now: datetime) -> list[BudgetAccount]:
    """Close up to 50 accounts of past quarters, from the leaves up; call it again for the others.

    A level of the tree is a transaction: what expires in an account counts in the one above. Balances are read before
    the first audit event, for whose lock everybody waits. Uncommitted amounts expire. Commitments remain, and late
    bills draw them down; amounts released later stay unused. Idempotent.
    """
    over = list(accounts_to_close(now=now).values_list("pk", "quarter"))
    if not over:
        return []
    depths = _depths(dict(over))
    first = sorted(depths, key=lambda pk: (-depths[pk], pk))[:AT_ONCE]
    return [row for _, level in groupby(first, depths.__getitem__) for row in _close_level(list(level), by, now)]


def _close_level(pks: Sequence[int], by: User | None, now: datetime) -> list[BudgetAccount]:
    with transaction.atomic():
        rows = [row for row in lock_accounts(Q(pk__in=pks)) if row.closed_at is None]
        left = [balance_of(row).available for row in rows]
        for row, amount in zip(rows, left, strict=True):
            _close(row, amount, by, now)
    return rows


def _close(row: BudgetAccount, left: Decimal, by: User | None, now: datetime) -> None:
    row.closed_at = now
    row.save(update_fields=["closed_at"])
    audit.record(kind="budget.closed", by=by, subject=("budget", str(row)), details={"left": str(left)}, now=now)
    if left > 0:
        bookings.book(account=row, entry=LedgerLine(EntryKind.EXPIRE, left, None, f"expire:{row.pk}"), by=by, now=now)


def _depths(quarters: Mapping[int, str]) -> dict[int, int]:
    """The number of accounts above each account of these, by the quarter of each."""
    above = accounts_above(quarters=set(quarters.values()))

    def depth(account_id: int) -> int:
        higher = above[account_id]
        return 0 if higher is None else 1 + depth(higher)

    return {pk: depth(pk) for pk in quarters}
