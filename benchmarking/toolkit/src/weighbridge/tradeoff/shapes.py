"""Shapes: read plain JSON values into frozen dataclasses, strictly, with the path of an invalid key.

Fields may be texts, numbers, bools, enumerations, dataclasses, homogeneous tuples, mappings by str, and optional. A
number must be finite. Unknown keys are ignored: a file of the same version may have more fields.
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
WORDS = {
    str: "text",
    int: "a whole number",
    float: "a finite number",
    bool: "true or false",
    tuple: "a list",
    Mapping: "a mapping",
}


def read(kind: type[T], document: object, where: str = "") -> T:
    """Return `document` as a `kind`, a dataclass; raise Invalid with the path of the invalid key."""
    if not isinstance(document, Mapping):
        raise Invalid(f"{where or 'The document'} must be a mapping.", code="document_form", field=where)
    hints = typing.get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # a data class, whose type the stubs cannot name
        path = f"{where}.{field.name}" if where else field.name
        if field.name in document:
            values[field.name] = _value(hints[field.name], document[field.name], path)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise Invalid(f"{path} is missing.", code="document_form", field=path)
    try:
        return kind(**values)
    except Invalid as refusal:
        # A dataclass does not know its path in the document when it refuses its content.
        reason = f"{where}: {refusal.reason}" if where else refusal.reason
        raise Invalid(reason, code=refusal.code, field=where or refusal.field) from refusal


def _value(hint: Any, value: object, path: str) -> Any:
    kind, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind is types.UnionType:
        (inner,) = (argument for argument in arguments if argument is not types.NoneType)
        return None if value is None else _value(inner, value, path)
    if kind is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item, f"{path}[{index}]") for index, item in enumerate(value))
    if kind is Mapping and isinstance(value, dict):
        return {key: _value(arguments[1], item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return read(kind, value, path)
    if kind is Any or _is_a(kind, value):
        return value if kind is Any else kind(value)
    words = WORDS.get(kind) or f"one of {', '.join(kind)}"
    raise Invalid(f"{path} must be {words}, not {value!r:.40}.", code="document_form", field=path)


def _is_a(kind: type[Any], value: object) -> bool:
    """Return whether a value is a text, a number, true or false, or a member of an enumeration, as `kind` requires."""
    if issubclass(kind, StrEnum):
        return isinstance(value, str) and value in tuple(kind)
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return kind in (str, int) and isinstance(value, kind)
