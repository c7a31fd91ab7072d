"""Streaming JSON reader: a list of hundreds of megabytes is never loaded whole, and every number stays exact.

The library `ijson` does not replace this module. With exact numbers its compiled parser (3.6) ends the whole process at
a number that Python refuses, such as one of 5,000 digits, and its parser in Python takes thirteen times as long.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.core.parsing.json_text import StrictnessError, decoder

CHUNK = 1 << 18
LARGEST_VALUE = 1 << 24
LARGEST_FILE = 2 << 30
SPACE = " \t\r\n"
# Characters that can continue a number.
CUT = {"", ".", "e", "E", "e+", "e-", "E+", "E-"}

Path = tuple[str | int, ...]


def members(stream: IO[str], *, is_opened: Callable[[Path], bool]) -> Iterator[tuple[Path, Any]]:
    """Yield every value with its path; objects and lists are whole unless `is_opened` says to descend into them.

    Numbers are Decimal or int. Raises Invalid with the position of invalid JSON, TooLarge above 2 GB of text or 16 MB
    for one value.
    """
    reader = _Reader(stream)
    yield from _value(reader, (), is_opened)
    if reader.peek():
        raise reader.fault("there is content after the end of the document")


def _value(reader: "_Reader", path: Path, is_opened: Callable[[Path], bool]) -> Iterator[tuple[Path, Any]]:
    first = reader.peek()
    if first not in ("{", "[") or not is_opened(path):
        yield path, reader.whole()
        return
    closing = "}" if first == "{" else "]"
    reader.take(first)
    position = 0
    while reader.peek() != closing:
        if position:
            reader.take(",")
        if first == "{":
            key = reader.whole()
            if not isinstance(key, str):
                raise reader.fault("a key must be text")
            reader.take(":")
        yield from _value(reader, (*path, key if first == "{" else position), is_opened)
        position += 1
    reader.take(closing)


class _Reader:
    """A window on the text that moves on as values are consumed."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._passed = 0
        self._is_ended = False
        self._decoder = decoder(Decimal)

    def fault(self, reason: str) -> Invalid:
        """Return the error for the current position."""
        return Invalid(f"The file is not valid JSON: {reason} at character {self._passed + self._at:,}.", field="file")

    def peek(self) -> str:
        """Return the next character that is not whitespace; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Consume the next character, which must be `wanted`."""
        if self.peek() != wanted:
            raise self.fault(f"{wanted!r} is missing")
        self._at += 1

    def whole(self) -> Any:
        """Read and return the next complete value."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (RecursionError, InvalidOperation) as error:
                raise self.fault("a value is nested too deep, or a number is too large") from error
            except ValueError as error:
                if isinstance(error, StrictnessError) or not self._more():
                    raise self.fault(str(error).partition(":")[0]) from error
                continue
            # A number at the end of the window may be incomplete: 12 of 123, 1 of 1.5, 2 of 2e-7.
            if self._text[end : end + 3] in CUT and self._more():
                continue
            self._at = end
            return value

    def _more(self) -> bool:
        if self._is_ended:
            return False
        rest = self._text[self._at :]
        if len(rest) > LARGEST_VALUE:
            raise TooLarge(
                f"One value is larger than {LARGEST_VALUE >> 20} MB; this is not a price list.", field="file"
            )
        # The window grows in proportion to its size, so that a long value is not parsed again for every chunk.
        more = self._stream.read(max(CHUNK, len(rest)))
        self._is_ended = not more
        self._passed += self._at
        self._text, self._at = rest + more, 0
        if self._passed + len(self._text) > LARGEST_FILE:
            raise TooLarge(f"The file is larger than {LARGEST_FILE >> 30} GB; import it by region.", field="file")
        return bool(more)
