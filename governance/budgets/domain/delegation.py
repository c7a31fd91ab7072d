"""What an account hands out to those below it: never more than it holds, and never more than is free where
it enforces.
"""

from decimal import Decimal

from governance.budgets.domain.ledger import Balance
from weighbridge.core.errors import WrongState
from weighbridge.core.money import format_amount


def check_hands_out(balance: Balance, *, amount: Decimal, unit: str, account: str, enforces: bool) -> None:
    """Raise WrongState unless the account can give `amount` to one below it."""
    free = balance.available if enforces else balance.allocated - balance.handed_out
    if amount > free:
        raise WrongState(
            f"{account} has {format_amount(free, unit=unit)} left to hand out, and this needs "
            f"{format_amount(amount, unit=unit)}. Allocate more to it first, or less from it.",
            code="over_parent",
            field="amount",
        )


def check_keeps(balance: Balance, *, amount: Decimal, unit: str, account: str, enforces: bool) -> None:
    """Raise WrongState unless the account, given `amount` more or less, still holds what those below it were given.

    Where it enforces, what is taken from it must not be reserved, committed or billed either.
    """
    if balance.allocated + amount < balance.handed_out:
        raise WrongState(
            f"The accounts below {account} were given {format_amount(balance.handed_out, unit=unit)}; it must hold at "
            "least "
            "that much.",
            code="less_than_below",
            field="amount",
        )
    if amount < 0 and enforces and balance.available + amount < 0:
        raise WrongState(
            f"{account} has {format_amount(balance.available, unit=unit)} available; no more than that can be taken "
            "from it.",
            code="over_budget",
            field="amount",
        )
