"""Read prices exactly: decimals as written, dates as text."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

from weighbridge.core.documents import API_VERSION, Reader
from weighbridge.core.parsing.limits import DOCUMENT
from weighbridge.core.parsing.yaml_text import StrictLoader, parse_yaml

LARGEST_BYTES = DOCUMENT.bytes_max


class ExactLoader(StrictLoader):
    """The strict loader with exact numbers."""


def read_exact(text: str, *, name: str) -> Any:
    """Return the document in plain types; raise Invalid with the invalid line, TooLarge above 4 MB."""
    return parse_yaml(text, name=name, field="file", loader=ExactLoader, has_references=False)


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
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} is not text", key_node.start_mark)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


ExactLoader.add_constructor("tag:yaml.org,2002:float", _decimal)
ExactLoader.add_constructor("tag:yaml.org,2002:timestamp", _text)
ExactLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
