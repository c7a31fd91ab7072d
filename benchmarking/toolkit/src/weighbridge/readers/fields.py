"""Look-ups in another tool's document: what is missing is None, what has another type raises Invalid."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, overload

from weighbridge.core.documents import REPLACEMENT
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.values import is_plausible
from weighbridge.core.parsing.limits import DIGITS_MAX

TEXT_CHARS_MAX = 500
LISTED_MAX = 50
LARGEST_COUNT = 10**15
MS_PER_S = 1_000
_EXPONENT_MAX = 400
_UNPRINTABLE = ("Cc", "Cf", "Zl", "Zp")


class Fields:
    """One mapping of a document; `path` and `file` are for the sentences of errors."""

    def __init__(self, document: object, *, file: str, path: str = "") -> None:
        """Take a mapping; None is an empty one, and anything else raises Invalid."""
        self.file, self.path = file, path
        if document is not None and not isinstance(document, Mapping):
            raise self._fault("", "must be an object")
        self._document: Mapping[str, Any] = document or {}

    @property
    def names(self) -> tuple[str, ...]:
        """The keys."""
        return tuple(map(str, self._document))

    @property
    def mapping(self) -> Mapping[str, Any]:
        """The mapping itself, for a reader of its own."""
        return self._document

    def plain(self, key: str) -> Any:
        """Return a value of any type; None if there is none."""
        return self._document.get(key)

    def inside(self, *keys: str) -> "Fields":
        """Return a nested mapping; an empty one if it is missing."""
        found = self
        for key in keys:
            found = Fields(found.plain(key), file=found.file, path=found._at(key))
        return found

    def entries(self, key: str) -> tuple["Fields", ...]:
        """Return a list of mappings; empty if it is missing."""
        return tuple(
            Fields(each, file=self.file, path=f"{self._at(key)}[{place}]") for place, each in enumerate(self.list(key))
        )

    def list(self, key: str) -> list[Any]:
        """Return a list; empty if it is missing."""
        value = self.plain(key)
        if value is not None and not isinstance(value, list):
            raise self._fault(key, "must be a list")
        return value or []

    def text(self, key: str) -> str | None:
        """Return printable text; None if it is missing or blank."""
        value = self.plain(key)
        if value is not None and not isinstance(value, str):
            raise self._fault(key, "must be text")
        return (printable(value) or None) if value else None

    def flag(self, key: str) -> bool | None:
        """Return true or false; None if it is missing."""
        value = self.plain(key)
        if value is not None and not isinstance(value, bool):
            raise self._fault(key, "must be true or false")
        return value

    def number(self, key: str) -> Decimal | None:
        """Return a finite number with its exact digits; None if it is missing."""
        value = self.plain(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self._fault(key, "must be a number, and neither NaN nor infinite")
        return Decimal(value)

    def quantity(self, key: str) -> float:
        """Return a number that must be there, within the range that is stored, 1e-30 to 1e16, or zero."""
        value = self.number(key)
        if value is None or not is_plausible(value):
            raise self._fault(key, "must be a number between 1e-30 and 1e16, or zero")
        return float(value)

    def share(self, key: str) -> float:
        """Return a number from 0 to 1 that must be there."""
        value = self.quantity(key)
        if not 0 <= value <= 1:
            raise self._fault(key, "must be a number from 0 to 1")
        return value

    def interval(self, key: str) -> tuple[float, float, float]:
        """Return the value, the lower and the upper bound of a metric that must be there, in this order."""
        metric = self.inside(key)
        value, lower, upper = (metric.quantity(name) for name in ("value", "lower", "upper"))
        if not lower <= value <= upper:
            raise self._fault(key, "must have a value between its bounds")
        return value, lower, upper

    def whole(self, key: str, *, at_least: int, at_most: int) -> int:
        """Return a whole number in a range that must be there."""
        value = self.count(key)
        if value is None or not at_least <= value <= at_most:
            raise self._fault(key, f"must be a whole number from {at_least:,} to {at_most:,}")
        return value

    def count(self, key: str) -> int | None:
        """Return a whole number, zero or more; None if it is missing. `30.0` is 30."""
        value = self.number(key)
        if value is None:
            return None
        if value < 0 or value > LARGEST_COUNT or value != int(value):
            raise self._fault(key, "must be a whole number, zero or more")
        return int(value)

    def moment(self, key: str) -> datetime | None:
        """Return a time in ISO 8601; None if it is missing or has no time zone."""
        value = self.text(key)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value)
        except ValueError as error:
            raise self._fault(key, "must be a time like 2026-07-20T12:00:00Z") from error
        return found if found.tzinfo is not None and found.utcoffset() is not None else None

    def unix_moment(self, key: str, *, per_s: int = 1) -> datetime | None:
        """Return a time from a number of seconds since 1970 (UTC), or of `per_s` parts of them; None if missing."""
        value = self.number(key)
        try:
            return datetime.fromtimestamp(float(value / per_s), UTC) if value else None
        except (OverflowError, ValueError, OSError, InvalidOperation) as error:
            raise self._fault(key, "must be a number of seconds since 1970") from error

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}".strip(".")

    def _fault(self, key: str, reason: str) -> Invalid:
        at = printable(self._at(key))
        return Invalid(f"{self.file} cannot be read: {at or 'the document'} {reason}.", field=at or "file")


def printable(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """Return one line of text without control and direction characters, cut to `chars_max` with an ellipsis."""
    kept = "".join(" " if unicodedata.category(each) in _UNPRINTABLE else each for each in text[: 4 * chars_max])
    line = " ".join(kept.encode(errors="replace").decode().split())
    line = line.replace("\0", REPLACEMENT)
    return line if len(line) <= chars_max else line[: chars_max - 1] + "…"


def shown(value: object) -> str:
    """Return a setting as text: true and false like JSON, numbers with their digits, plain lists with commas.

    None, an object, and what is nested in a list give no text.
    """
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return printable(", ".join(shown(each) for each in value[:LISTED_MAX] if not isinstance(each, list | Mapping)))
    return printable(str(value))


def number_of(text: str, *, file: str, name: str) -> Decimal:
    """Return the finite number in a text; raise Invalid for any other text, NaN and infinity included."""
    try:
        number = Decimal(text.strip()) if len(text) <= 2 * DIGITS_MAX and text.isascii() else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or "_" in text or abs(number.adjusted()) > _EXPONENT_MAX:
        reason = f"{printable(name)} must be a number, and neither NaN nor infinite; it is {printable(text, 60)!r}"
        raise Invalid(f"{file} cannot be read: {reason}.", field=printable(name))
    return number


@overload
def scaled(number: Decimal, power: int) -> Decimal: ...
@overload
def scaled(number: Decimal | None, power: int) -> Decimal | None: ...
def scaled(number: Decimal | None, power: int) -> Decimal | None:
    """Return the number times ten to `power`, without rounding: nanoseconds to milliseconds are -6."""
    if number is None:
        return None
    sign, digits, exponent = number.as_tuple()
    moved = Decimal((sign, digits, int(exponent) + power))
    return Decimal(f"{moved:f}")
