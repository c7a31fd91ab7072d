"""The converter between frozen dataclasses and JSON documents.

Documents use JSON types: decimals and times become text, enumerations their values, tuples lists. Reading is strict: an
unknown key, a missing key or a value of another type raises Invalid. Use `canonical` for documents that are hashed.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar, get_args, get_origin

import cattrs
import cattrs.v
from cattrs.cols import homogenous_tuple_structure_factory

from weighbridge.core.canonical import plain
from weighbridge.core.errors import Invalid, Refused

T = TypeVar("T")
MAX_REASONS = 3
CONVERTER = cattrs.Converter(forbid_extra_keys=True, unstruct_collection_overrides={tuple: list})


def to_document(value: object) -> Any:
    """Convert dataclasses, also nested, to JSON types."""
    return CONVERTER.unstructure(value)


def from_document(kind: type[T], document: object, *, name: str, advice: str = "") -> T:
    """Convert a document written by `to_document` back to a value of type `kind`.

    Raises Invalid for any other document: `name` says what could not be read, `advice` what to do. Errors raised by the
    class itself pass through.
    """
    try:
        return CONVERTER.structure(document, kind)
    except (cattrs.BaseValidationError, AttributeError, TypeError) as error:
        if (refusal := _refusal_in(error)) is not None:
            raise refusal from error
        reasons = cattrs.transform_error(error, path=name, format_exception=_error_text)
        details = "; ".join(reasons[:MAX_REASONS]).replace(" @ ", " at ")
        raise Invalid(f"The {name} cannot be read: {details}. {advice}".strip(), field=name) from error


def _error_text(error: BaseException, kind: Any) -> str:
    is_no_object = isinstance(error, AttributeError) or (isinstance(error, TypeError) and kind is None)
    return "expected an object" if is_no_object else cattrs.v.format_exception(error, kind)


def _refusal_in(error: BaseException) -> Refused | None:
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := _refusal_in(inner))), None)
    return error if isinstance(error, Refused) else None


def _exactly(*kinds: type) -> Callable[[Any, Any], Any]:
    """Accept only values of these types, without implicit conversion."""

    def checked(value: Any, _: Any) -> Any:
        if type(value) not in kinds:
            raise TypeError
        return value

    return checked


def _decimal(value: Any, _: Any) -> Decimal:
    try:
        return Decimal(_exactly(str)(value, str))
    except InvalidOperation as error:
        raise ValueError from error


def _homogeneous(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis


def _tuple_from_list(kind: Any, converter: cattrs.BaseConverter) -> Callable[[Any, Any], Any]:
    """Read a tuple only from a list: a text or an object would give its characters or keys."""
    structure = homogenous_tuple_structure_factory(kind, converter)
    return lambda value, _: structure(_exactly(list, tuple)(value, kind), kind)


for scalar in (Decimal, datetime, date):
    CONVERTER.register_unstructure_hook(scalar, plain)
for own, accepted in ((str, (str,)), (bool, (bool,)), (int, (int,)), (float, (float, int))):
    CONVERTER.register_structure_hook(own, _exactly(*accepted))
# Needed because an enumeration of texts would otherwise use the hooks of `str`.
CONVERTER.register_unstructure_hook(StrEnum, lambda value: value.value)
CONVERTER.register_structure_hook(StrEnum, lambda value, kind: kind(value))
CONVERTER.register_structure_hook_factory(_homogeneous, _tuple_from_list)
CONVERTER.register_structure_hook(Decimal, _decimal)
CONVERTER.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
CONVERTER.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
