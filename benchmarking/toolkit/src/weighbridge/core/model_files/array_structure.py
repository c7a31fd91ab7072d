"""Validation of the arrays of NumPy files (`.npy`): numbers and texts of a size that the header states truly.

The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Arrays of objects are pickles.
"""

import re

from weighbridge.core.model_files.damage import Damaged
from weighbridge.core.model_files.zip_structure import Part

LONGEST_HEADER_BYTES = 10_000  # the limit of NumPy
MAGIC = b"\x93NUMPY"
_PLAIN = re.compile(r"'[<>|=]?([?biufcmMSUV])(\d{1,9})(?:\[[0-9A-Za-z]{1,9}\])?'")
_SHAPE = r"\((?:\d{1,18},? ?)*\)"
_COLUMN = re.compile(rf"\('[^'\\]{{0,100}}', ({_PLAIN.pattern})(?:, ({_SHAPE}))?\),? ?")
_HEADER = re.compile(rf"\{{'descr': (.{{1,9000}}), 'fortran_order': (?:True|False), 'shape': ({_SHAPE}), \}} *\n")
_LENGTHS = {1: 2, 2: 4, 3: 4}
_TEXT_BYTES = 4


def check_array(part: Part) -> None:
    """Raise Damaged unless the part of an archive is an array without objects that has the size of its header."""
    head = part.unpacked(LONGEST_HEADER_BYTES + 12)
    length_bytes = _LENGTHS.get(head[6], 0) if len(head) > 12 and head[:6] == MAGIC else 0
    length = int.from_bytes(head[8 : 8 + length_bytes], "little")
    if not length_bytes or length > LONGEST_HEADER_BYTES:
        raise Damaged(f"its part {part.name} is not an array of NumPy")
    start = 8 + length_bytes + length
    found = _HEADER.fullmatch(head[8 + length_bytes : start].decode("latin-1"))
    size = _item_bytes(found[1], part.name) * _elements(found[2]) if found else -1
    if start + size != part.size:
        raise Damaged(f"its part {part.name} does not have the size of its array")


def _item_bytes(descr: str, name: str) -> int:
    """Return the bytes of one element, by its type as NumPy writes it; raise Damaged for objects."""
    if plain := _PLAIN.fullmatch(descr):
        return _plain_bytes(plain[1], plain[2])
    total, position, columns = 0, 1, descr if descr[:1] == "[" and descr[-1:] == "]" else ""
    while column := _COLUMN.match(columns, position):
        total += _plain_bytes(column[2], column[3]) * _elements(column[4] or "()")
        position = column.end()
    if not columns or position != len(columns) - 1:
        raise Damaged(f"its part {name} is an array of objects, which are pickled, or of an unknown type")
    return total


def _plain_bytes(kind: str, length: str) -> int:
    return int(length) * (_TEXT_BYTES if kind == "U" else 1)


def _elements(shape: str) -> int:
    elements = 1
    for length in re.findall(r"\d+", shape):
        elements *= int(length)
    return elements
