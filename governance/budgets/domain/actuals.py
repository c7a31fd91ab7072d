"""Ledger entries for billed amounts. A statement gives the known total cost of a month.

The first bill of a month is booked in full; a later statement with another total books the difference as a correction.
Before the bill, an estimate can be accrued; the first bill reverses the accrual.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.budgets.domain.ledger import ZERO, EntryKind, LedgerLine
from weighbridge.core.errors import Invalid

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Stated:
    """The total cost of a month: for a request, or for the account itself if `request_ref` is empty."""

    period: str
    amount: Decimal
    request_ref: str = ""
    is_estimate: bool = False


def check_period(period: str) -> None:
    """Raise Invalid unless the text is a month like 2026-10."""
    if not _MONTH.fullmatch(period):
        raise Invalid(f"{period!r} is not a month. Write it like 2026-10.", field="period")


def restate(entries: Sequence[LedgerLine], *, stated: Stated, key: str) -> tuple[LedgerLine, ...]:
    """The entries that adjust the ledger to the statement.

    The last entry has the key `key`, even if its amount is zero. An estimate after the bill changes nothing.
    """
    of_month = [
        each for each in entries if each.period == stated.period and (each.request_ref or "") == stated.request_ref
    ]
    accrued = _sum(of_month, EntryKind.ACCRUAL)
    is_billed = any(each.kind is EntryKind.ACTUAL for each in of_month)
    if stated.is_estimate:
        return (_entry(EntryKind.ACCRUAL, ZERO if is_billed else stated.amount - accrued, stated, key),)
    taken_back = (_entry(EntryKind.ACCRUAL, -accrued, stated, f"{key}:accrual"),) if accrued else ()
    if not is_billed:
        return (*taken_back, _entry(EntryKind.ACTUAL, stated.amount, stated, key))
    billed = _sum(of_month, EntryKind.ACTUAL) + _sum(of_month, EntryKind.CORRECTION)
    return (*taken_back, _entry(EntryKind.CORRECTION, stated.amount - billed, stated, key))


def _sum(entries: Iterable[LedgerLine], kind: EntryKind) -> Decimal:
    return sum((each.amount for each in entries if each.kind is kind), ZERO)


def _entry(kind: EntryKind, amount: Decimal, stated: Stated, key: str) -> LedgerLine:
    return LedgerLine(kind, amount, stated.request_ref or None, key, period=stated.period)
