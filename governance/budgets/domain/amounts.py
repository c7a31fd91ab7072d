"""Validates ledger amounts: exact hundredths of a plausible size, in the unit of the account."""

from decimal import Decimal

from weighbridge.core.errors import Invalid
from weighbridge.core.money import CENT

AMOUNT_BELOW = 10**14  # sixteen digits, two of them after the point


def check_amount(amount: Decimal) -> None:
    """Raise Invalid unless the amount is above zero and the ledger can store it exactly."""
    if not amount.is_finite() or not 0 < amount < AMOUNT_BELOW:
        raise Invalid(f"The amount must be more than zero and less than {AMOUNT_BELOW:,}.", field="amount")
    check_hundredths(amount)


def check_hundredths(amount: Decimal) -> None:
    """Raise Invalid for more than two decimals or an implausible amount. Zero and negative amounts are valid."""
    if not amount.is_finite() or abs(amount) >= AMOUNT_BELOW:
        raise Invalid(f"The amount must be a number of less than {AMOUNT_BELOW:,}.", field="amount")
    if amount != amount.quantize(CENT):
        raise Invalid("The amount has more than two decimals. The ledger stores whole hundredths.", field="amount")
