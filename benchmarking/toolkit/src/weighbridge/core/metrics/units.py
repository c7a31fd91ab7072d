"""Units as people read them."""

from decimal import Decimal

DECIMALS_MAX = 9
_WORDS = {"gpu_h": "GPU h", "cpu_h": "CPU h", "slice_h": "slice h", "GB_h": "GB h", "1/s": "per s", "ratio": ""}


def unit_words(unit: str) -> str:
    """Return the unit as text; "" for a ratio."""
    return _WORDS.get(unit, unit)


def with_commas(number: str) -> str:
    """Return the digits before the decimal point in groups of three: `50,000.5`; anything else unchanged."""
    whole, point, rest = number.partition(".")
    return f"{int(whole):,}{point}{rest}" if whole.isdecimal() else number


def with_unit(number: str, unit: str) -> str:
    """Return the number with its unit, like `41.83 ms`; the number alone if it is a ratio."""
    return f"{number} {unit_words(unit)}".rstrip()


def share_text(share: float | Decimal, *, decimals: int = 0) -> str:
    """Return a share as a percentage, `0.125` -> `12%`; with more digits if it would read as 0% or 100% and is not."""
    text = f"{share:.{decimals}%}"
    if share < 1 and text.startswith("100") and decimals < DECIMALS_MAX:
        return share_text(share, decimals=decimals + 1)
    return f"{share * 100:.1g}%" if share and not any(digit in text for digit in "123456789") else text
