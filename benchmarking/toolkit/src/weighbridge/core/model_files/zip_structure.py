"""The parts of a zip archive, checked so that every reader of it sees the same parts.

The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. The parts must fill the archive from its first
byte to its directory, in one copy each: archives whose parts overlap unpack to petabytes, and gaps hide other files.
"""

import re
import struct
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from weighbridge.core.model_files.damage import Cursor, Damaged

MAGIC = b"PK\x03\x04"
MAX_DIRECTORY_BYTES = 10_000_000
MOST_PARTS = 20_000  # a forest of a thousand trees has some 6,000
# An archive that unpacks to more than this multiple of its size, and to more than so many bytes, is a bomb.
MOST_RATIO, MOST_UNPACKED_BYTES = 200, 100_000_000
_NAME = re.compile(rb"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
_END = struct.Struct("<4s4H2IH")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_LARGE = struct.Struct("<2H2Q")
_STORED, _DEFLATED = 0, 8
_LATEST_VERSION = 63  # 6.3 of the format; readers refuse a part that needs a later one
_ALLOWED_FLAGS = 0x0806  # names in UTF-8, and the level of compression
_IN_EXTRA = 0xFFFFFFFF
_FILE_TYPES = (0, 0o10)


@dataclass(frozen=True)
class Part:
    """A part of an archive; `packed` are its bytes as they are stored, `size` their number when they are unpacked."""

    name: str
    is_deflated: bool
    size: int
    packed: memoryview

    def unpacked(self, longest: int) -> bytes:
        """Return the content, or its first `longest` bytes; raise Damaged if it cannot be unpacked to its size."""
        length = min(longest, self.size)
        content = self._inflated(length) if self.is_deflated else bytes(self.packed[:length])
        if len(content) != length:
            raise Damaged(f"its part {self.name} is shorter than it says")
        return content

    def _inflated(self, length: int) -> bytes:
        # Blocks that hold data as they are add some bytes to each 65,535.
        packed = self.packed[: length + length // 1_000 + 1_000]
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, length) if length else b""
        except zlib.error as error:
            raise Damaged(f"its part {self.name} cannot be unpacked") from error


class _Entry(NamedTuple):
    """What the directory says about a part; `form` are its flags, method and checksum."""

    place: int
    name: bytes
    form: tuple[int, int, int]
    packed: int
    size: int


def parts_of(content: memoryview) -> tuple[Part, ...]:
    """Return the parts in the order of their bytes; raise Damaged unless they fill the archive and have plain names."""
    count, start = _directory(content)
    cursor, parts, position = Cursor(content[: -_END.size], start), list[Part](), 0
    entries = sorted(_entry(cursor) for _ in range(count))
    if cursor.position != len(cursor.content):
        raise Damaged("its directory has gaps")
    for entry in entries:
        part, position = _part(content[:start], position, entry)
        parts.append(part)
    if position != start:
        raise Damaged("its parts overlap or leave a gap")
    if len({part.name.lower() for part in parts}) != len(parts):
        raise Damaged("two of its parts have one name")
    if sum(part.size for part in parts) > max(MOST_RATIO * len(content), MOST_UNPACKED_BYTES):
        raise Damaged("it unpacks to far more bytes than it has")
    return tuple(parts)


def _directory(content: memoryview) -> tuple[int, int]:
    """Return the number of entries of the directory and where it begins."""
    if len(content) < _END.size:
        raise Damaged("it is truncated")
    magic, disk, first_disk, here, count, size, start, comment = _END.unpack(content[-_END.size :])
    if magic != b"PK\x05\x06" or comment:
        raise Damaged("it does not end with the directory of a zip archive")
    if disk or first_disk or here != count or start + size != len(content) - _END.size:
        raise Damaged("its directory does not match its size")
    if count > MOST_PARTS or size > MAX_DIRECTORY_BYTES:
        raise Damaged("it has too many parts to be validated")
    return count, start


def _entry(cursor: Cursor) -> _Entry:
    """Return the next entry of the directory."""
    fields = cursor.numbers(_ENTRY)
    (packed, size, name, extra, comment, disk), attributes = fields[8:14], fields[15]
    if fields[0] != b"PK\x01\x02" or comment or disk:
        raise Damaged("its directory is not that of a zip archive")
    if fields[3] & ~_ALLOWED_FLAGS:
        raise Damaged("a part of it is encrypted, or has its size behind it")
    if fields[2] & 0xFF > _LATEST_VERSION:
        raise Damaged("a part of it needs a later version of the format")
    if fields[4] not in (_STORED, _DEFLATED) or (fields[4] == _STORED and packed != size):
        raise Damaged("a part of it is packed in an unknown way")
    if attributes >> 28 not in _FILE_TYPES:
        raise Damaged("a part of it is not a file")
    found = bytes(cursor.take(name))
    cursor.skip(extra)
    if not _NAME.fullmatch(found):
        raise Damaged("the name of a part of it is not one of a plain file")
    return _Entry(fields[16], found, (fields[3], fields[4], fields[7]), packed, size)


def _part(content: memoryview, position: int, entry: _Entry) -> tuple[Part, int]:
    """Return the part at the position, which its entry must describe, and the position after it."""
    if entry.place != position:
        raise Damaged("its parts overlap or leave a gap")
    cursor = Cursor(content, position)
    fields = cursor.numbers(_LOCAL)
    name = bytes(cursor.take(fields[9]))
    sizes = _sizes(fields[7], fields[8], bytes(cursor.take(fields[10])))
    described = (name, (fields[2], fields[3], fields[6]), *sizes)
    if fields[0] != MAGIC or described != (entry.name, entry.form, entry.packed, entry.size):
        raise Damaged("a part of it differs from its entry in the directory")
    packed = cursor.take(entry.packed)
    return Part(entry.name.decode(), entry.form[1] == _DEFLATED, entry.size, packed), cursor.position


def _sizes(packed: int, size: int, extra: bytes) -> tuple[int, int]:
    """Return the packed and unpacked size of a part, which NumPy writes behind its name, in eight bytes each."""
    if (packed, size) != (_IN_EXTRA, _IN_EXTRA) or len(extra) != _LARGE.size:
        return packed, size
    kind, length, large_size, large_packed = _LARGE.unpack(extra)
    return (large_packed, large_size) if (kind, length) == (1, 16) else (packed, size)
