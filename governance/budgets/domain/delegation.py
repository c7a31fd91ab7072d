"""Delegation of budget to the accounts below: at most the allocation, and where it is enforced, what is available."""

from decimal import Decimal

from governance.budgets.domain.ledger import Balance
from weighbridge.core.errors import WrongState
from weighbridge.core.money import format_amount


def check_can_delegate(balance: Balance, *, amount: Decimal, unit: str, account: str, enforces: bool) -> None:
    """Raise WrongState unless the account can delegate `amount` to an account below it."""
    free = balance.available if enforces else balance.allocated - balance.allocated_below
    if amount > free:
        raise WrongState(
            f"{account} has {format_amount(free, unit=unit)} left to delegate, and this needs "
            f"{format_amount(amount, unit=unit)}. Allocate more to it first, or delegate less.",
            code="over_parent",
            field="amount",
        )


def check_covers_delegated(balance: Balance, *, amount: Decimal, unit: str, account: str, enforces: bool) -> None:
    """Raise WrongState unless the account, after a change by `amount`, still covers the budgets of the accounts below.

    In enforcing mode, an amount taken from it must not be reserved, committed or billed.
    """
    if balance.allocated + amount < balance.allocated_below:
        raise WrongState(
            f"The accounts below {account} were given {format_amount(balance.allocated_below, unit=unit)}; "
            "it must hold at least that much.",
            code="less_than_below",
            field="amount",
        )
    if amount < 0 and enforces and balance.available + amount < 0:
        raise WrongState(
            f"{account} has {format_amount(balance.available, unit=unit)} available. "
            "A larger amount cannot be taken from it.",
            code="over_budget",
            field="amount",
        )
