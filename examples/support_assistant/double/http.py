"""HTTP/1.1 as far as the double needs it: whole requests out of bytes, heads and chunks of answers into bytes."""

import dataclasses
import http
from collections.abc import Mapping

HEAD_BYTES, BODY_BYTES = 65_536, 16 << 20
END = b"\r\n\r\n"


class BadRequest(Exception):  # noqa: N818 -- a refusal is an answer, not a malfunction
    """The bytes are no request that is answered; the connection ends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclasses.dataclass(frozen=True)
class Request:
    """One request; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_last(self) -> bool:
        """Whether the client closes the connection after it."""
        return self.headers.get("connection", "").lower() == "close"


class RequestReader:
    """Collects bytes and gives requests, one at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._asked_to_go_on = False

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self._buffer += data

    def wants_to_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body; true once for each request."""
        end = self._buffer.find(END)
        if end < 0 or self._asked_to_go_on:
            return False
        self._asked_to_go_on = b"expect: 100-continue" in bytes(self._buffer[:end]).lower()
        return self._asked_to_go_on

    def next_request(self) -> Request | None:
        """Return the next whole request, or None until there is one. Raises BadRequest."""
        end = self._buffer.find(END)
        if end > HEAD_BYTES or (end < 0 and len(self._buffer) > HEAD_BYTES):
            raise BadRequest(431, "The head of the request is too long.")
        if end < 0:
            return None
        method, path, headers = _head(bytes(self._buffer[:end]))
        if headers.get("transfer-encoding", "").lower() == "chunked":
            found = _chunked(self._buffer, end + len(END))
        else:
            found = _counted(self._buffer, end + len(END), headers.get("content-length", "0"))
        if found is None:
            return None
        body, after = found
        del self._buffer[:after]
        self._asked_to_go_on = False
        return Request(method, path, headers, body)


def _head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest(400, "The first line is no request of HTTP/1.1.")
    pairs = (line.partition(":") for line in lines)
    return parts[0], parts[1].partition("?")[0], {name.strip().lower(): value.strip() for name, _, value in pairs}


def _counted(buffer: bytearray, start: int, length: str) -> tuple[bytes, int] | None:
    if not (length.isascii() and length.isdigit()):
        raise BadRequest(400, "Content-Length is no number.")
    end = start + int(length[:12])
    if end - start > BODY_BYTES:
        raise BadRequest(413, "The body is too long.")
    return None if len(buffer) < end else (bytes(buffer[start:end]), end)


def _chunked(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    body = bytearray()
    while (line_end := buffer.find(b"\r\n", start)) >= 0:
        try:
            size = int(bytes(buffer[start:line_end]).partition(b";")[0], 16)
        except ValueError:
            raise BadRequest(400, "A chunk has no size.") from None
        if not 0 <= size <= BODY_BYTES - len(body):
            raise BadRequest(413, "The body is too long.")
        end = line_end + 2 + size
        if len(buffer) < end + 2:
            return None
        body += buffer[line_end + 2 : end]
        start = end + 2
        if size == 0:
            return bytes(body), start
    return None


def head_of(status: int, headers: Mapping[str, str]) -> bytes:
    """Return the head of an answer."""
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Return one chunk of a body whose length is not stated; an empty one ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
