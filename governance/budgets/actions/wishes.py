"""Changes of budgets that a person wishes for: an allocation, and the terms of an account. Rebookings are the third."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.domain import ledger
from governance.budgets.domain.amounts import check_amount
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.ledger import BudgetMode, EntryKind, LedgerLine
from governance.budgets.domain.terms import AccountTerms, check_tolerance
from governance.budgets.models import BudgetAccount
from governance.budgets.queries.budgets import lock_accounts
from governance.budgets.queries.cost_centers import account_above
from weighbridge.core.money import format_amount


class Wish(Protocol):
    """A change of budgets that can be proposed, and booked after a second person has confirmed it."""

    @property
    def account(self) -> BudgetAccount:
        """The account that the change belongs to."""

    @property
    def accounts(self) -> Sequence[BudgetAccount]:
        """All accounts on which it books."""

    @property
    def part(self) -> str:
        """The changed part of the account: a request, the terms, or the budget itself if empty."""

    @property
    def description(self) -> str:
        """The change as a phrase."""

    @property
    def details(self) -> dict[str, Any]:
        """The values from which the change is read again."""

    def check(self) -> None:
        """Raise Invalid or WrongState if the change is invalid, or the accounts do not cover it."""

    def lock(self) -> None:
        """Lock the accounts that a confirmation must lock."""

    def book(self, *, key: str, by: User, now: datetime) -> object:
        """Book the change on the locked accounts."""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """An allocation of `amount` to an account, on top of what it has."""

    account: BudgetAccount
    amount: Decimal
    part = ""

    @property
    def accounts(self) -> Sequence[BudgetAccount]:
        """The account."""
        return (self.account,)

    @property
    def description(self) -> str:
        """The change as a phrase: "Allocate 120.00 USD to Search 2026Q4 USD"."""
        return f"Allocate {format_amount(self.amount, unit=self.account.unit)} to {self.account}"

    @property
    def details(self) -> dict[str, Any]:
        """The amount."""
        return {"aspect": Aspect.ALLOCATION.value, "amount": str(self.amount)}

    def check(self) -> None:
        """Raise Invalid or WrongState if the amount is invalid or the account is closed."""
        check_amount(self.amount)
        ledger.check_open(is_closed=self.account.closed_at is not None, account=str(self.account))

    def lock(self) -> None:
        """Lock the account and the one above it."""
        above = account_above(self.account)
        lock_accounts(Q(pk__in=[self.account.pk, *([above.pk] if above else [])]))

    def book(self, *, key: str, by: User, now: datetime) -> object:
        """Book it, if the account above has that much left."""
        entry = LedgerLine(EntryKind.ALLOCATE, self.amount, None, key)
        return bookings.book_allocation(account=self.account, entry=entry, by=by, now=now)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The mode and the tolerance of an account."""

    account: BudgetAccount
    mode: BudgetMode
    tolerance_percent: int
    part = "terms"

    @property
    def accounts(self) -> Sequence[BudgetAccount]:
        """The account."""
        return (self.account,)

    @property
    def before(self) -> AccountTerms:
        """The current terms."""
        return AccountTerms(mode=BudgetMode(self.account.mode), tolerance_percent=self.account.tolerance_percent)

    @property
    def after(self) -> AccountTerms:
        """The wanted terms."""
        return AccountTerms(mode=self.mode, tolerance_percent=self.tolerance_percent)

    @property
    def description(self) -> str:
        """The change as a phrase: "Set the mode of Search 2026Q4 USD to off, with a tolerance of 10 %"."""
        return f"Set the mode of {self.account} to {self.mode}, with a tolerance of {self.tolerance_percent} %"

    @property
    def details(self) -> dict[str, Any]:
        """The terms."""
        return {"aspect": Aspect.TERMS.value, **self.after.as_details}

    def check(self) -> None:
        """Raise Invalid if the tolerance is invalid."""
        check_tolerance(self.tolerance_percent)

    def lock(self) -> None:
        """Lock the account."""
        lock_accounts(Q(pk=self.account.pk))

    def book(self, *, key: str = "", by: User, now: datetime) -> object:
        """Set the terms."""
        row = self.account
        details = {"before": self.before.as_details, "after": self.after.as_details}
        with transaction.atomic():
            row.mode, row.tolerance_percent = self.mode.value, self.tolerance_percent
            row.save(update_fields=["mode", "tolerance_percent"])
            audit.record(kind="budget.terms", by=by, subject=("budget", str(row)), details=details, now=now)
        return row
