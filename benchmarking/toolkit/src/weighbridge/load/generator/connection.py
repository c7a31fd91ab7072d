"""A keep-alive connection to the target with one request at a time; answers are not trusted."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from weighbridge.load.expectation import Expectation, excerpt
from weighbridge.load.results.samples import RequestOutcome

if TYPE_CHECKING:
    from weighbridge.load.generator.engine import LoadEngine

IDLE = -1
# Bytes of the answer stored to check for a Content-Length header.
HEAD_BYTES = 16_384


class Connection(asyncio.Protocol):
    """Sends a request, reads its answer with llhttp, and reports the outcome."""

    def __init__(self, pool: "LoadEngine", *, expect: Expectation, answer_bytes: int, clock: Callable[[], int]) -> None:
        """Add the connection to `pool`; answers above `answer_bytes`, including headers, fail."""
        import httptools

        self._pool, self._expect, self._max_bytes, self._clock = pool, expect, answer_bytes, clock
        self._parser = httptools.HttpResponseParser(self)
        self._unreadable = (httptools.HttpParserError, httptools.HttpParserUpgrade)
        self._transport: Any = None
        self._received, self._head, self._body = 0, b"", bytearray()
        self._keeps_body = self._is_whole = self._is_kept = self._has_surplus = self.is_gone = False
        self.request, self.sent_at_ns = IDLE, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = transport

    def ask(self, request: int, message: bytes, *, keeps_body: bool) -> int:
        """Send one request and return the time on the clock of the engine."""
        self.request, self._received, self._head = request, 0, b""
        self._keeps_body, self._is_whole = keeps_body, False
        self._body.clear()
        self.sent_at_ns = self._clock()
        self._transport.write(message)
        return self.sent_at_ns

    def data_received(self, data: bytes) -> None:
        """Read part of an answer; unexpected data closes the connection."""
        now_ns = self._clock()
        if self.request == IDLE:
            self.drop()
            return
        if self._received < HEAD_BYTES:
            self._head += data
        self._received += len(data)
        if self._received > self._max_bytes:
            self.fail(RequestOutcome.TOO_LARGE, now_ns, f"the answer was longer than {self._max_bytes:,} bytes")
            return
        try:
            self._parser.feed_data(data)
        except self._unreadable as error:
            text = f"the answer is not valid HTTP ({error}); it starts with {excerpt(self._head)}"
            self.fail(RequestOutcome.GARBAGE, now_ns, text)
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

    def fail(self, outcome: RequestOutcome, at_ns: int, why: str) -> None:
        """Fail the current request and close the connection."""
        request, self.request = self.request, IDLE
        self._pool.settle(request, outcome, at_ns, why)
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
        why, outcome = self._expect.status_complaint(self._parser.get_status_code()), RequestOutcome.WRONG_STATUS
        if not why and self._keeps_body:
            why, outcome = self._expect.body_complaint(bytes(self._body)), RequestOutcome.WRONG_ANSWER
        self._pool.settle(request, outcome if why else RequestOutcome.ANSWERED, at_ns, why)
        if is_kept:
            self._pool.free(self)
        else:
            self.drop()
