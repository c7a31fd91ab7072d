"""One process of the generator: `python -m weighbridge.load.generator.child`.

Standard input has JSON lines: the job, then `{"start_ns": …}`, and at any time `{"stop": true}`; end of file also
stops. Standard output has `{"ready": …}`, then progress, and at the end `{"done": …}`. The samples are written to a
file.
"""

import asyncio
import base64
import contextlib
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.converter import from_document
from weighbridge.core.errors import Refused
from weighbridge.load.chat.engine import ChatEngine
from weighbridge.load.chat.engines import closed_chat, open_chat
from weighbridge.load.chat.results.samples import chat_file, samples_of
from weighbridge.load.generator.closed_loop import ClosedLoop, ClosedLoopEngine
from weighbridge.load.generator.engine import LoadEngine
from weighbridge.load.generator.job import EngineJob
from weighbridge.load.generator.pool_size import pool_size
from weighbridge.load.messages import build_requests, hide_header_values, message_maker
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.schedule import due_times_ns

REPORT_INTERVAL_S = 0.2
CHUNK_BYTES = 65_536
SHORTEST_SPAN_S = 1.0
Say = Callable[[Mapping[str, Any]], None]


def job_from(order: Mapping[str, Any]) -> EngineJob:
    """Return the requests of this process: every `of`-th request of the plan, starting at `share`."""
    plan = from_document(LoadPlan, order["plan"], name="plan")
    target, share, of = _target_of(order), int(order["share"]), int(order["of"])
    caps, due_ns = from_document(LoadCaps, order["caps"], name="caps"), due_times_ns(plan)
    return EngineJob(
        target=target,
        messages=build_requests(plan, target),
        due_ns=due_ns[share::of],
        first=share,
        step=of,
        checked=plan.expect.checked(len(due_ns), seed=plan.seed)[share::of],
        pool=pool_size(plan, part=share, of=of, cap=caps.connections),
        timeout_s=plan.timeout_s,
        answer_bytes=caps.answer_bytes,
        expect=plan.expect,
        ca_file=plan.ca_file,
        protocol=plan.protocol,
    )


def engine_from(order: Mapping[str, Any], *, loop: asyncio.AbstractEventLoop, clock: Callable[[], int]) -> LoadEngine:
    """Return the engine of this process, and hide the values of its headers, which a target may repeat."""
    plan = from_document(LoadPlan, order["plan"], name="plan")
    hide_header_values(plan.headers)
    job = job_from(order)
    if plan.chat is not None and not plan.is_closed:
        return open_chat(job, plan, message_maker(plan, job.target), loop=loop, clock=clock)
    if not plan.is_closed:
        return LoadEngine(job, loop=loop, clock=clock)
    most = int(order["caps"]["requests"]) // int(order["of"])
    users = ClosedLoop(
        think_ns=int(plan.think_s * 1e9), ends_ns=int(plan.duration_s * 1e9), requests=most, seed=plan.seed
    )
    if plan.chat is not None:
        return closed_chat(job, plan, users, loop=loop, clock=clock)
    return ClosedLoopEngine(job, users, loop=loop, clock=clock)


def _target_of(order: Mapping[str, Any]) -> PinnedAddress:
    return PinnedAddress(**order["target"])


class ParentMessages:
    """Messages of the parent, read line by line without blocking."""

    def __init__(self, file: int, loop: asyncio.AbstractEventLoop, on_stop: Callable[[], None]) -> None:
        """Read from `file`; call `on_stop` on a stop message or at end of file."""
        self._file, self._loop, self._on_stop = file, loop, on_stop
        self._rest = b""
        self.start: asyncio.Future[int | None] = loop.create_future()
        os.set_blocking(file, False)
        loop.add_reader(file, self._read)

    def close(self) -> None:
        """Stop reading."""
        self._loop.remove_reader(self._file)

    def _read(self) -> None:
        chunk = os.read(self._file, CHUNK_BYTES)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._handle(json.loads(line))
        if not chunk:
            self.close()
            self._handle({"stop": True})

    def _handle(self, message: Mapping[str, Any]) -> None:
        if not self.start.done():
            self.start.set_result(message.get("start_ns"))
        if message.get("stop"):
            self._on_stop()


async def serve(
    order: Mapping[str, Any], *, inbox: int, say: Say, clock: Callable[[], int] = time.monotonic_ns
) -> None:
    """Open the pool, wait for the start, send the requests, and write the samples to the file of the order."""
    loop = asyncio.get_running_loop()
    engine = engine_from(order, loop=loop, clock=clock)
    orders = ParentMessages(inbox, loop, engine.stop)
    try:
        await engine.open()
        with _garbage_collection_paused():
            say({"ready": engine.opened})
            start_ns = await orders.start
            if start_ns is None:
                return
            used_s, begun_ns = time.process_time(), max(start_ns, clock())
            reporter = loop.create_task(_report_progress(engine, say))
            samples = await engine.fire(start_ns)
            reporter.cancel()
        cpu_s, span_s = time.process_time() - used_s, (clock() - begun_ns) / 1e9
        stored = _store(samples.as_bytes(), Path(order["samples"])) | _store_chat(engine, order, start_ns)
        say({"done": _counters(engine, cpu_s, min(span_s, float(order["plan"]["duration_s"]))) | stored})
    finally:
        orders.close()
        engine.close()


def _counters(engine: LoadEngine, cpu_s: float, span_s: float) -> dict[str, Any]:
    return {
        "opened": engine.opened,
        "peak": engine.peak,
        "pool_limits": sorted(engine.pool_limits),
        "streamed": engine.streamed,
        "streams": engine.streams,
        "cpu_s": cpu_s,
        # In a shorter time, starting weighs too much.
        "processor_share": cpu_s / max(span_s, SHORTEST_SPAN_S),
        "complaints": engine.complaints,
        "reading_s": engine.reading_ns / 1e9,
    }


def _store(content: bytes, path: Path, *, name: str = "samples") -> dict[str, str]:
    """Write samples; if there is no room for the file, return them for the message to the parent."""
    try:
        path.write_bytes(content)
    except OSError:
        return {name: base64.b64encode(content).decode("ascii")}
    return {}


def _store_chat(engine: LoadEngine, order: Mapping[str, Any], start_ns: int) -> dict[str, str]:
    if not isinstance(engine, ChatEngine):
        return {}
    kept = samples_of(engine, start_ns=start_ns)
    return _store(kept.as_bytes(), chat_file(Path(order["samples"])), name="chat")


async def _report_progress(engine: LoadEngine, say: Say) -> None:
    while True:
        await asyncio.sleep(REPORT_INTERVAL_S)
        say({"settled": engine.settled, "failed": engine.failed})


@contextlib.contextmanager
def _garbage_collection_paused() -> Any:
    """Keep the garbage collector from pausing the generator."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def main() -> int:
    """Read the order and serve it; report errors to the parent."""
    import uvloop

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent also receives it and sends a stop message
    order = json.loads(_first_line(sys.stdin.fileno()))

    def say(message: Mapping[str, Any]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    try:
        uvloop.run(serve(order, inbox=sys.stdin.fileno(), say=say))
    except Refused as refused:
        say({"refusal": {"reason": refused.reason, "code": refused.code, "field": refused.field}})
    return 0


def _first_line(file: int) -> bytes:
    """Read exactly one line; the event loop reads what follows."""
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(file, 1)):
        line += byte
    return bytes(line)


if __name__ == "__main__":
    sys.exit(main())
