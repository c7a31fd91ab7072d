"""Canonical JSON for hashing: equal documents give equal bytes, also after a round trip through the database."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from weighbridge.core.errors import Invalid

DIGEST_PREFIX = "sha256:"
DIGEST_LENGTH = len(DIGEST_PREFIX) + 64


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys and no spaces.

    Decimals, UUIDs and dates become strings (datetimes in UTC, `Z`), sets sorted lists, whole floats integers. These
    forms survive a round trip through a jsonb column. Raises Invalid for values without such a form.
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_bytes(value: object) -> bytes:
    """Return `canonical_json` in UTF-8; raise Invalid for text that UTF-8 cannot encode (lone surrogates)."""
    try:
        return canonical_json(value).encode()
    except UnicodeEncodeError as error:
        raise Invalid("The document contains text that is not valid Unicode; remove the broken characters.") from error


def digest_of(value: object) -> str:
    """Return `sha256:<64 hex>` of the canonical bytes."""
    return DIGEST_PREFIX + hashlib.sha256(canonical_bytes(value)).hexdigest()


def is_digest(text: str) -> bool:
    """Return True for `sha256:` followed by 64 lower-case hexadecimal digits."""
    return (
        len(text) == DIGEST_LENGTH
        and text.startswith(DIGEST_PREFIX)
        and all(character in "0123456789abcdef" for character in text[len(DIGEST_PREFIX) :])
    )


def plain(value: object) -> object:
    """Convert a value to JSON types; raise Invalid for values that JSON cannot represent."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=canonical_json)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(item) for item in value]
    return _scalar(value)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise Invalid(f"The document has the key {key!r}, which is not text; write every key as text.")
    return str(key)


def _scalar(value: object) -> object:
    match value:
        case float():
            return _number(value)
        case datetime():
            return _instant(value)
        case Decimal() | UUID():
            return str(value)
        case date():
            return value.isoformat()
    raise Invalid(f"The document contains a {type(value).__name__}, which has no canonical form; write it as text.")


def _number(value: float) -> float | int:
    if not math.isfinite(value):
        raise Invalid("The document contains a number that is not finite; write a number or leave it out.")
    return int(value) if value.is_integer() else value


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise Invalid("The document contains a time without a time zone; give every time its zone.")
    try:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError as error:
        raise Invalid("The document contains a time outside the years 1 to 9999; correct it.") from error
