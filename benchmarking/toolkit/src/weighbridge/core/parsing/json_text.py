"""The only reader of JSON from outside (RFC 8259, UTF-8 only).

The standard parser accepts more than is safe: a repeated key, NaN, an overflow to infinity, half of a surrogate pair,
and nesting that ends in RecursionError. Each is an error here. The limits are checked before anything is built.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Never

from weighbridge.core.documents import UNSTORABLE, cleaned, is_storable
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.limits import DIGITS_MAX, DOCUMENT, DocumentLimits, check_size

Json = Any
_TEXT = re.compile(r'"(?:[^"\\]|\\.?)*+"?', re.DOTALL)
_NO_BRACKET = re.compile(r"[^][{}]+")
_LONG_NUMBER = re.compile(rf"[0-9]{{{DIGITS_MAX + 1}}}|[eE][+-]?[0-9]{{3}}")
_RISKY_TEXT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_EXPONENT_MAX = 400


def parse_json(
    text: str | bytes | bytearray,
    *,
    name: str = "The document",
    field: str | None = None,
    code: str | None = None,
    limits: DocumentLimits = DOCUMENT,
    number: type[float] | type[Decimal] = float,
    is_cleaning: bool = False,
) -> Json:
    """Return the value; raise Invalid for anything but one JSON value, TooLarge above `limits.bytes_max`.

    `name` begins the reason, `number` is the type of numbers with a fraction or an exponent. `is_cleaning` replaces
    characters that cannot be stored instead of refusing them.
    """
    try:
        check_size(len(text), name=name, limits=limits, field=field)
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
        _check_form(decoded, limits)
        value = decoder(number, is_checking=_LONG_NUMBER.search(decoded) is not None).decode(decoded)
        return _storable(value, decoded, is_cleaning=is_cleaning)
    except (ValueError, RecursionError, OverflowError) as error:
        reason = str(error) if isinstance(error, StrictnessError | json.JSONDecodeError) else "it is not text in UTF-8"
        field = getattr(error, "field", None) or field
        raise Invalid(f"{name} is not valid JSON: {reason}.", code=code, field=field) from error


def parse_object(text: str | bytes | bytearray, *, name: str = "The document", **options: Any) -> dict[str, Json]:
    """Return a JSON object; raise what `parse_json` raises, and Invalid for another value."""
    value = parse_json(text, name=name, **options)
    if not isinstance(value, dict):
        reason = f"{name} is not a JSON object."
        raise Invalid(reason, code=options.get("code"), field=options.get("field"))
    return value


def read_json(
    path: Path,
    *,
    field: str | None = "file",
    missing: str | None = None,
    code: str | None = None,
    limits: DocumentLimits = DOCUMENT,
    number: type[float] | type[Decimal] = float,
) -> Json:
    """Return the value in a file; raise Invalid if there is none, with the code `missing` if the file is unreadable."""
    content = read_bytes(path, limits=limits, field=field, code=missing)
    return parse_json(content, name=path.name, field=field, code=code, limits=limits, number=number)


def read_bytes(path: Path, *, limits: DocumentLimits, field: str | None = "file", code: str | None = None) -> bytes:
    """Return the content of a file; raise Invalid if it cannot be read, TooLarge if it is too long."""
    try:
        with path.open("rb") as stream:
            content = stream.read(limits.bytes_max + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", code=code, field=field) from error
    check_size(len(content), name=path.name, limits=limits, field=field)
    return content


class StrictnessError(ValueError):
    """Valid for the standard parser, but not here; the message is part of a sentence."""

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(reason)
        self.field = field


def _check_form(text: str, limits: DocumentLimits) -> None:
    """Raise for too many levels or values; counts characters first, and reads the structure only if there are many."""
    opened = text.count("[") + text.count("{")
    if opened <= limits.depth_max and opened + text.count(",") <= limits.values_max:
        return
    bare = _TEXT.sub("", text)
    if sum(bare.count(mark) for mark in "[{,") > limits.values_max:
        raise StrictnessError(f"it has more than {limits.values_max:,} values")
    depth = 0
    for mark in _NO_BRACKET.sub("", bare):
        depth += 1 if mark in "[{" else -1
        if depth > limits.depth_max:
            raise StrictnessError(f"it is nested deeper than {limits.depth_max} levels")


def decoder(number: type[float] | type[Decimal], *, is_checking: bool = True) -> json.JSONDecoder:
    """The decoder, which raises StrictnessError; for texts without long numbers it need not check each number."""
    fraction = _NUMBERS[number] if is_checking or number is Decimal else None
    return json.JSONDecoder(
        object_pairs_hook=_without_repetition,
        parse_constant=_refuse_constant,
        parse_int=_whole if is_checking else None,
        parse_float=fraction,
    )


def _without_repetition(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise StrictnessError(f"the key {twice[:80]!r} occurs twice")
    return mapping


def _refuse_constant(constant: str) -> Never:
    raise StrictnessError(f"{constant} is not a number")


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > DIGITS_MAX:
        raise StrictnessError(f"a number has more than {DIGITS_MAX} digits")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise StrictnessError(f"the number {digits[:DIGITS_MAX]} is too large")
    return number


def _decimal(digits: str) -> Decimal:
    try:
        number = Decimal(digits)
    except InvalidOperation as error:  # an exponent of some eighteen digits or more
        raise StrictnessError(f"the number {digits[:DIGITS_MAX]} is too long or too large") from error
    if len(number.as_tuple().digits) > DIGITS_MAX or abs(number.adjusted()) > _EXPONENT_MAX:
        raise StrictnessError(f"the number {digits[:DIGITS_MAX]} is too long or too large")
    return number


_NUMBERS: Mapping[type, Callable[[str], Any]] = {float: _float, Decimal: _decimal}


def _storable(value: Json, text: str, *, is_cleaning: bool) -> Json:
    """The value; its texts are walked through only if an escape or the text itself can be one that is not storable."""
    if _RISKY_TEXT.search(text) is None and is_storable(text):
        return value
    return _walked(value, "", cleaned if is_cleaning else None)


def _walked(value: Json, path: str, clean: Callable[[str], str] | None) -> Json:
    if isinstance(value, str):
        return clean(value) if clean else _checked(value, path)
    if isinstance(value, list):
        return [_walked(item, f"{path}[{place}]", clean) for place, item in enumerate(value)]
    if isinstance(value, dict):
        return {
            _walked(key, path, clean): _walked(item, f"{path}.{key}".lstrip("."), clean) for key, item in value.items()
        }
    return value


def _checked(text: str, path: str) -> str:
    if not is_storable(text):
        raise StrictnessError(f"{path or 'a text'} {UNSTORABLE.rstrip('.')}", field=path or None)
    return text
