"""Strict reading of JSON from another machine: UTF-8, no duplicate key, no NaN, and limits on size and depth."""

import json
from typing import Any, NoReturn

from weighbridge.core.errors import Invalid

DEPTH_MAX = 20


def read_object(content: bytes, *, bytes_max: int, name: str) -> dict[str, Any]:
    """Return the JSON object; raise Invalid, which names the source `name`, for anything else."""
    if len(content) > bytes_max:
        raise Invalid(f"{name} is larger than {bytes_max:,} bytes.", code="not_json")
    try:
        document = json.loads(content.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{name} is not valid JSON.", code="not_json") from error
    if not isinstance(document, dict) or _is_deeper(document, DEPTH_MAX):
        raise Invalid(f"{name} is not a JSON object of at most {DEPTH_MAX} levels.", code="not_json")
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A key is there twice.")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON.")


def _is_deeper(document: dict[str, Any], depth: int) -> bool:
    level: list[dict[str, Any] | list[Any]] = [document]
    for _ in range(depth):
        values = (value for each in level for value in (each.values() if isinstance(each, dict) else each))
        level = [value for value in values if isinstance(value, dict | list)]
        if not level:
            return False
    return True
