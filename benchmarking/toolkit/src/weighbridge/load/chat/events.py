"""Server-sent events: the payloads in a stream of bytes, wherever the reads divide it.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6.
"""

import re

from weighbridge.core.errors import Invalid

LONGEST_LINE_BYTES = 1_000_000
_LINE_END = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"


class EventParser:
    """Collects bytes, and returns the `data` of each event when it is complete, in order.

    Comments, and fields other than `data`, are skipped. An event without data is none.
    """

    __slots__ = ("_data", "_is_begun", "_rest")

    def __init__(self) -> None:
        """Begin at the start of a stream."""
        self._rest, self._is_begun = b"", False
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events that this chunk completes; raise Invalid for a line that is too long."""
        text = self._without_mark(self._rest + chunk)
        # A line that ends in CR may go on with LF in the next chunk.
        held = b"\r" if text.endswith(b"\r") else b""
        *lines, rest = _LINE_END.split(text[: len(text) - len(held)])
        self._rest = rest + held
        if len(text) > LONGEST_LINE_BYTES and max(map(len, (*lines, rest))) > LONGEST_LINE_BYTES:
            text_of_error = f"a line of the stream is longer than {LONGEST_LINE_BYTES:,} bytes"
            raise Invalid(text_of_error, code="line_too_long")
        return [data for line in lines if (data := self._read(line)) is not None]

    def end(self) -> list[bytes]:
        """Return the data of an event that the end of the stream completes, because servers omit its blank line."""
        last = [data for line in _LINE_END.split(self._rest) if (data := self._read(line)) is not None]
        self._rest = b""
        rest = self._read(b"")
        return last if rest is None else [*last, rest]

    def _without_mark(self, text: bytes) -> bytes:
        if self._is_begun or (len(text) < len(_MARK) and _MARK.startswith(text)):
            return text
        self._is_begun = True
        return text.removeprefix(_MARK)

    def _read(self, line: bytes) -> bytes | None:
        """Read one line; return the data of the event that a blank line completes."""
        if line.startswith(b"data"):
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            return None
        if line or not self._data:
            return None
        data, self._data = b"\n".join(self._data), []
        return data
