"""A keep-alive connection to the target with one request at a time; answers are not trusted."""

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.answers import STREAM_TYPES, comes_in_bits, outcome_of
from weighbridge.load.results.samples import RequestOutcome

if TYPE_CHECKING:
    from weighbridge.load.generator.engine import LoadEngine

IDLE = -1
# Bytes of the answer stored to look into its headers.
HEAD_BYTES = 16_384
MEDIA_TYPE = re.compile(rb"\ncontent-type:[ \t]*" + b"(" + STREAM_TYPES.pattern + b")")


class Connection(asyncio.Protocol):
    """Sends a request, reads its answer with llhttp, and reports the outcome."""

    def __init__(self, pool: "LoadEngine", *, expect: Expectation, answer_bytes: int, clock: Callable[[], int]) -> None:
        """Add the connection to `pool`; answers above `answer_bytes`, including headers, fail."""
        import httptools

        self._pool, self._expect, self._max_bytes, self._clock = pool, expect, answer_bytes, clock
        self._parser = httptools.HttpResponseParser(self)
        self._unreadable = (httptools.HttpParserError, httptools.HttpParserUpgrade)
        self._transport: Any = None
        self._received, self._reads, self._head, self._body = 0, 0, b"", bytearray()
        self._keeps_body = self._is_whole = self._is_kept = self._has_surplus = self.is_gone = False
        self.request, self.sent_at_ns, self.read_at_ns = IDLE, 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = transport

    async def greet(self, *, timeout_s: float) -> None:
        """Do nothing, because a connection of HTTP/1.1 takes requests at once."""

    @property
    def has_room(self) -> bool:
        """Whether it takes a request now."""
        return self.request == IDLE and not self.is_gone

    def expire(self, late_ns: int, now_ns: int, why: str) -> None:
        """Fail the current request if it was sent before `late_ns`."""
        if self.request != IDLE and self.sent_at_ns < late_ns:
            self.fail(RequestOutcome.TIMED_OUT, now_ns, why)

    def ask(self, request: int, message: bytes, *, keeps_body: bool) -> int:
        """Send one request and return the time on the clock of the engine."""
        self.request, self._received, self._reads, self._head = request, 0, 0, b""
        self._keeps_body, self._is_whole = keeps_body, False
        self._body.clear()
        self.sent_at_ns = self._clock()
        self._transport.write(message)
        return self.sent_at_ns

    def data_received(self, data: bytes) -> None:
        """Read part of an answer; unexpected data closes the connection."""
        now_ns = self.read_at_ns = self._clock()
        if self.request == IDLE:
            self.drop()
            return
        if self._received < HEAD_BYTES:
            self._head += data
        self._received += len(data)
        self._reads += 1
        if self._received > self._max_bytes:
            self.fail(RequestOutcome.TOO_LARGE, now_ns, f"the answer was longer than {self._max_bytes:,} bytes")
            return
        try:
            self._parser.feed_data(data)
        except self._unreadable as error:
            self.fail(RequestOutcome.GARBAGE, now_ns, f"the answer is not valid HTTP ({error})", shown=self._head)
            return
        if self._has_surplus:
            self.fail(RequestOutcome.GARBAGE, now_ns, "the target sent more than one answer to one request")
        elif self._is_whole:
            self._end(now_ns, is_kept=self._is_kept)

    def on_message_begin(self) -> None:
        """Detect a second answer to one request (called by the parser)."""
        self._has_surplus = self._is_whole

    def on_body(self, chunk: bytes) -> None:
        """Store part of a body that will be checked (called by the parser)."""
        if self._keeps_body:
            self._body += chunk

    def on_message_complete(self) -> None:
        """Record the end of an answer, except for informational 1xx answers (called by the parser)."""
        self._is_whole = self._parser.get_status_code() >= 200
        self._is_kept = self._parser.should_keep_alive()  # only available during this call

    def connection_lost(self, _error: Exception | None) -> None:
        """Complete an answer without a length; otherwise, the current request is lost."""
        if self.is_gone:
            return
        if self.request != IDLE and self._is_open_ended():
            self._end(self._clock(), is_kept=False)
        elif self.request != IDLE:
            self.fail(RequestOutcome.LOST, self._clock(), "the connection was closed before the answer was complete")
        else:
            self.drop()

    def fail(self, outcome: RequestOutcome, at_ns: int, why: str, *, shown: bytes = b"") -> None:
        """Fail the current request and close the connection; the reason ends with the start of `shown`."""
        request, self.request = self.request, IDLE
        self._pool.settle(request, outcome, at_ns, why, shown)
        self.drop()

    def drop(self) -> None:
        """Close immediately."""
        self.is_gone = True
        self._transport.abort()
        self._pool.lose(self)

    def _is_open_ended(self) -> bool:
        head, separator, _ = self._head.partition(b"\r\n\r\n")
        head = head.lower()
        return bool(separator) and b"\ncontent-length:" not in head and b"\ntransfer-encoding:" not in head

    def _end(self, at_ns: int, *, is_kept: bool) -> None:
        request, self.request = self.request, IDLE
        if self._pool.looks_for_streams and is_streamed(self._head, reads=self._reads, size=self._received):
            self._pool.streamed += 1
        outcome, why, shown = self._outcome(request, at_ns)
        self._pool.settle(request, outcome, at_ns, why, shown)
        if is_kept:
            self._pool.free(self)
        else:
            self.drop()

    def _outcome(self, _request: int, _at_ns: int) -> tuple[RequestOutcome, str, bytes]:
        """Return the outcome of a whole answer, what is wrong, and what of the answer shows it."""
        body = bytes(self._body) if self._keeps_body else None
        return outcome_of(self._expect, self._parser.get_status_code(), body)


def is_streamed(answer: bytes, *, reads: int, size: int) -> bool:
    """Whether an answer of `size` bytes in `reads` reads was streamed, by its content type or by its many small parts.

    `answer` is its beginning, with the headers.
    """
    head = answer.partition(b"\r\n\r\n")[0].lower()
    is_chunked = b"\ntransfer-encoding:" in head
    return bool(MEDIA_TYPE.search(head)) or (is_chunked and comes_in_bits(reads=reads, size=size))
