"""Frozen dataclasses filled from rows whose attributes have the same names."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

K = TypeVar("K", bound="DataclassInstance")


def from_row(kind: type[K], row: object, /, **computed: Any) -> K:
    """A value of type `kind`: the `computed` fields as given, every other field as the row has it."""
    copied = {field.name: getattr(row, field.name) for field in fields(kind) if field.name not in computed}
    return kind(**copied, **computed)
