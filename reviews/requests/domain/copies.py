"""Copy a value into another shape."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def copy_of(source: object, kind: type[T], /, **own: Any) -> T:
    """A value of the dataclass `kind`: the fields in `own`, and the others from the attributes of the same name."""
    names = [field.name for field in fields(kind) if field.name not in own]
    return kind(**{name: getattr(source, name) for name in names}, **own)
