"""Bounded reading of the bytes of a file, and the refusal of damaged ones."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from weighbridge.core.errors import Invalid


class Damaged(Exception):  # noqa: N818 -- the functions that check a file turn it into Invalid
    """The reason why the bytes are not a file of their format; part of a sentence about `it`."""


@contextmanager
def refusing_damage(name: str, kind: str, remedy: str) -> Iterator[None]:
    """Turn Damaged into Invalid about the file `name`, which is of this kind; `remedy` is a sentence."""
    try:
        yield
    except Damaged as damaged:
        text = f"{name} is a damaged {kind}: {damaged}. {remedy}"
        raise Invalid(text, code="damaged_artifact", field="file") from damaged


@dataclass
class Cursor:
    """A place in the bytes of a file; nothing is read past their end, whatever length a header states."""

    content: memoryview
    position: int = 0

    def take(self, length: int) -> memoryview:
        """Return the next `length` bytes and move past them; raise Damaged if there are fewer."""
        self.skip(length)
        return self.content[self.position - length : self.position]

    def skip(self, length: int) -> None:
        """Move past `length` bytes; raise Damaged if there are fewer."""
        if length < 0 or length > len(self.content) - self.position:
            raise Damaged("it is truncated")
        self.position += length

    def numbers(self, layout: struct.Struct) -> tuple[Any, ...]:
        """Return the next fields, in the layout given."""
        return layout.unpack(self.take(layout.size))

    def number(self, layout: struct.Struct) -> int:
        """Return the next number, in a layout of one."""
        return int(self.numbers(layout)[0])
