"""What a confirmed change of a budget books: of an allocation or a commitment, in its amount, its quarter or its
account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from governance.budgets.domain.ledger import EntryKind, LedgerLine, allocated, holding_of
from weighbridge.core.errors import Invalid, WrongState


class Aspect(StrEnum):
    """What of a budget changes."""

    AMOUNT = "amount"
    DATE = "date"
    ACCOUNT = "account"


@dataclass(frozen=True)
class AccountPlace:
    """An account as a change sees it: whose, when, in what."""

    center: str
    quarter: str
    unit: str


def check_places(*, aspect: Aspect, source: AccountPlace, target: AccountPlace | None) -> None:
    """Raise Invalid unless only that aspect differs: the quarter for a date, the cost center for an account."""
    if aspect is Aspect.AMOUNT:
        if target is not None:
            raise Invalid("A change of amount has no second account; leave it out.", field="target")
        return
    if target is None:
        raise Invalid("Say which account it moves to.", field="target")
    if target.unit != source.unit:
        raise Invalid(f"{source.unit} cannot become {target.unit}; choose an account in {source.unit}.", field="target")
    if aspect is Aspect.DATE and (target.center != source.center or target.quarter == source.quarter):
        raise Invalid("A change of date keeps the cost center and names another quarter.", field="target")
    if aspect is Aspect.ACCOUNT and (target.quarter != source.quarter or target.center == source.center):
        raise Invalid("A change of account keeps the quarter and names another cost center.", field="target")


def new_amount(entries: Sequence[LedgerLine], *, ref: str, amount: Decimal, key: str) -> LedgerLine:
    """The entry that makes the allocation, or the request's commitment, `amount`. Raises WrongState where
    it cannot be.
    """
    if not ref:
        delta = amount - allocated(entries)
        return _moved(delta, LedgerLine(EntryKind.ALLOCATE, delta, None, key))
    held = holding_of(entries, ref=ref)
    if held.committed <= 0:
        raise WrongState(
            f"{ref} has committed nothing on this account; there is nothing to change.", code="not_committed"
        )
    delta = amount - held.committed
    if delta > 0:
        return LedgerLine(EntryKind.COMMIT, delta, ref, key)
    if -delta > held.open:
        raise WrongState(
            f"{held.spent:,} of the commitment of {ref} is billed already; it cannot fall below that.", code="billed"
        )
    return _moved(delta, LedgerLine(EntryKind.RELEASE, -delta, ref, key, is_commitment=True))


def _moved(delta: Decimal, entry: LedgerLine) -> LedgerLine:
    if delta == 0:
        raise WrongState("The amount is that already; nothing would change.", code="no_change")
    return entry


def move(entries: Sequence[LedgerLine], *, ref: str, amount: Decimal, key: str) -> tuple[LedgerLine, LedgerLine]:
    """The entries that take `amount` from one account and put it on another: of an allocation, or of a commitment."""
    if not ref:
        return (
            LedgerLine(EntryKind.TRANSFER, -amount, None, f"{key}:out"),
            LedgerLine(EntryKind.TRANSFER, amount, None, f"{key}:in"),
        )
    left = holding_of(entries, ref=ref).open
    if amount > left:
        raise WrongState(
            f"{ref} has {left:,} committed and not yet billed on this account; no more than that can move.",
            code="not_committed",
        )
    return (
        LedgerLine(EntryKind.RELEASE, amount, ref, f"{key}:out", is_commitment=True),
        LedgerLine(EntryKind.COMMIT, amount, ref, f"{key}:in"),
    )
