"""Servers on loopback that behave as a test says: well, slowly, badly, or not at all."""

import asyncio
import contextlib
import dataclasses
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np

from weighbridge.core.addresses import PinnedAddress
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.engine import EngineJob, LoadEngine
from weighbridge.load.generator.pool_size import PoolLimit, PoolSize
from weighbridge.load.results.samples import NEVER, LoadSamples, RequestOutcome

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}'
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def pinned(port: int, *, path: str = "/predict", scheme: str = "http") -> PinnedAddress:
    return PinnedAddress(scheme, "localhost", port, "127.0.0.1", path)


def fixed(connections: int) -> PoolSize:
    return PoolSize(connections, connections, PoolLimit.FIXED)


def job(port: int, *, due_ms: list[float], **changes: object) -> EngineJob:
    """A job of plain requests, due at `due_ms`; patient, because the machine may be busy."""
    usual = {
        "target": pinned(port),
        "messages": [b"GET /predict HTTP/1.1\r\nHost: localhost\r\n\r\n"],
        "due_ns": np.array([int(at * 1e6) for at in due_ms], dtype=np.int64),
        "first": 0,
        "step": 1,
        "checked": np.zeros(len(due_ms), dtype=np.bool_),
        "pool": fixed(2),
        "timeout_s": 20.0,
        "answer_bytes": 10_000,
        "expect": Expectation(),
    }
    if "connections" in changes:
        changes["pool"] = fixed(changes.pop("connections"))
    if "expect" in changes:
        changes.setdefault("checked", changes["expect"].checked(len(due_ms), seed=1))
    return EngineJob(**(usual | changes))


def samples_of(*rows: tuple[float, float, float, float, RequestOutcome]) -> LoadSamples:
    """Samples from rows of (scheduled, taken, sent, done) in milliseconds, None for never, and an outcome."""
    times = np.array([[NEVER if at is None else int(at * 1e6) for at in row[:4]] for row in rows], dtype=np.int64)
    columns = times.reshape(len(rows), 4).T
    return LoadSamples(*columns, np.array([row[4] for row in rows], dtype=np.uint8))


async def request_from(reader: asyncio.StreamReader) -> bytes:
    """One request with its body; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    _, found, rest = head.lower().partition(b"content-length:")
    return head + (await reader.readexactly(int(rest.split(b"\r\n")[0])) if found else b"")


def answering(*answers: bytes, heard: list[bytes] | None = None, ends: bool = False, wait_s: float = 0.0) -> Serve:
    """Answer each request with the next of `answers`, the last one for ever; `ends` closes after each."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while message := await request_from(reader):
            if heard is not None:
                heard.append(message)
            if wait_s:
                await asyncio.sleep(wait_s)
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()
            if ends:
                return

    return serve


@contextlib.asynccontextmanager
async def serving(serve: Serve, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a free port of loopback while the block runs."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await serve(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.01)  # whatever was accepted last has begun by then
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        await asyncio.sleep(0.05 if tls else 0.01)  # the loop's turn in which closed connections let go of it


def certified(folder: Path) -> ssl.SSLContext:
    """The side of a server in TLS; `cert.pem` in the folder is what its clients have to trust."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", str(key), "-out", str(certificate), "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*made.split(), *files], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


@dataclasses.dataclass
class Seen:
    """What an engine saw."""

    samples: LoadSamples
    engine: LoadEngine

    @property
    def outcomes(self) -> list[str]:
        return [RequestOutcome(code).name for code in self.samples.outcome]


def fired(
    serve: Serve, *, due_ms: list[float], meanwhile: Callable[[LoadEngine], Awaitable[None]] | None = None, **changes
):
    """Fire a job at a server in this process; `meanwhile` runs beside it."""
    import time

    async def run() -> Seen:
        async with serving(serve) as port:
            loop = asyncio.get_running_loop()
            engine = LoadEngine(job(port, due_ms=due_ms, **changes), loop=loop, clock=time.monotonic_ns)
            await engine.open()
            beside = loop.create_task(meanwhile(engine)) if meanwhile else None
            samples = await engine.fire(time.monotonic_ns())
            if beside:
                await beside
            await asyncio.sleep(0)
            return Seen(samples, engine)

    return asyncio.run(run())
