"""The budget ledger: append-only entries of one account, and what they leave available.

One account is one cost center, one quarter and one unit. A request first reserves; on approval its reservation is
released and the approved amount committed, what falls into later quarters as a plan on theirs; what is billed for it in
a quarter draws that quarter's commitment down. Corrections are new entries.

    available = allocated - handed out - reserved - committed and not yet billed - billed

What is billed and names no request comes off the account directly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.errors import Invalid, WrongState
from weighbridge.core.money import format_amount

ZERO = Decimal(0)


class EntryKind(StrEnum):
    """What an entry does to its account."""

    ALLOCATE = "allocate"
    TRANSFER = "transfer"
    RESERVE = "reserve"
    COMMIT = "commit"
    PLAN = "plan"
    RELEASE = "release"
    ACTUAL = "actual"
    ACCRUAL = "accrual"
    CORRECTION = "correction"
    EXPIRE = "expire"


SPENT = frozenset({EntryKind.ACTUAL, EntryKind.ACCRUAL, EntryKind.CORRECTION})
OF_THE_ACCOUNT = frozenset({EntryKind.ALLOCATE, EntryKind.TRANSFER, EntryKind.EXPIRE})
GIVES_BACK = frozenset({EntryKind.RELEASE, EntryKind.EXPIRE})
SIGNED = frozenset({EntryKind.ALLOCATE, EntryKind.TRANSFER})


class BudgetMode(StrEnum):
    """What an account does with a booking it cannot bear: nothing, tell, or refuse."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"

    @property
    def words(self) -> str:
        """What the mode means, in a sentence."""
        return _MODES[self]


_MODES = {
    BudgetMode.OFF: "Everything is booked, nothing is checked.",
    BudgetMode.OBSERVE: "What is too much is booked and raises a finding.",
    BudgetMode.ENFORCE: "What is too much is refused; "
    "what an approval plans in a quarter to come is booked and raises a finding.",
}


@dataclass(frozen=True)
class LedgerLine:
    """One line of the ledger. `key` is unique, so that a repeated write is the same write.

    `is_commitment` tells what gives back a request's commitment from a release of its reservation and from what an
    account lets expire; `period` is the month, like `2026-10`, that something was billed or accrued for.
    """

    kind: EntryKind
    amount: Decimal
    request_ref: str | None
    key: str
    is_commitment: bool = False
    period: str = ""

    @property
    def is_of_the_account(self) -> bool:
        """Whether it changes what the account was given; otherwise it belongs to a request, or was billed."""
        return self.kind in OF_THE_ACCOUNT and not self.is_commitment


@dataclass(frozen=True)
class Holding:
    """What one request holds of an account: reserved, committed (planned included) in all, and billed so far."""

    reserved: Decimal = ZERO
    committed: Decimal = ZERO
    spent: Decimal = ZERO

    @property
    def open(self) -> Decimal:
        """What is committed and not yet billed; a credit does not make it larger than the commitment."""
        return min(max(self.committed - self.spent, ZERO), self.committed)

    @property
    def used(self) -> Decimal:
        """What it takes from the account: reserved, committed and not yet billed, billed."""
        return self.reserved + self.open + self.spent


@dataclass(frozen=True)
class Balance:
    """Where an account stands, in its own unit.

    `committed` is what is committed, planned included, and not yet billed; `spent` all that is billed or accrued,
    `unbound`
    the part of it that names no request; `handed_out` is what the accounts below were given.
    """

    allocated: Decimal
    reserved: Decimal = ZERO
    committed: Decimal = ZERO
    spent: Decimal = ZERO
    unbound: Decimal = ZERO
    handed_out: Decimal = ZERO

    @property
    def used(self) -> Decimal:
        """What is promised or billed: handed out, reserved, committed and not yet billed, billed."""
        return self.handed_out + self.reserved + self.committed + self.spent

    @property
    def available(self) -> Decimal:
        """allocated - used."""
        return self.allocated - self.used


def check_entry(entry: LedgerLine) -> None:
    """Raise Invalid unless the amount suits its kind, and the entry names what its kind needs."""
    _check_amount(entry)
    if entry.kind not in SPENT and entry.is_of_the_account != (entry.request_ref is None):
        raise Invalid(
            "Allocations, transfers and what an account lets expire stand for themselves; reservations, commitments "
            "and what "
            "gives them back name their request.",
            field="request_ref",
        )
    if (entry.kind in SPENT) != bool(entry.period):
        raise Invalid("What is billed or accrued names its month, like 2026-10; nothing else does.", field="period")
    if entry.is_commitment and entry.kind not in GIVES_BACK:
        raise Invalid("Only a release or an expiry gives a commitment back.", field="is_commitment")


def _check_amount(entry: LedgerLine) -> None:
    amount, is_signed = entry.amount, entry.kind in SIGNED
    if not amount.is_finite():
        raise Invalid("The amount of a ledger entry is a number.", field="amount")
    if entry.kind not in SPENT and (amount == 0 or (amount < 0 and not is_signed)):
        raise Invalid(
            "A ledger entry needs an amount above zero; only allocations, transfers and bills may go both ways.",
            field="amount",
        )


def holdings(entries: Iterable[LedgerLine]) -> dict[str | None, Holding]:
    """What each request holds; None stands for what was billed without one."""
    held: dict[str | None, Holding] = {}
    for entry in entries:
        if not entry.is_of_the_account:
            held[entry.request_ref] = _with(held.get(entry.request_ref, Holding()), entry)
    return held


def _with(held: Holding, entry: LedgerLine) -> Holding:
    column, sign = _column(entry)
    match column:
        case "reserved":
            return replace(held, reserved=held.reserved + sign * entry.amount)
        case "committed":
            return replace(held, committed=held.committed + sign * entry.amount)
        case _:
            return replace(held, spent=held.spent + sign * entry.amount)


def _column(entry: LedgerLine) -> tuple[str, int]:
    if entry.kind in SPENT:
        return "spent", 1
    if entry.kind in GIVES_BACK:
        return ("committed" if entry.is_commitment else "reserved"), -1
    return ("reserved" if entry.kind is EntryKind.RESERVE else "committed"), 1


def changes_of_available(entries: Iterable[LedgerLine]) -> list[Decimal]:
    """What each entry, in order, did to the amount available; a bill within a commitment does nothing."""
    held: dict[str | None, Holding] = {}
    changes = []
    for entry in entries:
        if entry.is_of_the_account:
            changes.append(allocated([entry]))
            continue
        before = held.get(entry.request_ref, Holding())
        held[entry.request_ref] = after = _with(before, entry)
        changes.append(before.used - after.used)
    return changes


def allocated(entries: Iterable[LedgerLine]) -> Decimal:
    """What the account was given, less what was taken away or has expired."""
    signs = {EntryKind.ALLOCATE: 1, EntryKind.TRANSFER: 1, EntryKind.EXPIRE: -1}
    return sum((signs[entry.kind] * entry.amount for entry in entries if entry.is_of_the_account), ZERO)


def balance(entries: Iterable[LedgerLine], *, handed_out: Decimal = ZERO) -> Balance:
    """The balance the entries add up to; `handed_out` is what the accounts below hold."""
    booked = list(entries)
    held = holdings(booked)
    return Balance(
        allocated=allocated(booked),
        reserved=sum((each.reserved for each in held.values()), ZERO),
        committed=sum((each.open for each in held.values()), ZERO),
        spent=sum((each.spent for each in held.values()), ZERO),
        unbound=held.get(None, Holding()).spent,
        handed_out=handed_out,
    )


def holding_of(entries: Iterable[LedgerLine], *, ref: str) -> Holding:
    """What one request holds."""
    return holdings(entry for entry in entries if entry.request_ref == ref).get(ref, Holding())


def reserved_by(entries: Iterable[LedgerLine], *, ref: str) -> Decimal:
    """What the request still holds reserved."""
    return holding_of(entries, ref=ref).reserved


def check_available(balance: Balance, *, amount: Decimal, unit: str, account: str) -> None:
    """Raise WrongState when the account cannot bear the amount; say by how much and what to do."""
    if amount <= balance.available:
        return
    raise WrongState(f"{too_much(balance, amount=amount, unit=unit, account=account)} {WAYS_OUT}", code="over_budget")


WAYS_OUT = "Lower the request, or ask a platform lead or finance to allocate more."


def too_much(balance: Balance, *, amount: Decimal, unit: str, account: str) -> str:
    """The sentence that says by how much an amount is beyond what is available."""
    return (
        f"{account} has {format_amount(balance.available, unit=unit)} available, and this needs "
        f"{format_amount(amount, unit=unit)}: {format_amount(amount - balance.available, unit=unit)} too much."
    )


def what_is_left(
    entries: Sequence[LedgerLine], *, ref: str, key: str, kind: EntryKind = EntryKind.RELEASE
) -> tuple[LedgerLine, ...]:
    """The entry that gives back what of the request's commitment is not billed; none when nothing is left.

    `kind` says how it ended: released by a decision, or expired with time.
    """
    left = holding_of(entries, ref=ref).open
    return (LedgerLine(kind, left, ref, key, is_commitment=True),) if left > 0 else ()


def check_open(*, is_closed: bool, account: str) -> None:
    """Raise WrongState once the quarter of the account is over and what was left has expired."""
    if is_closed:
        raise WrongState(
            f"{account} is closed: its quarter is over and what was left has expired. Only what is billed is still "
            "booked.",
            code="closed",
        )
