"""Validation of GGUF files: metadata of known types, and tensors that fill the rest of the file.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. A file with gaps
could hide another format. Time and memory are bounded: no length of a header is believed, files with more parts than
any known model are rejected, and only some keys are kept (`gguf_header`).
"""

import hashlib
import math
import re
import struct
from collections import Counter
from dataclasses import dataclass, field

from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.documents import cleaned
from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.damage import Cursor, Damaged, refusing_damage
from weighbridge.core.model_files.gguf_header import (
    LICENSE,
    LONGEST_LIST,
    LONGEST_TEMPLATE_BYTES,
    NAME,
    NUMBERS,
    TEMPLATE,
    TENSOR_TYPES,
    TOKENS,
    GgufHeader,
    Number,
)

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
_LAYOUTS = {0: "B", 1: "b", 2: "H", 3: "h", _UINT32: "I", 5: "i", 6: "f", _BOOL: "?", 10: "Q", 11: "q", 12: "d"}
_KEY = re.compile(rb"[\x21-\x7e]+")
_EXPERTS, _OUTPUT = b"_exps.", b"output.weight"
_ALIGNMENT, _ARCHITECTURE = "general.alignment", "general.architecture"
_MAX_ELEMENTS = 2**63


@dataclass
class _Walk:
    """The state of the validation, and what is kept of the header."""

    cursor: Cursor
    version: int = 0
    items: int = 0
    alignment: int = 32
    architecture: str = ""
    vocabulary: int | None = None
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Number | tuple[Number, ...]] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)
    tensor_bytes: int = 0
    parameters: int = 0
    expert_parameters: int = 0
    has_output: bool = False


def check_gguf(content: memoryview, *, name: str) -> GgufHeader:
    """Return what the header states; raise Invalid unless the file is complete and sound."""
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
        return _header(walk, tensors)


def _header(walk: _Walk, tensors: int) -> GgufHeader:
    return GgufHeader(
        version=walk.version,
        architecture=walk.architecture,
        name=walk.texts.get(NAME, ""),
        license=walk.texts.get(LICENSE, ""),
        chat_template=walk.texts.get(TEMPLATE, ""),
        vocabulary=walk.vocabulary,
        numbers=walk.numbers,
        tensors=tensors,
        types=dict(walk.types),
        tensor_bytes=walk.tensor_bytes,
        parameters=walk.parameters,
        expert_parameters=walk.expert_parameters,
        has_output=walk.has_output,
    )


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
    elif kind == _TEXT and key in (NAME, LICENSE, TEMPLATE):
        walk.texts[key] = _kept_text(walk, key)
    elif kind == _ARRAY:
        _read_list(walk, key)
    else:
        start = walk.cursor.position
        _skip(walk, kind, 1, depth=0)
        if kind in _LAYOUTS and key.partition(".")[2] in NUMBERS:
            walk.numbers[key] = _numbers_at(walk, start, kind, 1)[0]


def _read_list(walk: _Walk, key: str) -> None:
    """Move past a list; keep its length if it has the tokens, and its numbers if there is one for each layer."""
    start = walk.cursor.position
    kind, count = walk.cursor.number(_U32), walk.cursor.number(_U64)
    walk.cursor.position = start
    _skip(walk, _ARRAY, 1, depth=0)
    if key == TOKENS:
        walk.vocabulary = count
    elif kind in _LAYOUTS and count <= LONGEST_LIST and key.partition(".")[2] in NUMBERS:
        walk.numbers[key] = _numbers_at(walk, start + _U32.size + _U64.size, kind, count)


def _numbers_at(walk: _Walk, position: int, kind: int, count: int) -> tuple[Number, ...]:
    """Return numbers that the walk has moved past."""
    return struct.unpack_from(f"<{count}{_LAYOUTS[kind]}", walk.cursor.content, position)


def _kept_text(walk: _Walk, key: str) -> str:
    """Return a short text, cut to what is kept, or the digest of the chat template."""
    length = walk.cursor.number(_U64)
    content = walk.cursor.take(length)
    if key != TEMPLATE:
        return cleaned(bytes(content[:LONGEST_NAME_BYTES]).decode("utf-8", errors="replace")).strip()
    if length > LONGEST_TEMPLATE_BYTES:
        raise Damaged(f"its chat template has more than {LONGEST_TEMPLATE_BYTES:,} bytes")
    return f"{DIGEST_PREFIX}{hashlib.sha256(content).hexdigest()}"


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
    if kind == _TEXT:
        _skip_texts(walk.cursor, count)
        return
    for _ in range(count):
        inner = walk.cursor.number(_U32)
        _skip(walk, inner, walk.cursor.number(_U64), depth=depth + 1)


def _skip_texts(cursor: Cursor, count: int) -> None:
    """Move past texts, in a loop of its own because a vocabulary has some 260,000 of them."""
    content, position = cursor.content, cursor.position
    last = len(content) - _U64.size
    for _ in range(count):
        if position > last:
            raise Damaged("it is truncated")
        position += _U64.size + _U64.unpack_from(content, position)[0]
    cursor.skip(position - cursor.position)


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
        size = _size(walk, name)
        offset = walk.cursor.number(_U64)
        spans.append((offset, offset + size))
    return sorted(spans)


def _size(walk: _Walk, name: bytes) -> int:
    """Return the bytes of a tensor, by its shape and type, and count it."""
    dimensions = walk.cursor.number(_U32)
    if dimensions > MOST_DIMENSIONS:
        raise Damaged(f"a tensor has more than {MOST_DIMENSIONS} dimensions")
    shape = walk.cursor.numbers(struct.Struct(f"<{dimensions}Q"))
    number = walk.cursor.number(_U32)
    if number not in TENSOR_TYPES:
        raise Damaged("a tensor has an unknown type")
    elements: int = math.prod(shape)
    kind = TENSOR_TYPES[number]
    if elements >= _MAX_ELEMENTS or (shape[0] if shape else 1) % kind.elements:
        raise Damaged("the shape of a tensor does not match its type")
    size = elements // kind.elements * kind.size_bytes
    walk.types[kind.name] += 1
    walk.tensor_bytes += size
    walk.parameters += elements
    walk.expert_parameters += elements if _EXPERTS in name else 0
    walk.has_output |= name == _OUTPUT
    return size


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
