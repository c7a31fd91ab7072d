"""A PDF that is written object by object. What was written is forgotten, but for its place in the file.

Objects of opened PDFs move into it with what they refer to, so that pages of many PDFs need the memory of one.
"""

import io
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
PACK = 200
"""Objects that are compressed together: more make a file hardly smaller, and a reader unpacks all to see one."""
ENTRY = (1, 5, 2)
_FREE, _PLAIN, _PACKED = 0, 1, 2


class PdfFile:
    """Writes to `out`. Numbers of objects are given before the objects, so that they can refer to each other."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._size = out, 0
        self._entries = bytearray()
        self._pack: list[tuple[int, bytes]] = []
        self._write(HEADER)
        self.number()
        self._enter(0, _FREE, 0, 0xFFFF)

    def number(self) -> int:
        """The number of an object that will be put."""
        self._entries.extend(bytes(sum(ENTRY)))
        return len(self._entries) // sum(ENTRY) - 1

    def add(self, value: Any) -> Any:
        """Write an object to which nothing refers yet. Returns a reference to it."""
        number = self.number()
        self.put(number, value)
        return reference(number)

    def put(self, number: int, value: Any) -> None:
        """Write an object of pypdf, whose references name objects of this file."""
        text = io.BytesIO()
        value.write_to_stream(text)
        if isinstance(value, StreamObject):
            self._put_plain(number, text.getvalue())
            return
        self._pack.append((number, text.getvalue()))
        if len(self._pack) == PACK:
            self._put_pack()

    def close(self, trailer: Mapping[str, Any]) -> None:
        """Write what is left, and where the objects are. `trailer` has at least `/Root`."""
        if self._pack:
            self._put_pack()
        number, start = self.number(), self._size
        self._enter(number, _PLAIN, start, 0)
        fields = {"/Type": b"/XRef", "/W": b"[%d %d %d]" % ENTRY, "/Size": b"%d" % (number + 1)}
        for key, value in trailer.items():
            text = io.BytesIO()
            value.write_to_stream(text)
            fields[key] = text.getvalue()
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, _stream(fields, bytes(self._entries))))
        self._write(b"startxref\n%d\n%%%%EOF\n" % start)

    def _put_pack(self) -> None:
        number, heads, size = self.number(), list[bytes](), 0
        for index, (each, text) in enumerate(self._pack):
            self._enter(each, _PACKED, number, index)
            heads.append(b"%d %d" % (each, size))
            size += len(text) + 1
        head = b" ".join(heads) + b"\n"
        fields = {"/Type": b"/ObjStm", "/N": b"%d" % len(self._pack), "/First": b"%d" % len(head)}
        self._put_plain(number, _stream(fields, head + b"".join(text + b"\n" for _, text in self._pack)))
        self._pack.clear()

    def _put_plain(self, number: int, text: bytes) -> None:
        self._enter(number, _PLAIN, self._size, 0)
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, text))

    def _enter(self, number: int, kind: int, *places: int) -> None:
        entry = b"".join(value.to_bytes(width, "big") for value, width in zip((kind, *places), ENTRY, strict=True))
        self._entries[number * len(entry) : (number + 1) * len(entry)] = entry

    def _write(self, text: bytes) -> None:
        self._out.write(text)
        self._size += len(text)


class Mover:
    """Moves objects of an opened PDF into a file, each once. `numbers` has those that are in the file already."""

    def __init__(self, reader: Any, file: PdfFile) -> None:
        self.numbers: dict[int, int] = {}
        self._reader, self._file = reader, file
        self._waiting: list[int] = []

    def moved(self, value: Any) -> Any:
        """The value as it is in the file; what it refers to follows with `write`."""
        if isinstance(value, IndirectObject):
            return value if value.pdf is None else reference(self._number(value.idnum))
        if isinstance(value, DictionaryObject):
            return DictionaryObject({key: self.moved(each) for key, each in value.items()})
        if isinstance(value, ArrayObject):
            return ArrayObject([self.moved(each) for each in value])
        return value

    def write(self) -> None:
        """Write every object to which the values that were moved refer."""
        while self._waiting:
            number = self._waiting.pop()
            self._file.put(self.numbers[number], self._whole(self._reader.get_object(number)))

    def _number(self, number: int) -> int:
        if number not in self.numbers:
            self.numbers[number] = self._file.number()
            self._waiting.append(number)
        return self.numbers[number]

    def _whole(self, value: Any) -> Any:
        if not isinstance(value, StreamObject):
            return self.moved(value)
        # In place, because its data have no public name; nothing else asks for it.
        for key, each in list(value.items()):
            value[key] = self.moved(each)
        return value


def reference(number: int) -> Any:
    """A reference to an object of the file, which belongs to no opened PDF."""
    return IndirectObject(number, 0, None)


def _stream(fields: Mapping[str, bytes], content: bytes) -> bytes:
    packed = zlib.compress(content)
    shown = {**fields, "/Filter": b"/FlateDecode", "/Length": b"%d" % len(packed)}
    return b"<<%b>>\nstream\n%b\nendstream" % (
        b"".join(b"%b %b" % (key.encode(), value) for key, value in shown.items()),
        packed,
    )
