"""Validation of GGUF files: metadata of known types, and tensors that fill the rest of the file.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. The sizes of the
types of tensors are those of `GGML_QUANT_SIZES` of the package gguf. A file with gaps could hide another format. Time
and memory are bounded: no length of a header is believed, and files with more parts than any known model are rejected.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.damage import Cursor, Damaged, refusing_damage

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MOST_TENSORS = 100_000
MOST_KEYS = 10_000
MOST_ITEMS = 1_000_000  # texts and truth values; the largest vocabularies have some 260,000 tokens and as many merges
LONGEST_NAME_BYTES = 1_000  # the format allows keys of 65,535, which take too much memory
DEEPEST_ARRAY = 4
MOST_DIMENSIONS = 4
LARGEST_ALIGNMENT = 65_536

_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_BOOL, _TEXT, _ARRAY, _UINT32 = 7, 8, 9, 4
# The types of values of one size, and their bytes.
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, _UINT32: 4, 5: 4, 6: 4, _BOOL: 1, 10: 8, 11: 8, 12: 8}
# The types of tensors: elements of a block and bytes of a block.
BLOCKS: Mapping[int, tuple[int, int]] = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    9: (32, 40),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    15: (256, 292),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    20: (32, 18),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    27: (1, 8),
    28: (1, 8),
    29: (256, 56),
    30: (1, 2),
    34: (256, 54),
    35: (256, 66),
    39: (32, 17),
    40: (64, 36),
    41: (128, 18),
}
_KEY = re.compile(rb"[\x21-\x7e]+")
_ALIGNMENT, _ARCHITECTURE = "general.alignment", "general.architecture"
_MAX_ELEMENTS = 2**63


@dataclass
class _Walk:
    """The state of the validation."""

    cursor: Cursor
    version: int = 0
    items: int = 0
    alignment: int = 32
    architecture: str = ""


def check_gguf(content: memoryview, *, name: str) -> dict[str, object]:
    """Return version, architecture and number of tensors; raise Invalid unless the file is complete and sound."""
    with refusing_damage(name, "GGUF file", "Convert the model again, or check that the copy is complete."):
        walk = _Walk(Cursor(content, len(MAGIC)))
        walk.version = walk.cursor.number(_U32)
        if walk.version not in VERSIONS:
            raise _foreign_version(name, walk.version)
        tensors, keys = walk.cursor.number(_U64), walk.cursor.number(_U64)
        if tensors > MOST_TENSORS or keys > MOST_KEYS:
            raise Damaged("it has too many parts to be validated")
        _check_metadata(walk, keys)
        spans = _spans(walk, tensors)
        _check_spans(walk, spans)
        return {"version": walk.version, "architecture": walk.architecture, "tensors": tensors}


def _foreign_version(name: str, version: int) -> Invalid:
    text = (
        f"{name} is a GGUF file of version {version}; versions 2 and 3, little-endian, are accepted. Convert the model "
        "again with a current llama.cpp."
    )
    return Invalid(text, code="artifact_version", field="file")


def _check_metadata(walk: _Walk, count: int) -> None:
    seen = set[bytes]()
    for _ in range(count):
        key = bytes(_text(walk, LONGEST_NAME_BYTES))
        if not _KEY.fullmatch(key):
            raise Damaged("a key of its metadata is not text in ASCII")
        if key in seen:
            raise Damaged("a key of its metadata occurs twice")
        seen.add(key)
        _read_value(walk, key.decode())


def _read_value(walk: _Walk, key: str) -> None:
    kind = walk.cursor.number(_U32)
    if key == _ALIGNMENT:
        walk.alignment = _alignment(walk, kind)
    elif key == _ARCHITECTURE:
        walk.architecture = _architecture(walk, kind)
    else:
        _skip(walk, kind, 1, depth=0)


def _alignment(walk: _Walk, kind: int) -> int:
    alignment = walk.cursor.number(_U32) if kind == _UINT32 else 0
    if not 8 <= alignment <= LARGEST_ALIGNMENT or alignment & (alignment - 1):
        raise Damaged(f"its alignment is not a power of two from 8 to {LARGEST_ALIGNMENT:,}")
    return alignment


def _architecture(walk: _Walk, kind: int) -> str:
    text = bytes(_text(walk, LONGEST_NAME_BYTES)) if kind == _TEXT else b""
    if not _KEY.fullmatch(text):
        raise Damaged("its architecture is not text in ASCII")
    return text.decode()


def _skip(walk: _Walk, kind: int, count: int, *, depth: int) -> None:
    """Move past `count` values of one type."""
    if kind in _SIZES and kind != _BOOL:
        walk.cursor.skip(count * _SIZES[kind])
        return
    walk.items += count
    if walk.items > MOST_ITEMS:
        raise Damaged("it has too many parts to be validated")
    if kind == _BOOL:
        if bytes(walk.cursor.take(count)).strip(b"\0\1"):
            raise Damaged("a truth value in its metadata is neither 0 nor 1")
        return
    if kind not in (_TEXT, _ARRAY) or depth > DEEPEST_ARRAY:
        raise Damaged("a value of its metadata has an unknown type")
    for _ in range(count):
        if kind == _TEXT:
            walk.cursor.skip(walk.cursor.number(_U64))
        else:
            inner = walk.cursor.number(_U32)
            _skip(walk, inner, walk.cursor.number(_U64), depth=depth + 1)


def _text(walk: _Walk, longest: int) -> memoryview:
    length = walk.cursor.number(_U64)
    if length > longest:
        raise Damaged("a name in it is too long")
    return walk.cursor.take(length)


def _spans(walk: _Walk, count: int) -> list[tuple[int, int]]:
    """Return the byte range of each tensor, relative to the end of the descriptions, by offset."""
    seen, spans = set[bytes](), []
    for _ in range(count):
        name = bytes(_text(walk, LONGEST_NAME_BYTES))
        if name in seen:
            raise Damaged("two of its tensors have one name")
        seen.add(name)
        size = _size(walk)
        offset = walk.cursor.number(_U64)
        spans.append((offset, offset + size))
    return sorted(spans)


def _size(walk: _Walk) -> int:
    """Return the bytes of a tensor, by its shape and type."""
    dimensions = walk.cursor.number(_U32)
    if dimensions > MOST_DIMENSIONS:
        raise Damaged(f"a tensor has more than {MOST_DIMENSIONS} dimensions")
    shape = walk.cursor.numbers(struct.Struct(f"<{dimensions}Q"))
    kind = walk.cursor.number(_U32)
    if kind not in BLOCKS:
        raise Damaged("a tensor has an unknown type")
    elements = 1
    for length in shape:
        elements *= length
    length, size = BLOCKS[kind]
    if elements >= _MAX_ELEMENTS or (shape[0] if shape else 1) % length:
        raise Damaged("the shape of a tensor does not match its type")
    return elements // length * size


def _check_spans(walk: _Walk, spans: list[tuple[int, int]]) -> None:
    """Raise Damaged unless the tensors fill the rest of the file, with zeros between them up to the alignment."""
    content, described = walk.cursor.content, walk.cursor.position
    start = described + -described % walk.alignment
    filled, expected = described, start
    for begin, end in spans:
        if start + begin != expected or any(content[filled:expected]):
            raise Damaged("its tensors overlap or leave a gap")
        filled = start + end
        if filled > len(content):
            raise Damaged("its tensors do not fill the file")
        expected = filled + -filled % walk.alignment
    if len(content) > expected or any(content[filled:]):
        raise Damaged("its tensors do not fill the file")
