"""One process of the generator: `python -m weighbridge.load.generator.child`.

Standard input carries JSON lines: the job, then `{"start_ns": …}`, and at any time `{"stop": true}`; its end stops too.
Standard output answers: `{"ready": …}`, how far it is, and at the end `{"done": …}` with the file of the samples.
"""

import asyncio
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

from weighbridge.core.addresses import Pinned
from weighbridge.core.converter import from_document
from weighbridge.core.errors import Refused
from weighbridge.load.generator.engine import Job, LoadEngine
from weighbridge.load.messages import build_requests
from weighbridge.load.plan import LoadPlan
from weighbridge.load.results.samples import LoadSamples
from weighbridge.load.schedule import due_times_ns

SAY_EVERY_S = 0.2
PIECE = 65_536
Say = Callable[[Mapping[str, Any]], None]


def job_from(order: Mapping[str, Any]) -> Job:
    """Build the share of the plan that this process fires: every `of`-th request from `share` on."""
    plan = from_document(LoadPlan, order["plan"], name="plan")
    target, share, of = Pinned(**order["target"]), int(order["share"]), int(order["of"])
    return Job(
        target=target,
        messages=build_requests(plan, target),
        due_ns=schedule_of(plan)[share::of],
        first=share,
        step=of,
        connections=len(range(share, plan.connections, of)),
        timeout_s=plan.timeout_s,
        answer_bytes=int(order["answer_bytes"]),
        expect=plan.expect,
    )


def schedule_of(plan: LoadPlan) -> Any:
    """Return when the requests of a plan are due, in nanoseconds from the start."""
    return due_times_ns(
        plan.arrivals,
        rate_per_s=plan.rate_per_s,
        duration_s=plan.duration_s,
        seed=plan.seed,
        start_rate_per_s=plan.start_rate_per_s,
        week=plan.week,
    )


class Orders:
    """What the parent says, line by line, read without waiting."""

    def __init__(self, file: int, loop: asyncio.AbstractEventLoop, on_stop: Callable[[], None]) -> None:
        """Listen to `file`; `on_stop` is called when told to stop, or when nobody is left to tell."""
        self._file, self._loop, self._on_stop = file, loop, on_stop
        self._rest = b""
        self.start: asyncio.Future[int | None] = loop.create_future()
        os.set_blocking(file, False)
        loop.add_reader(file, self._read)

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._file)

    def _read(self) -> None:
        piece = os.read(self._file, PIECE)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))
        if not piece:
            self.close()
            self._obey({"stop": True})

    def _obey(self, said: Mapping[str, Any]) -> None:
        if not self.start.done():
            self.start.set_result(said.get("start_ns"))
        if said.get("stop"):
            self._on_stop()


async def serve(
    order: Mapping[str, Any], *, inbox: int, say: Say, clock: Callable[[], int] = time.monotonic_ns
) -> None:
    """Open the pool, wait for the start, fire, and write the samples to the file that the order names."""
    loop = asyncio.get_running_loop()
    engine = LoadEngine(job_from(order), loop=loop, clock=clock)
    orders = Orders(inbox, loop, engine.stop)
    try:
        await engine.open()
        with _collector_at_rest():
            say({"ready": engine.opened})
            start_ns = await orders.start
            if start_ns is None:
                return
            used_s = time.process_time()
            telling = loop.create_task(_tell(engine, say))
            samples = await engine.fire(start_ns)
            telling.cancel()
        cpu_s = time.process_time() - used_s
        _keep(samples, Path(order["samples"]))
        say({"done": {"opened": engine.opened, "cpu_s": cpu_s, "complaints": engine.complaints}})
    finally:
        orders.close()
        engine.close()


def _keep(samples: LoadSamples, path: Path) -> None:
    path.write_bytes(samples.as_bytes())


async def _tell(engine: LoadEngine, say: Say) -> None:
    while True:
        await asyncio.sleep(SAY_EVERY_S)
        say({"settled": engine.settled, "failed": engine.failed})


@contextlib.contextmanager
def _collector_at_rest() -> Any:
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
    """Read the order and serve it; a refusal goes to the parent in words."""
    import uvloop

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent is told too, and says when to stop
    order = json.loads(_first_line(sys.stdin.fileno()))

    def say(said: Mapping[str, Any]) -> None:
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

    try:
        uvloop.run(serve(order, inbox=sys.stdin.fileno(), say=say))
    except Refused as refused:
        say({"refusal": {"reason": refused.reason, "code": refused.code, "field": refused.field}})
    return 0


def _first_line(file: int) -> bytes:
    """Read one line, and not a byte more: what follows it belongs to the loop."""
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(file, 1)):
        line += byte
    return bytes(line)


if __name__ == "__main__":
    sys.exit(main())
