"""The outline of UBJSON as XGBoost writes it: the structure, with the lengths of arrays of numbers in their place.

The format: https://ubjson.org, of which XGBoost writes lengths as eight bytes, keys without a type, and arrays of
numbers with one type (https://github.com/dmlc/xgboost, `UBJWriter`). Numbers of such arrays are not read.
"""

import struct
from dataclasses import dataclass

from weighbridge.core.model_files.damage import Cursor, Damaged

MOST_VALUES = 500_000
MOST_TEXT_BYTES = 10_000_000
DEEPEST = 30

_LENGTH = struct.Struct(">q")
_NUMBERS = {
    kind: struct.Struct(f">{code}") for kind, code in zip(b"iUIlLdD", ("b", "B", "h", "i", "q", "f", "d"), strict=True)
}
_CONSTANTS = {ord("T"): True, ord("F"): False, ord("Z"): None}
_OBJECT, _ARRAY, _TEXT = b"{[S"
_OBJECT_END, _ARRAY_END, _TYPE, _COUNT, _LONG = b"}]$#L"


@dataclass
class _Walk:
    cursor: Cursor
    values: int = 0
    text_bytes: int = 0

    def byte(self) -> int:
        return self.cursor.take(1)[0]

    def peeked(self) -> int:
        return self.cursor.content[self.cursor.position] if self.cursor.position < len(self.cursor.content) else -1


def outline_of_ubjson(content: memoryview) -> object:
    """Return the value, in which `[n]` stands for an array of n numbers; raise Damaged unless it is one value."""
    walk = _Walk(Cursor(content))
    outline = _value(walk, walk.byte(), 0)
    if walk.cursor.position != len(content):
        raise Damaged("something follows its end")
    return outline


def _value(walk: _Walk, kind: int, depth: int) -> object:
    walk.values += 1
    if walk.values > MOST_VALUES or depth > DEEPEST:
        raise Damaged("it has too many parts to be validated")
    if kind in _NUMBERS:
        return _NUMBERS[kind].unpack(walk.cursor.take(_NUMBERS[kind].size))[0]
    if kind in _CONSTANTS:
        return _CONSTANTS[kind]
    if kind == _OBJECT:
        return _object(walk, depth + 1)
    if kind == _ARRAY:
        return _array(walk, depth + 1)
    if kind == _TEXT:
        return _text(walk)
    raise Damaged("it has a value of an unknown type")


def _object(walk: _Walk, depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    while walk.peeked() != _OBJECT_END:
        key = _text(walk)
        if key in found:
            raise Damaged(f"the key {key[:80]!r} occurs twice")
        found[key] = _value(walk, walk.byte(), depth)
    walk.cursor.skip(1)
    return found


def _array(walk: _Walk, depth: int) -> list[object]:
    if walk.peeked() == _TYPE:
        return _typed(walk)
    if walk.peeked() == _COUNT:
        count = _counted(walk)
        return _shortened([_value(walk, walk.byte(), depth) for _ in range(count)])
    found = list[object]()
    while (kind := walk.byte()) != _ARRAY_END:
        found.append(_value(walk, kind, depth))
    return _shortened(found)


def _typed(walk: _Walk) -> list[object]:
    walk.cursor.skip(1)
    kind = walk.byte()
    count = _counted(walk)
    if kind not in _NUMBERS:
        raise Damaged("it has a value of an unknown type")
    walk.cursor.skip(count * _NUMBERS[kind].size)
    return [count] if count else []


def _counted(walk: _Walk) -> int:
    if walk.byte() != _COUNT:
        raise Damaged("an array has no length")
    return _length(walk)


def _length(walk: _Walk) -> int:
    if walk.byte() != _LONG:
        raise Damaged("a length in it is not one of eight bytes")
    return walk.cursor.number(_LENGTH)


def _text(walk: _Walk) -> str:
    length = _length(walk)
    walk.text_bytes += length
    if walk.text_bytes > MOST_TEXT_BYTES:
        raise Damaged("its texts are too long to be validated")
    try:
        return bytes(walk.cursor.take(length)).decode()
    except UnicodeDecodeError as error:
        raise Damaged("a text in it is not UTF-8") from error


def _shortened(values: list[object]) -> list[object]:
    """Return the length of an array of numbers instead of them."""
    is_numbers = values and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return [len(values)] if is_numbers else values
