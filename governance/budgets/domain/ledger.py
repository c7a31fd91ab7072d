"""The budget ledger: append-only entries of one account, and the balance that they add up to.

One account is one cost center, one quarter and one unit. A request first reserves its amount. On approval the
reservation is released and the approved amount is committed; amounts in later quarters are planned on the accounts of
those quarters. Bills draw down the commitment of their quarter. Corrections are new entries.

    available = allocated - allocated below - reserved - committed and not yet billed - billed - withheld credits

Bills without a request reduce the available amount directly. A credit returns at most what was billed in its month; a
larger credit is withheld, so that a bill never makes more available than people allocated.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.errors import Invalid, WrongState
from weighbridge.core.money import format_amount

ZERO = Decimal(0)
WAYS_OUT = "Lower the request, or ask a platform lead or finance to allocate more."


class EntryKind(StrEnum):
    """The kind of a ledger entry."""

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
COMMITS = frozenset({EntryKind.COMMIT, EntryKind.PLAN})


class BudgetMode(StrEnum):
    """How an account treats an amount above its budget: ignore, raise a finding, or refuse."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"

    @property
    def words(self) -> str:
        """The meaning of the mode, as a sentence."""
        return _MODES[self]


_MODES = {
    BudgetMode.OFF: "All amounts are booked without a check.",
    BudgetMode.OBSERVE: "Amounts above the budget are booked and raise a finding.",
    BudgetMode.ENFORCE: "Amounts above the budget are refused. Only amounts that an approval plans for a "
    "later quarter are booked and raise a finding.",
}


@dataclass(frozen=True)
class LedgerLine:
    """One entry of the ledger.

    `key` is unique, which makes writes idempotent. `is_commitment` distinguishes the release or expiry of a commitment
    from that of a reservation or an allocation. `period` is the month of a billed or accrued amount, like `2026-10`.
    """

    kind: EntryKind
    amount: Decimal
    request_ref: str | None
    key: str
    is_commitment: bool = False
    period: str = ""

    @property
    def is_of_the_account(self) -> bool:
        """Whether the entry changes the allocation; otherwise it belongs to a request or a bill."""
        return self.kind in OF_THE_ACCOUNT and not self.is_commitment


@dataclass(frozen=True)
class Holding:
    """The amounts of one request on an account: reserved, committed (including planned) in total, and billed so far.

    `billed` is the part of each month in `spent`.
    """

    reserved: Decimal = ZERO
    committed: Decimal = ZERO
    spent: Decimal = ZERO
    billed: Mapping[str, Decimal] = field(default_factory=dict, compare=False)

    @property
    def withheld(self) -> Decimal:
        """The credits beyond what was billed in their month. They make nothing available."""
        return sum((max(-amount, ZERO) for amount in self.billed.values()), ZERO)

    @property
    def counted(self) -> Decimal:
        """The billed amount without the withheld credits, zero or more."""
        return self.spent + self.withheld

    @property
    def open(self) -> Decimal:
        """The committed amount that is not yet billed. A credit does not raise it above the commitment."""
        return max(self.committed - self.counted, ZERO)

    @property
    def used(self) -> Decimal:
        """The amount used on the account: reserved, committed and not yet billed, billed."""
        return self.reserved + self.open + self.counted


@dataclass(frozen=True)
class Balance:
    """The balance of an account, in its own unit.

    `committed` is the committed amount, including planned, that is not yet billed; `spent` is the billed or accrued
    amount, and `unbound` its part without a request; `withheld` are the credits beyond what was billed in their month;
    `allocated_below` is delegated to the accounts below. `expired` and `expired_below` left these two at the close.
    """

    allocated: Decimal
    reserved: Decimal = ZERO
    committed: Decimal = ZERO
    spent: Decimal = ZERO
    unbound: Decimal = ZERO
    allocated_below: Decimal = ZERO
    withheld: Decimal = ZERO
    expired: Decimal = ZERO
    expired_below: Decimal = ZERO

    @property
    def budget(self) -> Decimal:
        """The amount allocated for the quarter. Shares and overruns refer to it, also after the rest has expired."""
        return self.allocated + self.expired

    @property
    def own_budget(self) -> Decimal:
        """The budget without what the accounts below got, which is theirs to use."""
        return self.budget - self.allocated_below - self.expired_below

    @property
    def over(self) -> Decimal:
        """The used amount above the budget; zero within it."""
        return max(self.used - self.allocated_below - self.own_budget, ZERO)

    @property
    def used(self) -> Decimal:
        """The used amount: delegated, reserved, committed and not yet billed, billed without withheld credits."""
        return self.allocated_below + self.reserved + self.committed + self.spent + self.withheld

    @property
    def available(self) -> Decimal:
        """allocated - used."""
        return self.allocated - self.used


def check_entry(entry: LedgerLine) -> None:
    """Raise Invalid unless the amount and the fields are valid for the kind of the entry."""
    _check_amount(entry)
    if entry.kind not in SPENT and entry.is_of_the_account != (entry.request_ref is None):
        raise Invalid(
            "Reservations, commitments and their releases must name a request; allocations, "
            "transfers and expired amounts must not.",
            field="request_ref",
        )
    if (entry.kind in SPENT) != bool(entry.period):
        raise Invalid(
            "Billed and accrued amounts must name their month, like 2026-10; other entries must not.", field="period"
        )
    if entry.is_commitment and entry.kind not in GIVES_BACK:
        raise Invalid("Only a release or an expiry can return a commitment.", field="is_commitment")


def _check_amount(entry: LedgerLine) -> None:
    amount, is_signed = entry.amount, entry.kind in SIGNED
    if not amount.is_finite():
        raise Invalid("The amount of a ledger entry must be a number.", field="amount")
    if entry.kind not in SPENT and (amount == 0 or (amount < 0 and not is_signed)):
        raise Invalid(
            "The amount of a ledger entry must be above zero. Only allocations, transfers and bills can be negative.",
            field="amount",
        )


def holdings(entries: Iterable[LedgerLine]) -> dict[str | None, Holding]:
    """The holding of each request; the key None is for bills without a request."""
    holding_by_ref: dict[str | None, Holding] = {}
    for entry in entries:
        if not entry.is_of_the_account:
            holding_by_ref[entry.request_ref] = _with(holding_by_ref.get(entry.request_ref, Holding()), entry)
    return holding_by_ref


def _with(held: Holding, entry: LedgerLine) -> Holding:
    if entry.kind in SPENT:
        billed = {**held.billed, entry.period: held.billed.get(entry.period, ZERO) + entry.amount}
        return replace(held, spent=held.spent + entry.amount, billed=billed)
    change = -entry.amount if entry.kind in GIVES_BACK else entry.amount
    if entry.is_commitment or entry.kind in COMMITS:
        return replace(held, committed=held.committed + change)
    return replace(held, reserved=held.reserved + change)


def changes_of_available(entries: Iterable[LedgerLine]) -> list[Decimal]:
    """The change of the available amount by each entry, in order. A bill within a commitment changes nothing."""
    held, changes = dict[str | None, Holding](), list[Decimal]()
    for entry in entries:
        if entry.is_of_the_account:
            changes.append(allocated([entry]))
            continue
        before = held.get(entry.request_ref, Holding())
        held[entry.request_ref] = after = _with(before, entry)
        changes.append(before.used - after.used)
    return changes


def allocated(entries: Iterable[LedgerLine]) -> Decimal:
    """The allocation, minus reductions and expired amounts."""
    signs = {EntryKind.ALLOCATE: 1, EntryKind.TRANSFER: 1, EntryKind.EXPIRE: -1}
    return sum((signs[entry.kind] * entry.amount for entry in entries if entry.is_of_the_account), ZERO)


def expired(entries: Iterable[LedgerLine]) -> Decimal:
    """The part of the allocation that expired when the quarter was closed."""
    return -allocated(entry for entry in entries if entry.kind == EntryKind.EXPIRE)


def balance(
    entries: Iterable[LedgerLine], *, allocated_below: Decimal = ZERO, expired_below: Decimal = ZERO
) -> Balance:
    """The balance of the entries; `allocated_below` is delegated to accounts below, `expired_below` expired there."""
    booked = list(entries)
    held = holdings(booked)
    return Balance(
        allocated=allocated(booked),
        reserved=sum((each.reserved for each in held.values()), ZERO),
        committed=sum((each.open for each in held.values()), ZERO),
        spent=sum((each.spent for each in held.values()), ZERO),
        unbound=held.get(None, Holding()).spent,
        allocated_below=allocated_below,
        withheld=sum((each.withheld for each in held.values()), ZERO),
        expired=expired(booked),
        expired_below=expired_below,
    )


def holding_of(entries: Iterable[LedgerLine], *, ref: str) -> Holding:
    """The holding of one request."""
    return holdings(entry for entry in entries if entry.request_ref == ref).get(ref, Holding())


def open_of(entries: Iterable[LedgerLine], *, refs: Collection[str]) -> Decimal:
    """The committed amount of these requests that is not yet billed."""
    return sum((held.open for ref, held in holdings(entries).items() if ref in refs), ZERO)


def check_available(balance: Balance, *, amount: Decimal, unit: str, account: str) -> None:
    """Raise WrongState if the amount is not available, with the shortfall and the ways out."""
    if amount > balance.available:
        shortfall = shortfall_text(balance, amount=amount, unit=unit, account=account)
        raise WrongState(f"{shortfall} {WAYS_OUT}", code="over_budget")


def shortfall_text(balance: Balance, *, amount: Decimal, unit: str, account: str) -> str:
    """A sentence with the shortfall."""
    return (
        f"{account} has {format_amount(balance.available, unit=unit)} available, and this needs "
        f"{format_amount(amount, unit=unit)}: {format_amount(amount - balance.available, unit=unit)} too much."
    )


def release_entry(
    entries: Iterable[LedgerLine],
    *,
    ref: str,
    key: str,
    kind: EntryKind = EntryKind.RELEASE,
    is_commitment: bool = True,
) -> tuple[LedgerLine, ...]:
    """The entry that returns what the request still has reserved, or committed and unbilled; none without any."""
    holding = holding_of(entries, ref=ref)
    left = holding.open if is_commitment else holding.reserved
    return (LedgerLine(kind, left, ref, key, is_commitment=is_commitment),) if left > 0 else ()


def check_open(*, is_closed: bool, account: str) -> None:
    """Raise WrongState if the account is closed."""
    if is_closed:
        reason = "is closed: its quarter is over and its remaining budget has expired. Only bills can still be booked."
        raise WrongState(f"{account} {reason}", code="closed")
