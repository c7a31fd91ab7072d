"""A packet as JSON and back, and the digest that is printed on it."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Union, get_args, get_origin, get_type_hints

from reviews.packets.domain.packet import SCHEMA, Packet
from weighbridge.core.canonical import plain
from weighbridge.core.errors import Invalid


def as_document(packet: Packet) -> dict[str, Any]:
    """The packet in JSON's own types; the same packet always gives the same document."""
    return {one.name: plain_of(getattr(packet, one.name)) for one in fields(packet)}


def plain_of(value: object) -> object:
    """A dataclass, or anything made of them, in JSON's own types."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain_of(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [plain_of(item) for item in value]
    return plain(value)


def from_document(document: Mapping[str, Any]) -> Packet:
    """The packet a document was made from. Raises Invalid for another schema or a document that is not a packet."""
    if document.get("schema") != SCHEMA:
        raise Invalid(f"This is not a packet of the schema {SCHEMA}; make the packet again.", field="schema")
    try:
        packet: Packet = revived(Packet, document)
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise Invalid(f"The packet's document is damaged ({error}); make the packet again.") from error
    return packet


def revived(kind: Any, value: Any) -> Any:
    """The value of that type which `plain_of` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    if get_origin(kind) in {Union, types.UnionType}:
        return None if value is None else revived(get_args(kind)[0], value)
    if get_origin(kind) is tuple:
        return tuple(revived(get_args(kind)[0], item) for item in value)
    if is_dataclass(kind):
        build: Any = kind
        hints = get_type_hints(kind)
        return build(**{name: revived(hints[name], item) for name, item in value.items()})
    if kind is Decimal:
        return Decimal(value)
    if kind in {datetime, date}:
        return kind.fromisoformat(value)
    return value
