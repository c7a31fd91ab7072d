"""A connection of HTTP/2: each request is a stream of its own. Answers are not trusted.

The generator limits no answer: its windows of flow control are as large as they can be. It keeps to what the target
limits: the streams at once and the windows of the target.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from weighbridge.core.extras import import_extra
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.answers import outcome_of
from weighbridge.load.generator.http2 import frames
from weighbridge.load.generator.http2.answer import StreamAnswer
from weighbridge.load.generator.http2.frames import ErrorCode, Frame, FrameError, Kind, Setting
from weighbridge.load.generator.http2.request import Http2Request
from weighbridge.load.results.samples import RequestOutcome

if TYPE_CHECKING:
    from weighbridge.load.generator.engine import LoadEngine

# RFC 9113 advises targets to allow at least as many.
STREAMS_MAX = 100
FIRST_SETTINGS = {Setting.ENABLE_PUSH: 0, Setting.INITIAL_WINDOW_SIZE: frames.WINDOW_MAX}
# The window of the connection is as large as can be, and is opened again when half of it was used.
FIRST_GROWTH = frames.WINDOW_MAX - frames.FIRST_WINDOW
RETURNED_BYTES = frames.WINDOW_MAX // 2
# A table size of 0 before the first headers: they are then the same bytes on every connection.
NO_TABLE = b"\x20"


class NoHttp2Error(OSError):
    """The target accepts connections, but does not speak HTTP/2."""


class Http2Connection(asyncio.Protocol):
    """Sends requests on streams, reads their answers, and reports the outcomes; `limit` is the most streams at once."""

    def __init__(self, pool: "LoadEngine", *, expect: Expectation, answer_bytes: int, clock: Callable[[], int]) -> None:
        """Add the connection to `pool`; answers above `answer_bytes`, including headers, fail."""
        self._pool, self._expect, self._max_bytes, self._clock = pool, expect, answer_bytes, clock
        self._reader, self._hpack = frames.FrameReader(), import_extra("hpack")
        self._decoder = self._hpack.Decoder(max_header_list_size=frames.HEADERS_MAX)
        self._transport: Any = None
        self._greeted, self._refusal = asyncio.Event(), ""
        self._streams: dict[int, StreamAnswer] = {}
        self._next_stream, self._now_ns, self._out = 1, 0, bytearray()
        self._window = self._first_window = frames.FIRST_WINDOW
        self._frame_bytes, self._unreturned, self._prefix = frames.FRAME_BYTES, 0, NO_TABLE
        self._is_closing = self.is_gone = False
        self.limit = STREAMS_MAX
        self._readers: dict[int, Callable[[Frame], None]] = {
            Kind.DATA: self._read_data,
            Kind.HEADERS: self._read_headers,
            Kind.RST_STREAM: self._read_reset,
            Kind.SETTINGS: self._read_settings,
            Kind.PUSH_PROMISE: self._read_push,
            Kind.PING: self._read_ping,
            Kind.GOAWAY: self._read_goaway,
            Kind.WINDOW_UPDATE: self._read_window,
        }

    @property
    def has_room(self) -> bool:
        """Whether it takes a request now."""
        return len(self._streams) < self.limit and not self._is_closing and not self.is_gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce the generator: no pushed answers, and the largest windows."""
        self._transport = transport
        self._out += frames.PREFACE + frames.settings_bytes(FIRST_SETTINGS)
        self._out += frames.window_bytes(FIRST_GROWTH)
        self._flush()

    async def greet(self, *, timeout_s: float) -> None:
        """Wait for the settings of the target; raise NoHttp2Error if it speaks another protocol or allows no stream."""
        tls = self._transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            raise NoHttp2Error("the target did not choose HTTP/2 in TLS")
        try:
            async with asyncio.timeout(timeout_s):
                await self._greeted.wait()
        except TimeoutError as error:
            raise NoHttp2Error("the target did not answer the beginning of HTTP/2") from error
        if self._refusal or self.limit < 1:
            raise NoHttp2Error(self._refusal or "the target allows no stream on a new connection")

    def ask(self, request: int, message: Http2Request, *, keeps_body: bool) -> int:
        """Send one request on a new stream and return the time on the clock of the engine."""
        number, self._next_stream = self._next_stream, self._next_stream + 2
        sent_at_ns = self._clock()
        stream = StreamAnswer(request, keeps_body, sent_at_ns, memoryview(message.body), self._first_window)
        self._streams[number] = stream
        block, self._prefix = self._prefix + message.headers, b""
        self._out += frames.headers_bytes(block, stream=number, ends_stream=not message.body)
        self._send_body(number, stream)
        self._flush()
        return sent_at_ns

    def expire(self, late_ns: int, now_ns: int, why: str) -> None:
        """Fail the requests that were sent before `late_ns`; a connection that has been silent since is closed."""
        for number, stream in [each for each in self._streams.items() if each[1].sent_at_ns < late_ns]:
            self._is_closing |= self._now_ns < stream.sent_at_ns
            self._fail(number, RequestOutcome.TIMED_OUT, why, at_ns=now_ns)
        self._after_reading()

    def data_received(self, data: bytes) -> None:
        """Read frames; what is not HTTP/2 closes the connection."""
        self._now_ns = self._clock()
        try:
            for frame in self._reader.frames(data):
                self._read(frame)
        except (FrameError, self._hpack.HPACKError) as error:
            self._lose_all(RequestOutcome.GARBAGE, f"the answer is not valid HTTP/2 ({error})")
        self._after_reading()

    def connection_lost(self, _error: Exception | None) -> None:
        """Lose the requests that have no whole answer."""
        if not self.is_gone:
            self._now_ns = self._clock()
            self._lose_all(RequestOutcome.LOST, "the connection was closed before the answer was complete")

    def drop(self) -> None:
        """Close immediately."""
        self.is_gone = True
        self._transport.abort()
        self._pool.lose(self)

    def _lose_all(self, outcome: RequestOutcome, why: str) -> None:
        if not self._greeted.is_set():
            self._refusal = "the target did not answer in HTTP/2"
            self._greeted.set()
        self._is_closing = True
        self._pool.withdraw(self)
        for number in list(self._streams):
            self._settle(number, outcome, why)
        self.drop()

    def _after_reading(self) -> None:
        if self.is_gone:
            return
        if self._is_closing:
            self._pool.withdraw(self)
        if self._is_closing and not self._streams:
            self.drop()
            return
        self._flush()

    def _flush(self) -> None:
        if self._out:
            self._transport.write(bytes(self._out))
            self._out.clear()

    def _read(self, frame: Frame) -> None:
        if not self._greeted.is_set() and frame.kind != Kind.SETTINGS:
            raise FrameError("its first frame has no settings")
        if frame.kind in self._readers:
            self._readers[frame.kind](frame)

    def _read_headers(self, frame: Frame) -> None:
        # Also the headers of a stream that is no longer of interest change the table of the decoder.
        fields = self._decoder.decode(frame.content, raw=True)
        if (stream := self._streams.get(frame.stream)) is not None:
            self._read_part(frame, stream, stream.read_fields(fields))

    def _read_data(self, frame: Frame) -> None:
        self._unreturned += len(frame.payload)
        if self._unreturned > RETURNED_BYTES:
            self._out += frames.window_bytes(self._unreturned)
            self._unreturned = 0
        content = frame.content
        if (stream := self._streams.get(frame.stream)) is not None:
            self._read_part(frame, stream, stream.read_body(content))

    def _read_part(self, frame: Frame, stream: StreamAnswer, complaint: str) -> None:
        stream.received += len(frame.payload)
        if frame.ends_stream:
            complaint = complaint or stream.complaint_at_end()
        if complaint:
            self._fail(frame.stream, RequestOutcome.GARBAGE, complaint)
        elif stream.received > self._max_bytes:
            text = f"the answer was longer than {self._max_bytes:,} bytes"
            self._fail(frame.stream, RequestOutcome.TOO_LARGE, text)
        elif frame.ends_stream:
            self._end(frame.stream, stream)

    def _end(self, number: int, stream: StreamAnswer) -> None:
        if stream.unsent:
            self._reset(number)
        if self._pool.looks_for_streams and stream.is_streamed:
            self._pool.streamed += 1
        body = bytes(stream.body) if stream.keeps_body else None
        outcome, why, shown = outcome_of(self._expect, stream.status, body)
        if outcome is not RequestOutcome.WRONG_STATUS and stream.grpc_status not in (b"", b"0"):
            status = stream.grpc_status.decode("ascii", "backslashreplace")
            outcome, why = RequestOutcome.WRONG_STATUS, f"the answer had the gRPC status {status}"
        self._settle(number, outcome, why, shown)
        self._pool.free(self)

    def _fail(self, number: int, outcome: RequestOutcome, why: str, *, at_ns: int | None = None) -> None:
        """Fail a request and reset its stream; the connection stays."""
        self._reset(number)
        self._settle(number, outcome, why, at_ns=at_ns)
        self._pool.free(self)

    def _settle(
        self, number: int, outcome: RequestOutcome, why: str, shown: bytes = b"", *, at_ns: int | None = None
    ) -> None:
        request = self._streams.pop(number).request
        self._pool.settle(request, outcome, self._now_ns if at_ns is None else at_ns, why, shown)

    def _reset(self, number: int) -> None:
        payload = struct.pack(">L", ErrorCode.CANCEL)
        self._out += frames.frame_bytes(Kind.RST_STREAM, stream=number, payload=payload)

    def _read_reset(self, frame: Frame) -> None:
        (code,) = frame.numbers(">L")
        if frame.stream not in self._streams:
            return
        outcome = RequestOutcome.REFUSED if code == ErrorCode.REFUSED_STREAM else RequestOutcome.LOST
        self._settle(frame.stream, outcome, f"the target reset the stream ({frames.name_of(code)})")
        self._pool.free(self)

    def _read_settings(self, frame: Frame) -> None:
        if frame.flags & frames.ACK:
            return
        settings = frames.settings_of(frame)
        first = settings.get(Setting.INITIAL_WINDOW_SIZE, self._first_window)
        for stream in self._streams.values():
            stream.window += first - self._first_window
        self._first_window = first
        self._frame_bytes = settings.get(Setting.MAX_FRAME_SIZE, self._frame_bytes)
        self.limit = min(STREAMS_MAX, settings.get(Setting.MAX_CONCURRENT_STREAMS, self.limit))
        self._out += frames.frame_bytes(Kind.SETTINGS, flags=frames.ACK)
        self._greeted.set()
        self._send_bodies()
        self._pool.resize(self)

    def _read_push(self, _frame: Frame) -> None:
        raise FrameError("the target pushes an answer")

    def _read_ping(self, frame: Frame) -> None:
        if not frame.flags & frames.ACK:
            self._out += frames.frame_bytes(Kind.PING, flags=frames.ACK, payload=frame.payload)

    def _read_goaway(self, frame: Frame) -> None:
        """Stop sending; requests that the target did not take are sent again elsewhere, as RFC 9113 has it."""
        last, code = frame.numbers(">LL")
        self._is_closing = True
        self._pool.withdraw(self)
        for number in [each for each in reversed(self._streams) if each > last]:
            if self._pool.take_back(self._streams[number].request):
                del self._streams[number]
            else:
                text = f"the target closed the connection before it took the request ({frames.name_of(code)})"
                self._settle(number, RequestOutcome.REFUSED, text)

    def _read_window(self, frame: Frame) -> None:
        (grown,) = frame.numbers(">L")
        if frame.stream == 0:
            self._window += grown
            self._send_bodies()
        elif (stream := self._streams.get(frame.stream)) is not None:
            stream.window += grown
            self._send_body(frame.stream, stream)

    def _send_bodies(self) -> None:
        for number, stream in self._streams.items():
            self._send_body(number, stream)

    def _send_body(self, number: int, stream: StreamAnswer) -> None:
        """Send as much of a body as the target accepts now."""
        while stream.unsent and (size := min(len(stream.unsent), stream.window, self._window, self._frame_bytes)) > 0:
            part, stream.unsent = bytes(stream.unsent[:size]), stream.unsent[size:]
            stream.window, self._window = stream.window - size, self._window - size
            flags = 0 if stream.unsent else frames.END_STREAM
            self._out += frames.frame_bytes(Kind.DATA, flags=flags, stream=number, payload=part)
