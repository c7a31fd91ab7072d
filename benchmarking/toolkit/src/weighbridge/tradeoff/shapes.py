"""Shapes: read plain JSON values into frozen dataclasses, strictly, with the path of an invalid key.

Field types: str, int, float, bool, enumerations, other dataclasses, homogeneous tuples, mappings with str keys, and
optional variants of these. A number must be finite; a bool is not a number. Unknown keys are ignored: a file of the
same version may have more fields.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from weighbridge.core.errors import Invalid

T = TypeVar("T")
WORDS = {str: "text", int: "a whole number", float: "a finite number", bool: "true or false"}


def read(kind: type[T], document: object, where: str = "") -> T:
    """Return `document` as a `kind`, a dataclass; raise Invalid with the path of the invalid key."""
    if not isinstance(document, Mapping):
        raise Invalid(f"{where or 'The document'} must be a mapping.", code="document_form", field=where)
    hints = typing.get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        path = f"{where}.{field.name}" if where else field.name
        if field.name in document:
            values[field.name] = _value(hints[field.name], document[field.name], path)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise Invalid(f"{path} is missing.", code="document_form", field=path)
    try:
        return kind(**values)
    except Invalid as refusal:
        # A dataclass does not know its path in the document when it refuses its content.
        raise Invalid(
            f"{where}: {refusal.reason}" if where else refusal.reason, code=refusal.code, field=where or refusal.field
        ) from refusal


def _value(hint: Any, value: object, path: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        (inner,) = (argument for argument in arguments if argument is not types.NoneType)
        return None if value is None else _value(inner, value, path)
    if origin is tuple:
        items = _of(list, value, path, "a list")
        return tuple(_value(arguments[0], item, f"{path}[{index}]") for index, item in enumerate(items))
    if origin is Mapping:
        entries = _of(dict, value, path, "a mapping")
        return {key: _value(arguments[1], item, f"{path}.{key}") for key, item in entries.items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return read(hint, value, path)
    return _scalar(hint, value, path)


def _of(kind: type[T], value: object, path: str, words: str) -> T:
    if not isinstance(value, kind):
        raise Invalid(f"{path} must be {words}, not {value!r:.40}.", code="document_form", field=path)
    return value


def _scalar(hint: Any, value: object, path: str) -> object:
    if hint is Any:
        return value
    if issubclass(hint, StrEnum):
        return _member(hint, value, path)
    is_switch = isinstance(value, bool)
    if hint is float and isinstance(value, int | float) and not is_switch and math.isfinite(value):
        return float(value)
    if hint is not float and isinstance(value, hint) and (hint is bool or not is_switch):
        return value
    raise Invalid(f"{path} must be {WORDS[hint]}, not {value!r:.40}.", code="document_form", field=path)


def _member(hint: type[StrEnum], value: object, path: str) -> StrEnum:
    known = {member.value: member for member in hint}
    if not isinstance(value, str) or value not in known:
        raise Invalid(f"{path} must be one of {', '.join(known)}, not {value!r:.40}.", code="document_form", field=path)
    return known[value]
