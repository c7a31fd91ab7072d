"""One connection: its requests are answered in turn; whatever is pipelined waits."""

import asyncio
import socket
from typing import cast

from examples.support_assistant.double.behaviors import error
from examples.support_assistant.double.http import BadRequest, Request, RequestReader
from examples.support_assistant.double.pace import PacedAnswer
from examples.support_assistant.double.records import Record
from examples.support_assistant.double.script import Ending, Script, document
from examples.support_assistant.double.serving import CHAT, Double
from examples.support_assistant.double.writing import Writer
from weighbridge.core.errors import Invalid


class DoubleConnection(asyncio.Protocol):
    """Reads requests of one client and answers them."""

    def __init__(self, double: Double) -> None:
        self._double, self._reader = double, RequestReader()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._writer: Writer | None = None
        self._paced: PacedAnswer | None = None
        self._is_last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Write small pieces at once."""
        self._transport = cast("asyncio.Transport", transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer if nothing is being answered."""
        self._reader.feed(data)
        if self._writer is None:
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was being answered."""
        self._transport = None
        if self._writer is not None:
            self._writer.stop()
        self._end_paced(self._loop.time())

    def _read_on(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._reader.wants_to_continue():
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            request = self._reader.next_request()
        except BadRequest as refused:
            self._is_last = True
            script = document(refused.status, error(refused.status, refused.reason, "bad_request", "openai"))
            self._answer(transport, script, None)
            return
        if request is not None:
            self._is_last = request.is_last
            self._take(transport, request)

    def _take(self, transport: asyncio.Transport, request: Request) -> None:
        if (request.method, request.path) == ("POST", CHAT):
            self._answer(transport, *self._double.chat(request.body, self._loop.time()))
        else:
            self._answer(transport, self._double.other(request), None)

    def _answer(self, transport: asyncio.Transport, script: Script, record: Record | None) -> None:
        """Write the answer; what needs tokens gets them at the pace of the double."""
        needed = max((event.after for event in script.events), default=0)
        is_held = script.ending is Ending.HANG or needed > 0
        law = self._double.law
        record = record or Record(id="", behavior="", status=script.status, arrived_s=self._loop.time())
        self._writer = writer = Writer(transport, script, record, self._over)
        if is_held:
            answer = PacedAnswer(
                arrived_s=record.arrived_s,
                input_tokens=record.input_tokens,
                cached_tokens=record.cached_tokens,
                output_tokens=max(needed, 1),
                produced=writer.produced,
            )
            try:
                self._double.pace.begin(answer)
            except Invalid as refused:
                body = error(400, refused.reason, "invalid_request_error", "openai")
                self._answer(transport, document(400, body), None)
                return
            self._paced = answer
        writer.start(pieces=law.pieces, chance=law.chance(f"pieces of {record.id}"))

    def _over(self, at_s: float, may_go_on: bool) -> None:
        self._writer = None
        self._end_paced(at_s)
        if not may_go_on or self._is_last:
            if self._transport is not None:
                self._transport.close()
        else:
            self._loop.call_soon(self._read_on_if_free)

    def _read_on_if_free(self) -> None:
        if self._writer is None:
            self._read_on()

    def _end_paced(self, at_s: float) -> None:
        paced, self._paced = self._paced, None
        if paced is not None:
            self._double.pace.end(paced, at_s)
