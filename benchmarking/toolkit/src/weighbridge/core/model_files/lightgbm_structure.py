"""Validation of LightGBM models in its text form, as `Booster.save_model` writes them.

The format: `GBDT::SaveModelToString` and `Tree::ToString` of https://github.com/microsoft/LightGBM. It holds data only.
Checks that the trees are complete, not what they compute. Time and memory are bounded.
"""

import re
from collections.abc import Mapping
from itertools import islice

from weighbridge.core.model_files.damage import Damaged, refusing_damage

MAX_BYTES = 100_000_000
MAX_HEADER_BYTES = 10_000_000
MAX_END_BYTES = 10_000_000
MOST_TREES = 50_000
MOST_FIELDS = 100  # of the header, and of a tree, which have some twenty
VERSIONS = ("v2", "v3", "v4")
_START = b"tree\n"
_END = b"end of trees\n"
_FIELD = re.compile(rb"^([a-z_]+)=([^\n]*)$", re.MULTILINE)
_NUMBERS = re.compile(rb"[-+0-9.eEinfa]++(?: [-+0-9.eEinfa]++)*+")
_COUNT = re.compile(r"[0-9]{1,9}")
_OF_NODES = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
REMEDY = "Save the model again with Booster.save_model."


def is_lightgbm(content: memoryview) -> bool:
    """Return whether the bytes start like a model of LightGBM."""
    return content[: len(_START)] == _START


def check_lightgbm(content: memoryview, *, name: str) -> dict[str, object]:
    """Return version, objective, number of features and of trees; raise Invalid unless the model is complete."""
    with refusing_damage(name, "LightGBM model", REMEDY):
        if len(content) > MAX_BYTES:
            raise Damaged(f"it is larger than {MAX_BYTES:,} bytes")
        header, position = _header(content)
        sizes = header.get("tree_sizes", "").split()
        if len(sizes) > MOST_TREES:
            raise Damaged("it has too many trees to be validated")
        for number, size in enumerate(sizes):
            position += _tree(content[position : position + _number(size, "tree_sizes")], number)
        _check_end(content[position:])
        return {
            "version": header["version"],
            "objective": header.get("objective", "").partition(" ")[0],
            "features": _number(header["max_feature_idx"], "max_feature_idx") + 1,
            "trees": len(sizes),
        }


def _header(content: memoryview) -> tuple[Mapping[str, str], int]:
    """Return the fields before the first tree, and the place of that tree."""
    head = bytes(content[:MAX_HEADER_BYTES])
    end = head.find(b"\n\n")
    if end < 0:
        raise Damaged("its header does not end")
    fields = {key.decode(): _decoded(value) for key, value in _fields(memoryview(head)[:end]).items()}
    missing = {"version", "max_feature_idx", "feature_names", "feature_infos", "tree_sizes"} - set(fields)
    if missing:
        raise Damaged(f"its header has no {min(missing)}")
    if fields["version"] not in VERSIONS:
        raise Damaged(f"its version is not one of {', '.join(VERSIONS)}")
    features = _number(fields["max_feature_idx"], "max_feature_idx") + 1
    if any(len(fields[name].split(" ")) != features for name in ("feature_names", "feature_infos")):
        raise Damaged("it does not have as many features as it says")
    return fields, end + 2


def _tree(block: memoryview, number: int) -> int:
    """Return the size of a tree; raise Damaged unless it has the fields of its number of leaves."""
    start = b"Tree=%d\n" % number
    if block[: len(start)] != start:
        raise Damaged(f"its tree {number} is not where it says")
    fields = _fields(block)
    leaves = _number(_decoded(fields.get(b"num_leaves", b"")), "num_leaves")
    expected = {"leaf_value": leaves} | (dict.fromkeys(_OF_NODES, leaves - 1) if leaves > 1 else {})
    if not leaves or any(_length(fields.get(name.encode(), b"")) != length for name, length in expected.items()):
        raise Damaged(f"its tree {number} does not have as many nodes as it says")
    return len(block)


def _fields(text: memoryview) -> dict[bytes, bytes]:
    """Return the fields of a part by name."""
    found = [(each[1], each[2]) for each in islice(_FIELD.finditer(text), MOST_FIELDS + 1)]
    if len(found) > MOST_FIELDS or len(dict(found)) != len(found):
        raise Damaged("a part of it has too many fields, or one twice")
    return dict(found)


def _length(numbers: bytes) -> int:
    """Return how many numbers a field has; -1 if it has anything else."""
    return numbers.count(b" ") + 1 if _NUMBERS.fullmatch(numbers) else -1


def _check_end(rest: memoryview) -> None:
    if rest[: len(_END)] != _END or len(rest) > MAX_END_BYTES:
        raise Damaged("its trees do not end")
    _decoded(bytes(rest))


def _decoded(text: bytes) -> str:
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        raise Damaged("a text in it is not UTF-8") from error
    if "\0" in decoded:
        raise Damaged("it is not text")
    return decoded


def _number(text: str, name: str) -> int:
    if not _COUNT.fullmatch(text):
        raise Damaged(f"its {name} is not a number")
    return int(text)
