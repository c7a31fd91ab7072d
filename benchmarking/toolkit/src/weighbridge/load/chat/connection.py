"""A connection that reads each answer as a stream of events while it arrives."""

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from weighbridge.load.chat.answer_stream import AnswerStream
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.connection import Connection
from weighbridge.load.results.samples import NEVER, RequestOutcome

if TYPE_CHECKING:
    from weighbridge.load.chat.engine import ChatEngine

RETRY_AFTER = re.compile(rb"\nretry-after:[ \t]*([ -~]{1,40})", re.IGNORECASE)
# What a failure is called after the first token: a part of the answer had arrived.
AFTER_FIRST_TOKEN = {
    RequestOutcome.TIMED_OUT: (RequestOutcome.STALLED, "the stream stopped before its end"),
    RequestOutcome.LOST: (RequestOutcome.CUT_SHORT, "the connection was closed before the end of the stream"),
}


class ChatConnection(Connection):
    """Keeps the stream of each answer in the engine, also if the request fails: nothing measured is lost."""

    def __init__(self, pool: "ChatEngine", *, expect: Expectation, answer_bytes: int, clock: Callable[[], int]) -> None:
        """Add the connection to `pool`."""
        super().__init__(pool, expect=expect, answer_bytes=answer_bytes, clock=clock)
        self._engine, self._stream = pool, AnswerStream()

    def ask(self, request: int, message: bytes, *, keeps_body: bool) -> int:
        """Send one request, and begin a stream."""
        self._stream = AnswerStream()
        return super().ask(request, message, keeps_body=keeps_body)

    def data_received(self, data: bytes) -> None:
        """Read part of an answer, and count the processor time that reading takes."""
        began_ns = time.thread_time_ns()
        super().data_received(data)
        self._engine.reading_ns += time.thread_time_ns() - began_ns

    def on_body(self, chunk: bytes) -> None:
        """Read part of the stream (called by the parser)."""
        self._mark_headers()
        self._stream.feed(chunk, self.read_at_ns)

    def on_message_begin(self) -> None:
        """Note the first byte of an answer (called by the parser)."""
        super().on_message_begin()
        self._mark_headers()

    def fail(self, outcome: RequestOutcome, at_ns: int, why: str, *, shown: bytes = b"") -> None:
        """Fail the current request; what had arrived is kept."""
        if self._stream.first_ns != NEVER:
            outcome, why = AFTER_FIRST_TOKEN.get(outcome, (outcome, why))
        self._engine.keep_answer(self.request, self._stream)
        super().fail(outcome, at_ns, why, shown=shown)

    def _mark_headers(self) -> None:
        if self._stream.headers_ns == NEVER:
            self._stream.headers_ns = self.read_at_ns

    def _outcome(self, request: int, at_ns: int) -> tuple[RequestOutcome, str, bytes]:
        self._stream.end(at_ns)
        self._engine.keep_answer(request, self._stream)
        outcome, why, shown = self._stream.outcome(self._parser.get_status_code())
        after = RETRY_AFTER.search(self._head) if outcome is RequestOutcome.BUSY else None
        return outcome, f"{why}, and asks to try again after {after[1].decode()}" if after else why, shown
