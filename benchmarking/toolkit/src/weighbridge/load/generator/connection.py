"""One keep-alive connection to the target: one request under way at a time, and an answer that is not trusted."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from weighbridge.load.expectation import Expectation, shown
from weighbridge.load.results.samples import RequestOutcome

IDLE = -1
# How much of an answer is kept to see, at its end, whether it said how long it is.
HEAD_BYTES = 16_384


class Pool(Protocol):
    """What a connection tells its engine."""

    def settle(self, request: int, outcome: RequestOutcome, at_ns: int, why: str = "") -> None:
        """A request has come to its end."""
        ...

    def free(self, connection: "Connection") -> None:
        """The connection waits for its next request."""
        ...

    def lose(self, connection: "Connection") -> None:
        """The connection is gone; called once."""
        ...


class Connection(asyncio.Protocol):
    """Sends a request, reads its answer with llhttp, and says how it ended."""

    def __init__(self, pool: Pool, *, expect: Expectation, answer_bytes: int, clock: Callable[[], int]) -> None:
        """Belong to `pool`; an answer of more than `answer_bytes`, headers included, is cut off."""
        import httptools

        self._pool, self._expect, self._most, self._clock = pool, expect, answer_bytes, clock
        self._parser = httptools.HttpResponseParser(self)
        self._unreadable = (httptools.HttpParserError, httptools.HttpParserUpgrade)
        self._transport: Any = None
        self._received, self._head, self._body = 0, b"", bytearray()
        self._keeps_body = self._is_whole = self._is_kept = self._has_surplus = self.is_gone = False
        self.request, self.sent_at_ns = IDLE, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = transport

    def ask(self, request: int, message: bytes, *, keeps_body: bool) -> int:
        """Send one request and return when, on the engine's clock."""
        self.request, self._received, self._head = request, 0, b""
        self._keeps_body, self._is_whole = keeps_body, False
        self._body.clear()
        self.sent_at_ns = self._clock()
        self._transport.write(message)
        return self.sent_at_ns

    def data_received(self, data: bytes) -> None:
        """Read a piece of an answer; one that nobody asked for ends the connection."""
        now_ns = self._clock()
        if self.request == IDLE:
            self.drop()
            return
        if self._received < HEAD_BYTES:
            self._head += data
        self._received += len(data)
        if self._received > self._most:
            self.fail(RequestOutcome.TOO_LARGE, now_ns, f"the answer was longer than {self._most:,} bytes")
            return
        try:
            self._parser.feed_data(data)
        except self._unreadable as error:
            text = f"the answer is no HTTP ({error}); it begins {shown(self._head)}"
            self.fail(RequestOutcome.GARBAGE, now_ns, text)
            return
        if self._has_surplus:
            self.fail(RequestOutcome.GARBAGE, now_ns, "the target sent more than one answer to one request")
        elif self._is_whole:
            self._end(now_ns, is_kept=self._is_kept)

    def on_message_begin(self) -> None:
        """Note a second answer to one request (called by the parser)."""
        self._has_surplus = self._is_whole

    def on_body(self, piece: bytes) -> None:
        """Keep a piece of a body that is to be checked (called by the parser)."""
        if self._keeps_body:
            self._body += piece

    def on_message_complete(self) -> None:
        """Note the end of an answer; those of status 1xx are only announcements (called by the parser)."""
        self._is_whole = self._parser.get_status_code() >= 200
        self._is_kept = self._parser.should_keep_alive()  # the parser forgets it after this call

    def connection_lost(self, _error: Exception | None) -> None:
        """Take an answer without a length as whole; any other request under way is lost."""
        if self.is_gone:
            return
        if self.request != IDLE and self._is_open_ended():
            self._end(self._clock(), is_kept=False)
        elif self.request != IDLE:
            self.fail(RequestOutcome.LOST, self._clock(), "the connection was closed before the answer was whole")
        else:
            self.drop()

    def fail(self, outcome: RequestOutcome, at_ns: int, why: str) -> None:
        """End the request under way, and the connection with it."""
        request, self.request = self.request, IDLE
        self._pool.settle(request, outcome, at_ns, why)
        self.drop()

    def drop(self) -> None:
        """Close without ceremony."""
        self.is_gone = True
        self._transport.abort()
        self._pool.lose(self)

    def _is_open_ended(self) -> bool:
        head, found, _ = self._head.partition(b"\r\n\r\n")
        head = head.lower()
        return bool(found) and b"\ncontent-length:" not in head and b"\ntransfer-encoding:" not in head

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
