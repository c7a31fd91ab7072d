"""Ledger entries for a confirmed change of an allocation or a commitment: of its amount, quarter or account."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from governance.budgets.domain.ledger import EntryKind, LedgerLine, allocated, holding_of
from weighbridge.core.errors import Invalid, WrongState


class Aspect(StrEnum):
    """The aspect of a budget that changes."""

    AMOUNT = "amount"
    DATE = "date"
    ACCOUNT = "account"
    ALLOCATION = "allocation"
    TERMS = "terms"


REBOOKED = (Aspect.AMOUNT, Aspect.DATE, Aspect.ACCOUNT)
"""The aspects that a rebooking changes. Allocations and terms have forms of their own."""


@dataclass(frozen=True)
class AccountPlace:
    """The identity of an account: cost center, quarter and unit."""

    center: str
    quarter: str
    unit: str


def check_places(*, aspect: Aspect, source: AccountPlace, target: AccountPlace | None) -> None:
    """Raise Invalid unless source and target differ only in the aspect: the quarter for a date, the cost center for an
    account.
    """
    if aspect is Aspect.AMOUNT:
        if target is not None:
            raise Invalid("A change of the amount must not name a second account.", field="target")
        return
    if target is None:
        raise Invalid("Choose the target account.", field="target")
    if target.unit != source.unit:
        raise Invalid(
            f"{source.unit} cannot be moved to {target.unit}. Choose an account in {source.unit}.", field="target"
        )
    if aspect is Aspect.DATE and (target.center != source.center or target.quarter == source.quarter):
        raise Invalid("For a change of the date, choose another quarter of the same cost center.", field="target")
    if aspect is Aspect.ACCOUNT and (target.quarter != source.quarter or target.center == source.center):
        raise Invalid("For a change of the account, choose another cost center in the same quarter.", field="target")


def new_amount(entries: Sequence[LedgerLine], *, ref: str, amount: Decimal, key: str) -> LedgerLine:
    """The entry that sets the allocation, or the request's commitment, to `amount`. Raises WrongState if that is
    impossible.
    """
    if not ref:
        delta = amount - allocated(entries)
        return _moved(delta, LedgerLine(EntryKind.ALLOCATE, delta, None, key))
    holding = holding_of(entries, ref=ref)
    if holding.committed <= 0:
        raise WrongState(f"{ref} has no commitment on this account.", code="not_committed")
    delta = amount - holding.committed
    if delta > 0:
        return LedgerLine(EntryKind.COMMIT, delta, ref, key)
    if -delta > holding.open:
        raise WrongState(
            f"{holding.spent:,} of the commitment of {ref} is already billed. The commitment cannot be lower.",
            code="billed",
        )
    return _moved(delta, LedgerLine(EntryKind.RELEASE, -delta, ref, key, is_commitment=True))


def _moved(delta: Decimal, entry: LedgerLine) -> LedgerLine:
    if delta == 0:
        raise WrongState("The amount is already this value.", code="no_change")
    return entry


def move(entries: Sequence[LedgerLine], *, ref: str, amount: Decimal, key: str) -> tuple[LedgerLine, LedgerLine]:
    """The entries that move `amount` of an allocation or a commitment from one account to another."""
    if not ref:
        return (
            LedgerLine(EntryKind.TRANSFER, -amount, None, f"{key}:out"),
            LedgerLine(EntryKind.TRANSFER, amount, None, f"{key}:in"),
        )
    left = holding_of(entries, ref=ref).open
    if amount > left:
        raise WrongState(
            f"{ref} has {left:,} committed and not yet billed on this account. A larger amount cannot be moved.",
            code="not_committed",
        )
    return (
        LedgerLine(EntryKind.RELEASE, amount, ref, f"{key}:out", is_commitment=True),
        LedgerLine(EntryKind.COMMIT, amount, ref, f"{key}:in"),
    )
