"""Read prices exactly: decimals as written, dates as text, no duplicate keys, no references."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

from weighbridge.core.documents import API_VERSION, Reader
from weighbridge.core.errors import Invalid, TooLarge

LARGEST_BYTES = 4_000_000


class ExactLoader(yaml.CSafeLoader):
    """The safe loader with exact numbers."""


def read_exact(text: str, *, name: str) -> Any:
    """Return the document in plain types; raise Invalid with the invalid line, TooLarge above 4 MB."""
    if len(text.encode(errors="replace")) > LARGEST_BYTES:
        raise TooLarge(f"{name} is larger than {LARGEST_BYTES // 1_000_000} MB; split it.", field="file")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader)):
            raise Invalid(f"{name} uses references (*name); write every value out.", field="file")
        return yaml.load(text, Loader=ExactLoader)  # noqa: S506 -- a subclass of the safe loader
    except (yaml.YAMLError, ValueError) as error:  # a number of more than 4,300 digits is a ValueError
        raise Invalid(f"{name} is not valid YAML: {' '.join(str(error).split())}.", field="file") from error


def reader_of(document: object, kind: str) -> Reader:
    """Return the reader of a document of this kind; raise Invalid for another one."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", kind)
    return reader


def date_at(reader: Reader, key: str, default: str | None = None) -> date:
    """Return the date under `key`, written like 2026-09-01."""
    text = reader.text(key, default)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise reader.fault(key, "must be a date like 2026-09-01.") from error


def _text(loader: Any, node: Any) -> str:
    return str(loader.construct_scalar(node))


def _decimal(loader: Any, node: Any) -> Decimal:
    try:
        return Decimal(loader.construct_scalar(node))
    except InvalidOperation as error:
        raise yaml.constructor.ConstructorError(None, None, f"{node.value} is not a number", node.start_mark) from error


def _mapping(loader: Any, node: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str) or key in found:
            reason = f"{key!r} is not text" if not isinstance(key, str) else f"{key!r} occurs twice"
            raise yaml.constructor.ConstructorError(None, None, reason, key_node.start_mark)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


ExactLoader.add_constructor("tag:yaml.org,2002:float", _decimal)
ExactLoader.add_constructor("tag:yaml.org,2002:timestamp", _text)
ExactLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
