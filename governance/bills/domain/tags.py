"""Canonical tags of bill rows: a JSON object of texts with sorted names."""

import json

from weighbridge.core.errors import Refused
from weighbridge.core.parsing.json_text import parse_json


def canonical(text: str | None) -> tuple[str, bool]:
    """The tags as canonical JSON, and whether the text was unreadable (then there are no tags).

    Exports contain an object, or a list of pairs `{"key": …, "value": …}`. Values other than text become JSON.
    Characters that PostgreSQL cannot store are replaced.
    """
    if text is None:
        return "{}", False
    try:
        parsed = parse_json(text, is_cleaning=True)
    except Refused:
        return "{}", True
    if isinstance(parsed, list) and all(isinstance(one, dict) and "key" in one for one in parsed):
        parsed = {str(one["key"]): one.get("value") for one in parsed}
    if not isinstance(parsed, dict):
        return "{}", True
    words = {str(name): _word(value) for name, value in parsed.items() if value is not None}
    return json.dumps(words, ensure_ascii=False, sort_keys=True, separators=(",", ":")), False


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
