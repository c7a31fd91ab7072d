"""Servers of HTTP/2 on loopback, made with h2, which holds the generator to the protocol."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Mapping

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from weighbridge.load.generator.http2.request import Http2Request, RequestMaker

PSEUDO = [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/predict")]
Answer = Callable[["Http2Server", "Asked"], Awaitable[None]]


@dataclasses.dataclass
class Asked:
    """A request as a server heard it: its connection, counted from 0, and its stream."""

    connection: int
    stream: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclasses.dataclass
class Http2Server:
    """One connection of a server; `heard` is shared by all connections of a server."""

    number: int
    heard: list[Asked]
    writer: asyncio.StreamWriter
    state: H2Connection
    open_streams: dict[int, Asked] = dataclasses.field(default_factory=dict)
    most: int = 0
    reset: list[int] = dataclasses.field(default_factory=list)
    window: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    def flush(self) -> None:
        """Send what h2 has made."""
        if not self.writer.is_closing():
            self.writer.write(self.state.data_to_send())

    def say(self, stream: int, body: bytes = b'{"ok":true}', *, status: str = "200", **headers: str) -> None:
        """Send a small answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {"content-type": "application/json", "content-length": str(len(body))}
        self.state.send_headers(stream, [(":status", status), *(usual | named).items()], end_stream=not body)
        if body:
            self.state.send_data(stream, body, end_stream=True)
        self.done(stream)

    def done(self, stream: int) -> None:
        """Forget a stream that has ended."""
        self.open_streams.pop(stream, None)
        self.flush()

    async def say_much(self, stream: int, body: bytes) -> None:
        """Send a large answer as far as the windows of the client let it."""
        self.state.send_headers(stream, [(":status", "200"), ("content-length", str(len(body)))])
        while body:
            size = min(self.state.local_flow_control_window(stream), self.state.max_outbound_frame_size, len(body))
            if size <= 0:
                self.window.clear()
                self.flush()
                await self.window.wait()
                continue
            self.state.send_data(stream, body[:size], end_stream=size == len(body))
            body = body[size:]
        self.done(stream)


async def well(server: Http2Server, asked: Asked) -> None:
    """Answer at once."""
    server.say(asked.stream)


def after(wait_s: float) -> Answer:
    """Answer later."""

    async def answer(server, asked):
        await asyncio.sleep(wait_s)
        server.say(asked.stream)

    return answer


@dataclasses.dataclass
class Http2Target:
    """Serves connections; each request is answered by a task of its own."""

    answer: Answer
    heard: list[Asked]
    seen: list[Http2Server]
    settings: Mapping[SettingCodes, int]
    takes_bodies: bool
    answers_early: bool

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        state.local_settings = Settings(client=False, initial_values=dict(self.settings))
        server = Http2Server(len(self.seen), self.heard, writer, state)
        self.seen.append(server)
        state.initiate_connection()
        server.flush()
        with contextlib.suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as tasks:
                while data := await reader.read(65_536):
                    for event in state.receive_data(data):
                        self._handle(server, event, tasks)
                    server.flush()
                raise ConnectionResetError

    def _handle(self, server: Http2Server, event: events.Event, tasks: asyncio.TaskGroup) -> None:
        if isinstance(event, events.RequestReceived):
            self._begin(server, event, tasks)
        elif isinstance(event, events.DataReceived):
            self._take(server, event)
        elif isinstance(event, events.StreamEnded) and not self.answers_early:
            asked = server.open_streams[event.stream_id]
            self.heard.append(asked)
            tasks.create_task(self.answer(server, asked))
        elif isinstance(event, events.StreamReset):
            server.open_streams.pop(event.stream_id, None)
            server.reset.append(event.stream_id)
        elif isinstance(event, events.WindowUpdated | events.RemoteSettingsChanged):
            server.window.set()

    def _begin(self, server: Http2Server, event: events.RequestReceived, tasks: asyncio.TaskGroup) -> None:
        asked = Asked(server.number, event.stream_id, dict(event.headers))
        server.open_streams[event.stream_id] = asked
        server.most = max(server.most, len(server.open_streams))
        if self.answers_early:
            tasks.create_task(self.answer(server, asked))

    def _take(self, server: Http2Server, event: events.DataReceived) -> None:
        if event.stream_id in server.open_streams:
            server.open_streams[event.stream_id].body += event.data
        if self.takes_bodies:
            server.state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)


def http2(
    answer: Answer = well,
    *,
    heard: list[Asked] | None = None,
    seen: list[Http2Server] | None = None,
    settings: Mapping[SettingCodes, int] | None = None,
    takes_bodies: bool = True,
    answers_early: bool = False,
) -> Http2Target:
    """Return what serves connections; requests go to `heard`, connections to `seen`."""
    heard, seen = [] if heard is None else heard, [] if seen is None else seen
    return Http2Target(answer, heard, seen, settings or {}, takes_bodies, answers_early)


def messages(*bodies: bytes, **headers: str) -> list[Http2Request]:
    """Requests with these bodies."""
    maker = RequestMaker(PSEUDO, headers.items())
    return [maker.request(body, has_length=True) for body in bodies or (b"{}",)]


def goaway(last: int, code: int = 0) -> bytes:
    """Return a frame that ends a connection; h2 would let its streams end as well."""
    return GoAwayFrame(last_stream_id=last, error_code=code).serialize()


async def serve_for_ever() -> None:
    """Print the port and answer well."""
    server = await asyncio.start_server(http2(), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve_for_ever())
