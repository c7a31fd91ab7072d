"""Validation of skops files: a zip archive with `schema.json`, arrays of numbers, and nothing else.

The format: https://skops.readthedocs.io/en/stable/persistence.html. It holds data and names of types, of which whoever
loads the file decides which to trust; this module lists them. No part may be a pickle, or hold one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files import zip_structure
from weighbridge.core.model_files.array_structure import check_array
from weighbridge.core.model_files.damage import Damaged, refusing_damage
from weighbridge.core.model_files.zip_structure import Part, parts_of
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DocumentLimits

SCHEMA = "schema.json"
_LIMITS = DocumentLimits(bytes_max=25_000_000, values_max=800_000)
MOST_UNPACKED_BYTES = 64_000_000
"""Bytes of sparse matrices that are unpacked to be validated."""
LONGEST_NAME = 200
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_PICKLE = re.compile(rb"\x80[\x02-\x05]|PK|\x1f\x8b|\x78[\x01\x5e\x9c\xda]|BZh|\xfd7zXZ")
_BUILT_IN = "builtins."


@dataclass
class _Budget:
    """What may still be read of the archives inside a file."""

    parts: int = zip_structure.MOST_PARTS
    unpacked_bytes: int = MOST_UNPACKED_BYTES


def is_skops(content: memoryview) -> bool:
    """Return whether the bytes are a zip archive that names a schema in its directory, which is at its end."""
    tail = content[-zip_structure.MAX_DIRECTORY_BYTES :]
    return content[:4] == zip_structure.MAGIC and re.search(rb"schema\.json", tail) is not None


def check_skops(content: memoryview, *, name: str) -> dict[str, object]:
    """Return the types that a skops file names, sorted, without built-in ones; raise Invalid unless it is sound."""
    with refusing_damage(name, "skops file", "Save the model again with skops.io.dump."):
        parts = {part.name: part for part in parts_of(content)}
        if SCHEMA not in parts:
            raise Damaged(f"it has no {SCHEMA}")
        budget = _Budget(parts=zip_structure.MOST_PARTS - len(parts))
        types, files = _schema(parts.pop(SCHEMA))
        if files != set(parts):
            raise Damaged(f"its parts are not those that its {SCHEMA} names")
        for part in parts.values():
            _check_part(part, budget)
        return {"types": sorted(name for name in types if not name.startswith(_BUILT_IN))}


def _schema(part: Part) -> tuple[set[str], set[str]]:
    """Return the names of the types and of the other parts in the schema."""
    if part.size > _LIMITS.bytes_max:
        raise Damaged(f"its {SCHEMA} is larger than {_LIMITS.bytes_max:,} bytes")
    try:
        document = parse_json(part.unpacked(_LIMITS.bytes_max), name=SCHEMA, limits=_LIMITS)
    except Invalid as error:
        raise Damaged(f"its {error.reason.rstrip('.')}") from error
    if not isinstance(document, dict) or "__loader__" not in document:
        raise Damaged(f"its {SCHEMA} describes no object")
    types, files = set[str](), set[str]()
    for node in _nodes(document):
        types.add(_type(node))
        if "file" in node:
            files.add(_text(node, "file"))
    return types, files


def _nodes(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield each mapping of the schema that describes an object or names a type."""
    pending: list[object] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += value.values()
            if "__class__" in value:
                yield value
        elif isinstance(value, list):
            pending += value


def _type(node: Mapping[str, object]) -> str:
    name = f"{_text(node, '__module__')}.{_text(node, '__class__')}"
    if not _NAME.fullmatch(name):
        raise Damaged(f"its {SCHEMA} names a type that is none")
    return name


def _text(node: Mapping[str, object], key: str) -> str:
    value = node.get(key)
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise Damaged(f"an object in its {SCHEMA} has no {key}")
    return value


def _check_part(part: Part, budget: _Budget) -> None:
    match PurePath(part.name).suffix:
        case ".npy":
            check_array(part)
        case ".npz":
            _check_arrays(part, budget)
        case ".bin" if not _PICKLE.match(part.unpacked(8)):
            return
        case _:
            raise Damaged(f"its part {part.name} may be a pickle or an archive, which skops does not write")


def _check_arrays(part: Part, budget: _Budget) -> None:
    """Check the archive of the arrays of a sparse matrix."""
    budget.unpacked_bytes -= part.size
    if budget.unpacked_bytes < 0:
        raise Damaged(f"its sparse matrices are larger than {MOST_UNPACKED_BYTES:,} bytes")
    inner = parts_of(memoryview(part.unpacked(part.size)))
    budget.parts -= len(inner)
    if budget.parts < 0:
        raise Damaged("it has too many parts to be validated")
    for array in inner:
        if not array.name.endswith(".npy"):
            raise Damaged(f"its part {part.name} holds more than arrays")
        check_array(array)
