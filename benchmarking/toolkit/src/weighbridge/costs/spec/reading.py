"""Read inputs: turn a mapping from a spec file or the command line into the dataclasses of the calculators.

A number may be a 90 % range, `[low, high]`. Every error has the path of the invalid value.
"""

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.traffic import TrafficTier
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.uncertainty import Range

if TYPE_CHECKING:
    from weighbridge.costs.spec.pins import Pins

T = TypeVar("T")
ACCEPTED = "a number like 0.12, or a 90 % range like [0.1, 0.14]"


def amount(reader: Reader, key: str, *, at_least: float = -math.inf) -> float | Range:
    """Return the number or range under `key`; raise Invalid for other values and for numbers below `at_least`."""
    value = reader.plain(key)
    if isinstance(value, Mapping) and set(value) == {"low", "high"}:
        value = [value["low"], value["high"]]
    if not isinstance(value, list | tuple):
        number = float(reader.number(key))
        if number < at_least:
            raise reader.fault(key, f"must be {at_least:g} or more.")
        return number
    if len(value) != 2:
        raise reader.fault(key, f"must be {ACCEPTED}.")
    ends = [_number(end) for end in value]
    if ends[0] is None or ends[1] is None or not at_least <= ends[0] <= ends[1]:
        least = "" if at_least == -math.inf else f" of {at_least:g} or more"
        raise reader.fault(key, f"must be a range of two numbers{least}, the smaller first, like [0.1, 0.14].")
    return Range(ends[0], ends[1])


Given = Mapping[type, Mapping[str, Any]]


def inputs(kind: type[T], reader: Reader, *, prices: "Pins", given: Given) -> T:
    """Read a `kind` from the mapping and close the mapping; `given` has, by kind, fields that come from elsewhere.

    `prices` reads the prices. Errors of the dataclass itself get their path.
    """
    hints = typing.get_type_hints(kind, include_extras=True)
    values = dict(given.get(kind, {}))
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # a data class, whose type the stubs cannot name
        if field.name in values:
            continue
        is_needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if is_needed or reader.asks(field.name):
            values[field.name] = _value(field.name, hints[field.name], reader, prices, given)
    reader.close()
    try:
        return kind(**values)
    except Invalid as refused:
        raise placed(refused, reader, refused.field or "") from refused


def placed(refused: Invalid, reader: Reader, key: str) -> Invalid:
    """Return the error with its path in the document."""
    path = reader.at(key) if key else reader.path
    reason = refused.reason.removeprefix(f"{key} ") if key else refused.reason
    joint = " " if reason != refused.reason else ": "
    return Invalid(f"{path}{joint}{reason}", code=refused.code, field=path)


def _value(key: str, hint: Any, reader: Reader, prices: "Pins", given: Given) -> Any:
    """Read one field by its type; `X | None` is read as X if the key is present."""
    inner = [each for each in typing.get_args(hint) if each is not type(None)]
    if type(None) in typing.get_args(hint):
        return _value(key, inner[0], reader, prices, given)
    if typing.get_origin(hint) is typing.Annotated and isinstance(inner[1], str):
        return prices.read(reader, key, inner[1])
    if hint is ModelPrices:
        return prices.model(reader, key, given)
    if inner[:1] == [TrafficTier] and isinstance(reader.plain(key), Mapping):
        return prices.tiers(reader, key)
    if typing.get_origin(hint) is tuple:
        return reader.items(key, lambda item: inputs(inner[0], item, prices=prices, given=given))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return inputs(hint, reader.mapping(key), prices=prices, given=given)
    readers: dict[Any, Callable[[], Any]] = {
        int: lambda: reader.whole(key),
        float: lambda: float(reader.number(key)),
        str: lambda: reader.text(key),
        date: lambda: reader.day(key),
    }
    return readers.get(hint, lambda: amount(reader, key))()


def _number(value: object) -> float | None:
    try:
        number = float(str(value)) if not isinstance(value, bool) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
