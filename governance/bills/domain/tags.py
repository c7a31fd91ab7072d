"""Tags of a bill's rows in one spelling: a JSON object of texts with sorted names."""

import json


def canonical(text: str | None) -> tuple[str, bool]:
    """The tags as canonical JSON, and whether what stood there could not be read (then there are none).

    Exports write an object, or a list of pairs `{"key": …, "value": …}`; values that are no text are written as JSON.
    """
    if text is None:
        return "{}", False
    try:
        told = json.loads(text)
    except ValueError:
        return "{}", True
    if isinstance(told, list) and all(isinstance(one, dict) and "key" in one for one in told):
        told = {str(one["key"]): one.get("value") for one in told}
    if not isinstance(told, dict):
        return "{}", True
    words = {_clean(str(name)): _word(value) for name, value in told.items() if value is not None}
    return json.dumps(words, ensure_ascii=False, sort_keys=True, separators=(",", ":")), False


def _word(value: object) -> str:
    return _clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _clean(text: str) -> str:
    """PostgreSQL keeps no NUL, and no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
