"""Writes one answer: its events as their tokens come, several to a write and in pieces where the law says so."""

import asyncio
import random
from collections import deque
from collections.abc import Callable

from examples.support_assistant.double.http import chunk, head_of
from examples.support_assistant.double.records import Record
from examples.support_assistant.double.script import Ending, Event, Script

PIECE_S = 0.000_2
TIMED = ("reasoning", "content", "refusal", "tool_calls")


class Writer:
    """Writes a script to a connection.

    `over(at_s, keep)` is called once, when the answer is whole: at what time it was due, and whether the connection
    may be used again.
    """

    def __init__(
        self, transport: asyncio.WriteTransport, script: Script, record: Record, over: Callable[[float, bool], None]
    ) -> None:
        self._transport, self._script, self._record, self._over = transport, script, record, over
        self._loop = asyncio.get_running_loop()
        self._events: deque[Event] = deque(script.events)
        self._held: list[bytes] = []
        self._pieces: deque[bytes] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._produced, self._due_s, self._is_late, self._is_over = 0, 0.0, False, False
        self._cuts, self._chance = 1, random.Random(0)  # noqa: S311 -- no secret

    def start(self, *, pieces: int, chance: random.Random) -> None:
        """Write the head, and what needs no token; each write is cut in `pieces` at random bytes."""
        self._cuts, self._chance = pieces, chance
        script = self._script
        if script.is_stream and not script.is_silent:
            framing = {"Transfer-Encoding": "chunked"} if script.is_chunked else {"Connection": "close"}
            self._send(head_of(script.status, {**script.headers, **framing}))
        self.produced(0, self._loop.time())

    def produced(self, count: int, due_s: float) -> None:
        """Write what needs no more than `count` tokens, the last of which was due at `due_s`."""
        self._produced, self._due_s = count, due_s
        if self._timer is None and not self._is_over:
            self._go_on()

    def stop(self) -> None:
        """Write nothing any more: the client is gone."""
        self._is_over = True
        self._pieces.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _go_on(self) -> None:
        self._timer = None
        while self._events and self._events[0].after <= self._produced:
            event = self._events[0]
            if event.rest_s:
                self._flush()
                self._timer, event.rest_s, self._is_late = self._loop.call_later(event.rest_s, self._go_on), 0.0, True
                return
            self._take(self._events.popleft())
        if not self._events:
            self._flush()
            self._finish()

    def _take(self, event: Event) -> None:
        self._held.append(event.encoded(self._script.end_of_line))
        if event.role in TIMED:
            self._record.due_s.append(self._due_s)
            self._record.written_s.append(self._loop.time())
        if self._script.is_stream and len(self._held) >= self._script.events_per_write:
            self._flush()

    def _flush(self) -> None:
        data = b"".join(self._held)
        self._held.clear()
        if self._script.is_stream:
            if data:
                self._send(b"".join(map(chunk, self._cut(data))) if self._script.is_chunked else data)
        elif not self._script.is_silent:
            headers = {**self._script.headers, "Content-Length": str(len(data))}
            shown = data if self._script.ending is Ending.COMPLETE else data[: len(data) // 2]
            self._send(head_of(self._script.status, headers) + shown)

    def _finish(self) -> None:
        self._is_over = True
        if self._script.ending is Ending.HANG:
            return
        if self._script.ending is Ending.COMPLETE and self._script.is_stream:
            self._send(chunk(b""))
        if self._pieces:
            self._is_late = True
        else:
            self._end()

    def _end(self) -> None:
        now = self._loop.time()
        self._record.ended_s = now
        self._over(now if self._is_late else self._due_s, self._script.ending is Ending.COMPLETE)

    def _cut(self, data: bytes) -> list[bytes]:
        """Cut at random bytes, so that events, lines and characters come apart."""
        if self._cuts == 1:
            return [data]
        ends = sorted({self._chance.randrange(1, len(data)) for _ in range(self._cuts - 1)} if len(data) > 1 else ())
        return [data[start:end] for start, end in zip((0, *ends), (*ends, len(data)), strict=True)]

    def _send(self, data: bytes) -> None:
        if self._cuts == 1:
            self._transport.write(data)
            return
        was_empty = not self._pieces
        self._pieces.extend(self._cut(data))
        if was_empty:
            self._send_piece()

    def _send_piece(self) -> None:
        if not self._pieces:
            return
        self._transport.write(self._pieces.popleft())
        if self._pieces:
            self._loop.call_later(PIECE_S, self._send_piece)
        elif self._is_over:
            self._end()
