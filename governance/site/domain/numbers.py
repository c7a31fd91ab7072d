"""Whole numbers in addresses, forms and references."""

DIGITS_MAX = 18
"""As many digits as every id of the database can have."""


def whole_number(text: str) -> int | None:
    """The number that a text of at most 18 digits is; None for any other text, which is no number of a row.

    Only the digits 0 to 9 count: `²` is a digit to Python, and no number.
    """
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    return int(text) if is_number else None
