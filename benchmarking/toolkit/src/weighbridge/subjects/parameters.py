"""Parameters of a managed model: JSON whose numbers are exact, in a form that equal parameters share."""

from collections.abc import Mapping
from decimal import Decimal

from weighbridge.core.canonical import plain
from weighbridge.core.documents import Reader

DEEPEST = 10
MOST_VALUES = 1_000
LONGEST_TEXT = 20_000
LARGEST_WHOLE = 2**53
"""Numbers above this differ between programs that read JSON."""


def parameters_in(reader: Reader, key: str) -> dict[str, object]:
    """Return the mapping under the key in canonical form, empty if it is missing.

    Raises Invalid for other values, more than 1,000 of them, more than ten levels, and numbers that JSON does not keep
    exactly.
    """
    if not reader.asks(key):
        return {}
    value = reader.plain(key)
    if not isinstance(value, Mapping):
        raise reader.fault(key, "must be a mapping of parameters to values.")
    _check(reader, key, value)
    return {str(name): _exact(item) for name, item in value.items()}


def _check(reader: Reader, key: str, value: object) -> None:
    """Check all values, level by level."""
    level, count = [value], 0
    for _ in range(DEEPEST):
        inner = list[object]()
        for item in level:
            _check_value(reader, key, item)
            inner += _children(item)
        count += len(inner)
        if count > MOST_VALUES:
            raise reader.fault(key, f"must have at most {MOST_VALUES:,} values.")
        level = inner
        if not level:
            return
    raise reader.fault(key, f"must have at most {DEEPEST} levels.")


def _children(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def _check_value(reader: Reader, key: str, value: object) -> None:
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) and 0 < len(name) <= LONGEST_TEXT for name in value):
            raise reader.fault(key, "must have names that are text.")
    elif isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise reader.fault(key, f"must have texts of at most {LONGEST_TEXT:,} characters.")
    elif isinstance(value, int | float | Decimal):
        if not _is_exact(value):
            raise reader.fault(key, f"has the number {value}, which JSON does not keep exactly; write it as text.")
    elif value is not None and not isinstance(value, list | tuple):
        raise reader.fault(key, "must have values of JSON: texts, numbers, true, false, null, lists and mappings.")


def _is_exact(value: float | Decimal) -> bool:
    """Whether every program reads the number as this value."""
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value) <= LARGEST_WHOLE and Decimal(str(float(value))) == value
    return abs(value) <= LARGEST_WHOLE


def _exact(value: object) -> object:
    """Return the value in the form of `core.canonical`; decimals become numbers, which `_check` found to be exact."""
    if isinstance(value, Decimal):
        return plain(float(value))
    if isinstance(value, Mapping):
        return {str(name): _exact(item) for name, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list | tuple) else plain(value)
