"""Formats numbers, amounts and times for pages.

A metric value with an interval is shown to two digits of the interval's width, any other number to three significant
digits; no digits before the decimal point are dropped. No number but zero is shown as zero: it gets the decimals that
its first digits need, and below 1E-12 it is shown as "<0.000000000001".
"""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

GAP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
_MOST_DECIMALS = 6
_SMALLEST = Decimal("1E-12")
_PRECISION = 100
_UNIT_WORDS = {
    "gpu_h": "GPU h",
    "cpu_h": "CPU h",
    "slice_h": "slice h",
    "GB_h": "GB h",
    "1/s": "/s",
    "ratio": "%",
    "USD": "USD",
    "1": "",
}
_STEPS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
)


def decimals_for(value: Decimal, *, lower: Decimal | None = None, upper: Decimal | None = None) -> int:
    """The number of decimals (0 to 12) to print for `value`, given its interval.

    A wide interval leaves a value below one its first two digits, so that it never becomes 0.
    """
    written = max(-int(value.normalize().as_tuple().exponent), 0) if value else 0
    if lower is not None and upper is not None and upper > lower:
        by_width = min(max(1 - (upper - lower).adjusted(), 0), _MOST_DECIMALS)
        return max(by_width, min(_first_digits(value, count=2), written)) if value else by_width
    if value == 0:
        return 0
    wanted = min(max(2 - value.adjusted(), 0), _MOST_DECIMALS)
    return min(max(wanted, _first_digits(value)), written)


def _first_digits(value: Decimal, *, count: int = 1) -> int:
    """The decimals that show the first `count` digits of a number below one; at most 12."""
    return min(max(count - 1 - value.adjusted(), 0), -_SMALLEST.adjusted()) if abs(value) < 1 else 0


def format_number(value: Decimal, *, decimals: int | None = None) -> str:
    """1234.5 -> "1,234.5"; a real minus sign; no exponent, whatever the size; more decimals rather than a false 0."""
    if 0 < abs(value) < _SMALLEST:
        return f"<{_SMALLEST:f}" if value > 0 else f">{MINUS}{_SMALLEST:f}"
    rounded = _rounded(value, decimals_for(value) if decimals is None else decimals)
    if value and not rounded:
        rounded = _rounded(value, _first_digits(value))
    text = f"{abs(rounded):,f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def _rounded(value: Decimal, decimals: int) -> Decimal:
    with localcontext(prec=_PRECISION):
        return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)


def format_usd(value: Decimal) -> str:
    """$12,340 from a thousand up, $12.30 from one up, two significant digits below ($0.0042)."""
    size = abs(value)
    if size >= 1000 or size == 0:
        places = 0
    elif size >= 1:
        places = 2
    else:
        places = min(max(1 - size.adjusted(), 2), 8)
    return _with_dollar(format_number(value, decimals=places))


def _with_dollar(number: str) -> str:
    """The dollar sign before the digits and after the signs: "-1" -> "-$1"."""
    digits = number.lstrip(f"<>{MINUS}")
    return f"{number.removesuffix(digits)}${digits}"


def unit_words(unit: str) -> str:
    """The unit as printed beside a number: "gpu_h" -> "GPU h", "ratio" -> "%"."""
    return _UNIT_WORDS.get(unit, unit)


def shown_value(
    value: Decimal,
    *,
    unit: str,
    lower: Decimal | None = None,
    upper: Decimal | None = None,
    bound: Decimal | None = None,
) -> str:
    """The number of a metric value (or its `bound`) to the digits of the interval; without its unit, but with a "$"."""
    target = value if bound is None else bound
    if unit == "USD":
        return format_usd(target)
    factor = Decimal(100) if unit == "ratio" else Decimal(1)
    low, high = (None if end is None else end * factor for end in (lower, upper))
    return format_number(target * factor, decimals=decimals_for(target * factor, lower=low, upper=high))


def shown_unit(unit: str) -> str:
    """The unit after the number; empty for dollars, whose sign is before it."""
    return "" if unit == "USD" else unit_words(unit)


def format_quantity(value: Decimal, *, unit: str) -> str:
    """Number and unit in one: "12.4 ms", "$1,200", "91.3 %"."""
    words = shown_unit(unit)
    number = shown_value(value, unit=unit)
    return f"{number}{GAP}{words}" if words else number


def format_exact(amount: Decimal, *, unit: str) -> str:
    """An amount of a ledger, to the cent: "$1,234.50", "12.50 GPU h"."""
    number = format_number(amount, decimals=2)
    return _with_dollar(number) if unit == "USD" else f"{number}{GAP}{shown_unit(unit)}"


def format_moment(at: datetime) -> str:
    """ "24 Nov 2026, 23:30 UTC", in UTC for all users."""
    moment = at.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def format_ago(at: datetime, *, now: datetime) -> str:
    """ "3 min ago", "in 2 days", "just now"; the largest whole unit, rounded down."""
    distance = abs(now - at)
    for step, word in _STEPS:
        count = distance // step
        if count:
            plural = "s" if count > 1 and word in {"day", "month", "year"} else ""
            span = f"{count} {word}{plural}"
            return f"{span} ago" if at <= now else f"in {span}"
    return "just now"


def format_size(size_bytes: int) -> str:
    """1530000 -> "1.53 MB", in powers of a thousand."""
    if size_bytes < 1000:
        return f"{size_bytes}{GAP}B"
    value = Decimal(size_bytes)
    for word in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 1000 or word == "TB":
            break
    return f"{format_number(value, decimals=max(2 - value.adjusted(), 0))}{GAP}{word}"


def short_digest(digest: str) -> str:
    """ "sha256:0123…" -> its first twelve digits."""
    return digest.removeprefix("sha256:")[:12]


def initials(name: str) -> str:
    """One or two initials for the avatar of a person."""
    words = [word for word in name.replace(".", " ").replace("_", " ").replace("-", " ").split() if word]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
