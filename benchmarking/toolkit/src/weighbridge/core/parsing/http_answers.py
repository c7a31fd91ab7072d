"""The only reader of answers over HTTP: a limit of bytes, and one of time for the whole answer.

A timeout of a socket counts from one byte to the next, so a server that sends one byte a second is waited for all day.
`bounded` makes `http.client`, and what is built on it, wait no longer than the timeout in total.
"""

import contextlib
import http.client
import io
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

RETRY_AFTER_MAX_S = 3600.0
"""The longest wait that an answer can ask for. A longer one is cut to this."""
HEAD_BYTES_MAX = 1 << 20
DIGITS_MAX = 12


class AnswerTooLarge(OSError):  # noqa: N818 -- named after what happened, as the refusals are
    """The answer has more bytes than allowed."""


def bounded(*, total_s: float, bytes_max: int) -> Callable[..., http.client.HTTPResponse]:
    """A `response_class` for one answer of a connection of `http.client`, which must arrive from now on in `total_s`.

    Reading raises TimeoutError after that time, and AnswerTooLarge above `bytes_max` and a megabyte of headers.
    """
    ends_at_s = time.monotonic() + total_s

    def opened(sock: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
        answer = http.client.HTTPResponse(sock, *args, **options)
        answer.fp = io.BufferedReader(
            _Bounded(answer.fp.detach(), sock, ends_at_s=ends_at_s, bytes_max=bytes_max + HEAD_BYTES_MAX)
        )
        return answer

    return opened


def body_of(answer: http.client.HTTPResponse, *, bytes_max: int) -> bytes:
    """The body, unpacked by nobody; raise AnswerTooLarge above `bytes_max`. Closes the answer."""
    with answer:
        body = answer.read(bytes_max + 1)
    if len(body) > bytes_max:
        raise AnswerTooLarge(f"the answer is larger than {bytes_max:,} bytes")
    return body


def capped_wait_s(wait_s: float) -> float:
    """The wait that an answer asked for, from 0 to the longest allowed one."""
    return min(max(wait_s, 0.0), RETRY_AFTER_MAX_S)


def retry_after_s(headers: Mapping[str, str] | http.client.HTTPMessage, *, now: datetime) -> float | None:
    """The requested wait in seconds, an hour at most; None if the headers contain no usable value.

    Reads `Retry-After` as seconds or as an HTTP date (RFC 9110 §10.2.3), else `X-RateLimit-Reset` as an ISO 8601 time.
    """
    header = headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdigit():
        return capped_wait_s(float(header[:DIGITS_MAX]))
    for text, parse in (
        (header, parsedate_to_datetime),
        (headers.get("X-RateLimit-Reset", ""), datetime.fromisoformat),
    ):
        try:
            moment = parse(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return capped_wait_s((moment - now).total_seconds())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


class _Bounded(io.RawIOBase):
    """The bytes of a socket, up to a time and a number."""

    def __init__(self, raw: Any, sock: socket.socket, *, ends_at_s: float, bytes_max: int) -> None:
        self._raw, self._sock, self._timeout_s = raw, sock, sock.gettimeout()
        self._ends_at_s, self._left = ends_at_s, bytes_max

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def readinto(self, buffer: Any) -> int:
        left_s = self._ends_at_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left_s if self._timeout_s is None else min(left_s, self._timeout_s))
        count = int(self._raw.readinto(buffer) or 0)
        self._left -= count
        if self._left < 0:
            raise AnswerTooLarge("the answer is larger than allowed")
        return count

    def close(self) -> None:
        with contextlib.suppress(OSError):  # of a connection that is closed already
            self._sock.settimeout(self._timeout_s)  # it may be used again
        self._raw.close()
        super().close()
