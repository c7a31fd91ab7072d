"""Rebookings: confirmed changes of the amount, quarter or account of an allocation or a commitment."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.domain import budget_changes as change_of
from governance.budgets.domain import ledger
from governance.budgets.domain.amounts import check_amount, check_hundredths
from governance.budgets.domain.budget_changes import AccountPlace, Aspect
from governance.budgets.domain.ledger import EntryKind, LedgerLine
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import entries_of, lock_accounts
from governance.budgets.queries.cost_centers import account_above, is_above
from weighbridge.core.errors import Invalid
from weighbridge.core.money import format_amount


@dataclass(frozen=True, kw_only=True)
class Rebooking:
    """A change of the allocation of `account`, or of the commitment of `request_ref` on it.

    `amount` is the new total for a change of the amount, and the amount that moves to `target` for a change of the date
    or the account.
    """

    aspect: Aspect
    account: BudgetAccount
    amount: Decimal
    target: BudgetAccount | None = None
    request_ref: str = ""

    @property
    def description(self) -> str:
        """The change as a phrase: "Set the budget of Search 2026Q4 USD to 120.00 USD"."""
        of = f"commitment of {self.request_ref} on" if self.request_ref else "budget of"
        amount = format_amount(self.amount, unit=self.account.unit)
        if self.target is None:
            return f"Set the {of} {self.account} to {amount}"
        return f"Move {amount} of the {of} {self.account} to {self.target}"

    @property
    def accounts(self) -> list[BudgetAccount]:
        """The source account and the target account, if any."""
        return [each for each in (self.account, self.target) if each is not None]

    @property
    def part(self) -> str:
        """The request whose commitment changes, if any."""
        return self.request_ref

    @property
    def details(self) -> dict[str, Any]:
        """The aspect, the amount and the target."""
        return {
            "aspect": self.aspect.value,
            "target": str(self.target) if self.target else None,
            "target_id": self.target.pk if self.target else None,
            "amount": str(self.amount),
        }

    def check(self) -> None:
        """Raise Invalid or WrongState if the change is invalid, or the accounts do not cover it."""
        for account in self.accounts:
            ledger.check_open(is_closed=account.closed_at is not None, account=str(account))
        places = [*map(_place, self.accounts), None]
        change_of.check_places(aspect=self.aspect, source=_place(self.account), target=places[1])
        if self.target is not None and not self.request_ref and self.aspect is Aspect.ACCOUNT:
            _check_not_nested(self.account, self.target)
        if self.aspect is not Aspect.AMOUNT:
            check_amount(self.amount)
        else:
            check_hundredths(self.amount)
            if self.amount < 0:
                raise Invalid("A budget or a commitment must be zero or more.", field="amount")
        self.entries(key="")

    def entries(self, *, key: str) -> tuple[LedgerLine, ...]:
        """The ledger entries, one for each account."""
        booked = entries_of(self.account, refs=[self.request_ref])
        if self.aspect is Aspect.AMOUNT:
            return (change_of.new_amount(booked, ref=self.request_ref, amount=self.amount, key=key),)
        return change_of.move(booked, ref=self.request_ref, amount=self.amount, key=key)

    def lock(self) -> None:
        """Lock its accounts and the accounts above them."""
        above = [account_above(each) for each in self.accounts]
        lock_accounts(Q(pk__in={each.pk for each in (*self.accounts, *above) if each is not None}))

    def book(self, *, key: str, by: User, now: datetime) -> None:
        """Book the entries on the locked accounts."""
        for account, entry in zip(self.accounts, self.entries(key=key), strict=True):
            if entry.is_of_the_account:
                bookings.book_allocation(account=account, entry=entry, by=by, now=now)
            elif entry.kind is EntryKind.COMMIT:
                bookings.book_checked(account=account, entry=entry, by=by, now=now)
            else:
                bookings.book(account=account, entry=entry, by=by, now=now)


def _place(account: BudgetAccount) -> AccountPlace:
    return AccountPlace(account.center.slug, account.quarter, account.unit)


def _check_not_nested(source: BudgetAccount, target: BudgetAccount) -> None:
    if is_above(source.center, below=target.center) or is_above(target.center, below=source.center):
        raise Invalid(
            "One account is above the other. Allocate from the upper account, or reduce the lower one.",
            field="target",
        )
