"""Number formats of packets.

Bounds are rounded outward, so that the printed interval always contains the computed one.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from weighbridge.core.metrics.units import with_unit

_SIGNIFICANT_DIGITS = 4
_CENT = Decimal("0.01")
_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB")
_PLAIN_UP_TO = Decimal(10) ** 15


def number_text(value: Decimal, *, unit: str, rounding: str = ROUND_HALF_EVEN) -> str:
    """The number without its unit: US dollars to the cent, other numbers to four significant digits.

    Digits before the decimal point are never rounded. Thousands are separated by commas. `rounding` is a rounding mode
    of the `decimal` module.
    """
    if not value.is_finite() or abs(value) >= _PLAIN_UP_TO:
        return str(value)
    if unit == "USD" and (abs(value) >= 1 or value == 0):
        return f"{value.quantize(_CENT, rounding=rounding):,f}"
    places = max(0, _SIGNIFICANT_DIGITS - 1 - value.adjusted()) if value else 0
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=rounding)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def value_words(value: Decimal, *, unit: str) -> str:
    """The number with its unit: `41.83 ms`, `0.9041`, `1,240.00 USD`."""
    return with_unit(number_text(value, unit=unit), unit)


def interval_text(*, lower: Decimal | None, upper: Decimal | None, unit: str) -> str:
    """The interval without its unit: `40.1 to 43.9`, `at least 40.1`, `at most 43.9`, or nothing."""
    low = number_text(lower, unit=unit, rounding=ROUND_FLOOR) if lower is not None else ""
    high = number_text(upper, unit=unit, rounding=ROUND_CEILING) if upper is not None else ""
    if low and high:
        return f"{low} to {high}"
    if low:
        return f"at least {low}"
    return f"at most {high}" if high else ""


def bytes_words(size_bytes: int) -> str:
    """A file size in decimal units: `512 B`, `4.2 kB`, `97.8 MB`."""
    power = min((len(str(size_bytes)) - 1) // 3, len(_SIZE_UNITS) - 1)
    unit = _SIZE_UNITS[power]
    return f"{size_bytes} B" if power == 0 else f"{size_bytes / 1000**power:.1f} {unit}"
