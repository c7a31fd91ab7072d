"""Strict reading of documents: unknown keys and wrong types are errors that name the path of the key.

The input is a mapping parsed from YAML or JSON. This module does not know the meaning of the documents.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.values import is_plausible

API_VERSION = "weighbridge/v1"

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")
_MISSING = object()
LARGEST_WHOLE = 1_000_000_000
REPLACEMENT = "\ufffd"
UNSTORABLE = "contains a character that cannot be stored."


def is_storable(text: str) -> bool:
    """Whether a database and a file can store the text: it has no NUL character and no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def cleaned(text: str, *, chars_max: int | None = None) -> str:
    """The text with each character that cannot be stored replaced, cut to `chars_max` characters with an ellipsis."""
    storable = text.replace("\0", REPLACEMENT)
    if not is_storable(storable):
        storable = "".join(REPLACEMENT if "\ud800" <= character <= "\udfff" else character for character in storable)
    return storable if chars_max is None or len(storable) <= chars_max else storable[: chars_max - 1] + "…"


class Reader:
    """Reads one mapping; `close` raises Invalid for keys that were not read.

    Without a default, a method requires its key. With a default, a missing or null key gives the default.
    """

    def __init__(self, document: object, *, path: str = "") -> None:
        if not isinstance(document, Mapping):
            raise Invalid(f"{path or 'The document'} must be a mapping of names to values.", field=path or None)
        if not path:
            _check_storable(document)
        self._document = document
        self._path = path
        self._seen: set[str] = set()

    @property
    def has_keys(self) -> bool:
        """Whether the mapping has any key."""
        return bool(self._document)

    @property
    def names(self) -> tuple[str, ...]:
        """All keys of the mapping, for mappings whose keys are names chosen by a person."""
        return tuple(str(key) for key in self._document)

    def has(self, key: str) -> bool:
        """Whether the mapping has a value for the key."""
        return self._document.get(key) is not None

    def asks(self, key: str) -> bool:
        """Whether the mapping has a value for the key; marks the key as known in any case."""
        self._seen.add(key)
        return self.has(key)

    @property
    def path(self) -> str:
        """The path of this mapping in the document."""
        return self._path

    def at(self, key: str) -> str:
        """The path of a key, like `rules[2].limit`."""
        return f"{self._path}.{key}" if self._path else key

    def fault(self, key: str, reason: str) -> Invalid:
        """The error to raise for a key."""
        return Invalid(f"{self.at(key)} {reason}", field=self.at(key))

    def text(self, key: str, default: str | None = None) -> str:
        """Non-blank text, stripped."""
        value = self._take(key, default)
        if not isinstance(value, str) or not (value.strip() or value == default):
            raise self.fault(key, "must be text.")
        return value.strip()

    def whole(self, key: str, default: int | None = None, *, at_least: int = 0, at_most: int = LARGEST_WHOLE) -> int:
        """An integer from `at_least` to `at_most`."""
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
            raise self.fault(key, f"must be a whole number, {at_least} or more.")
        if value > at_most:
            raise self.fault(key, f"must be at most {at_most:,}.")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """True or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.fault(key, "must be true or false.")
        return value

    def day(self, key: str) -> date:
        """A date, parsed by YAML or as text like 2026-07-20."""
        value = self._take(key, None)
        try:
            return value if type(value) is date else date.fromisoformat(str(value))
        except ValueError:
            raise self.fault(key, "must be a date like 2026-07-20.") from None

    def plain(self, key: str) -> object:
        """A value of any type; the caller validates it."""
        return self._take(key, None)

    def number(self, key: str) -> Decimal:
        """A finite number, exactly as written (a float by its shortest representation)."""
        value = self._take(key, None)
        try:
            number = Decimal(str(value)) if isinstance(value, int | float | str | Decimal) else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if isinstance(value, bool) or not number.is_finite():
            raise self.fault(key, "must be a number.")
        if not is_plausible(number):
            raise self.fault(key, "is outside the plausible range.")
        return number

    def choice(self, key: str, kind: type[E], default: E | None = None) -> E:
        """A member of an enumeration."""
        value = self._take(key, default)
        if value not in tuple(kind):
            raise self.fault(key, f"must be one of {', '.join(kind)}.")
        return kind(str(value))

    def constant(self, key: str, expected: object, *, is_required: bool = True) -> None:
        """Check a key that has only one allowed value."""
        value = self._take(key, None if is_required else expected)
        if value != expected or type(value) is not type(expected):
            raise self.fault(key, f"must be {str(expected).lower() if expected is True else expected}.")

    def words(self, key: str) -> tuple[str, ...]:
        """A list of distinct texts; empty if the key is missing."""
        value = self._take(key, _MISSING)
        if value is _MISSING:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self.fault(key, "must be a list of texts.")
        if len(set(value)) != len(value):
            raise self.fault(key, "contains a duplicate.")
        return tuple(value)

    def mapping(self, key: str) -> "Reader":
        """A nested mapping; empty if the key is missing."""
        value = self._take(key, _MISSING)
        return Reader({} if value is _MISSING else value, path=self.at(key))

    def items(self, key: str, read: Callable[["Reader"], T]) -> tuple[T, ...]:
        """A list of mappings, each read by `read` and closed; empty if the key is missing."""
        value = self._take(key, _MISSING)
        if value is _MISSING:
            return ()
        if not isinstance(value, list | tuple):
            raise self.fault(key, "must be a list.")
        values = []
        for position, item in enumerate(value):
            reader = Reader(item, path=f"{self.at(key)}[{position}]")
            values.append(read(reader))
            reader.close()
        return tuple(values)

    def close(self) -> None:
        """Raise Invalid for keys that were not read: a misspelled key must not silently give its default."""
        for key in self._document:
            if key not in self._seen:
                known = ", ".join(sorted(self._seen))
                raise self.fault(str(key), f"is unknown; the known keys are {known}.")

    def _take(self, key: str, default: object) -> object:
        self._seen.add(key)
        value = self._document.get(key)
        if value is not None:
            return value
        if default is None:
            raise self.fault(key, "is missing.")
        return default


def check_unique(ids: tuple[str, ...], *, path: str, name: str = "id") -> None:
    """Raise Invalid for a duplicate id."""
    for position, item in enumerate(ids):
        if item in ids[:position]:
            field = f"{path}[{position}].{name}"
            raise Invalid(f"{field} repeats {item!r}; each must be unique.", field=field)


def _check_storable(document: object) -> None:
    """Check all keys and values, however deep. A document from YAML may contain itself."""
    found, seen = [("", document)], set[int]()
    while found:
        path, value = found.pop()
        if isinstance(value, str) and not is_storable(value):
            raise Invalid(f"{path or 'The document'} {UNSTORABLE}", field=path or None)
        if isinstance(value, str) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Mapping):
            found += [(path, key) for key in value]
            found += [(f"{path}.{key}".lstrip("."), inner) for key, inner in value.items()]
        if isinstance(value, list | tuple):
            found += [(f"{path}[{place}]", inner) for place, inner in enumerate(value)]
