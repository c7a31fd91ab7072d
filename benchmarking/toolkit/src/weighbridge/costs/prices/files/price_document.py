"""Read prices and what belongs to them from their documents, as `as_plain` wrote them."""

import dataclasses
import functools
import typing
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from weighbridge.core.documents import Reader
from weighbridge.costs.prices.files.exact_yaml import date_at
from weighbridge.costs.prices.files.sheet import hardware_of
from weighbridge.costs.prices.price import Hardware

T = TypeVar("T")


def record_of(kind: Callable[..., T], row: Reader) -> T:
    """Read a `kind`, such as a price, from its document; raise Invalid with the path of the invalid key."""
    return kind(**{name: read(row) for name, read in _fields_of(kind)})


@functools.cache
def _fields_of(kind: Any) -> tuple[tuple[str, Callable[[Reader], Any]], ...]:
    """Return each field of a dataclass with the function that reads it."""
    hints = typing.get_type_hints(kind)
    return tuple((field.name, _reader_of(hints[field.name], field)) for field in dataclasses.fields(kind))


def _reader_of(hint: Any, field: Any) -> Callable[[Reader], Any]:
    """Return the function that reads one field by its type; `X | None` is read as X if the key is present."""
    key, default = field.name, None if field.default is dataclasses.MISSING else field.default
    kind = typing.get_args(hint)[0] if typing.get_args(hint) else hint
    if typing.get_origin(hint) is tuple:
        return lambda row: row.items(key, functools.partial(record_of, kind))
    if dataclasses.is_dataclass(kind):
        return lambda row: _nested(kind, row.mapping(key))
    if issubclass(kind, StrEnum):
        return lambda row: row.choice(key, kind, default)
    if kind is date:
        return lambda row: date_at(row, key)
    if kind is str:
        return lambda row: row.text(key, default)
    return lambda row: row.number(key) if row.has(key) or hint is kind else None


def _nested(kind: Any, inner: Reader) -> Any:
    found = hardware_of(inner) if kind is Hardware else record_of(kind, inner) if inner.has_keys else None
    inner.close()
    return found
