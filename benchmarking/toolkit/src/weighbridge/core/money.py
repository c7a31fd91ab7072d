"""Money: US dollars as exact decimals, rounded half to even to cents, never floats."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from weighbridge.core.errors import Invalid

CENT = Decimal("0.01")
LARGEST_USD = Decimal(10) ** 15


def usd(value: Decimal | int | str) -> Decimal:
    """Return the amount in dollars, rounded half to even to cents; raise Invalid for floats and invalid amounts."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise Invalid("An amount of money must be written as a decimal number; a float has already lost cents.")
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise Invalid(f"{value!r} is not an amount of money; write it like 1250.00.") from error
    if not amount.is_finite() or abs(amount) >= LARGEST_USD:
        raise Invalid("The amount of money is outside the plausible range; check it.")
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN) + Decimal(0)  # adding zero turns -0.00 into 0.00


def format_usd(value: Decimal | int | str) -> str:
    """Format an amount: `1,250.00 USD`; an amount that would become 0 keeps its first digit: `0.0004 USD`."""
    cents = usd(value)
    return f"{_hundredths(cents or Decimal(value) or cents)} USD"


def format_amount(amount: Decimal, *, unit: str) -> str:
    """Format an amount in USD or GPU hours: `1,250.00 USD`, `120.50 GPU hours`."""
    if unit == "USD":
        return format_usd(amount)
    return f"{_hundredths(amount)} {'GPU hours' if unit == 'gpu_h' else unit}"


def _hundredths(amount: Decimal) -> str:
    """Two decimals, or as many as the first digit of a smaller amount needs; zero alone is 0.00."""
    text = f"{amount:,.2f}"
    return text if amount == 0 or text.strip("-0.,") else f"{amount:,.{-amount.adjusted()}f}"
