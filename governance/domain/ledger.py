"""The budget ledger: append-only entries of one account, and what they leave available.

One account is one team, one quarter and one unit. A request first reserves; on approval its reservation is released
and the approved amount committed. Corrections are new entries; amounts are always positive.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from governance.domain.money import format_amount
from governance.domain.refusals import Invalid, WrongState


class EntryKind(StrEnum):
    """What an entry does to its account."""

    ALLOCATE = "allocate"
    RESERVE = "reserve"
    COMMIT = "commit"
    RELEASE = "release"


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. `key` is unique, so that a repeated write is the same write."""

    kind: EntryKind
    amount: Decimal
    request_ref: str | None
    key: str


@dataclass(frozen=True)
class Balance:
    """Where an account stands, in its own unit."""

    allocated: Decimal
    reserved: Decimal
    committed: Decimal

    @property
    def available(self) -> Decimal:
        """allocated - reserved - committed."""
        return self.allocated - self.reserved - self.committed


def check_entry(entry: Entry) -> None:
    """Raise Invalid unless the amount is positive and only allocations stand without a request."""
    if not entry.amount.is_finite() or entry.amount <= 0:
        raise Invalid(
            "A ledger entry needs an amount above zero; corrections are entries of their own.", field="amount"
        )
    if (entry.kind is EntryKind.ALLOCATE) != (entry.request_ref is None):
        raise Invalid(
            "Only an allocation stands for itself; every other ledger entry names its request.", field="request_ref"
        )


def balance(entries: Iterable[Entry]) -> Balance:
    """The balance the entries add up to."""
    totals = dict.fromkeys(EntryKind, Decimal(0))
    for entry in entries:
        totals[entry.kind] += entry.amount
    reserved = totals[EntryKind.RESERVE] - totals[EntryKind.RELEASE]
    return Balance(totals[EntryKind.ALLOCATE], reserved, totals[EntryKind.COMMIT])


def reserved_by(entries: Iterable[Entry], *, ref: str) -> Decimal:
    """What the request still holds reserved."""
    return balance(entry for entry in entries if entry.request_ref == ref).reserved


def reserved_by_others(entries: Sequence[Entry], *, ref: str) -> Decimal:
    """What all other requests hold reserved."""
    return balance(entries).reserved - reserved_by(entries, ref=ref)


def check_available(balance: Balance, *, amount: Decimal, unit: str, account: str) -> None:
    """Raise WrongState when the account cannot bear the amount; say by how much and what to do."""
    if amount <= balance.available:
        return
    raise WrongState(
        f"{account} has {format_amount(balance.available, unit=unit)} available, and this needs "
        f"{format_amount(amount, unit=unit)}: {format_amount(amount - balance.available, unit=unit)} too much. "
        "Lower the request, or ask a platform lead or finance to allocate more.",
        code="over_budget",
    )


def check_release(entries: Iterable[Entry], *, ref: str, amount: Decimal) -> None:
    """Raise WrongState when the request has not reserved that much."""
    if amount > reserved_by(entries, ref=ref):
        raise WrongState(f"{ref} has not reserved that much; release at most what it holds.", code="not_reserved")


def commitment(entries: Sequence[Entry], *, ref: str, amount: Decimal, key: str) -> tuple[Entry, ...]:
    """The entries that turn the request's reservation into a commitment of `amount`: release first, then commit.

    Pass the result's balance to no check: check `amount` against `after_release` before writing.
    """
    committed = Entry(EntryKind.COMMIT, amount, ref, f"{key}:commit")
    return (*release(entries, ref=ref, key=key), committed)


def release(entries: Sequence[Entry], *, ref: str, key: str) -> tuple[Entry, ...]:
    """The entry that gives back what the request holds reserved; none when it holds nothing."""
    held = reserved_by(entries, ref=ref)
    return (Entry(EntryKind.RELEASE, held, ref, f"{key}:release"),) if held > 0 else ()


def after_release(entries: Sequence[Entry], *, ref: str) -> Balance:
    """The balance as it would be without the request's reservation: what its own commitment is checked against."""
    now = balance(entries)
    return Balance(now.allocated, reserved_by_others(entries, ref=ref), now.committed)
