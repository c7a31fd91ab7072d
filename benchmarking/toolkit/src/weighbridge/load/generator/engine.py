"""The engine of one generator process: starts each request when it is due, independent of earlier answers (open loop).

If all connections are busy, requests wait in a backlog and keep their due times, so that the waiting time of users is
measured (no coordinated omission). Times are `time.monotonic_ns()`, which all processes of a machine share.
"""

import asyncio
import contextlib
import dataclasses
import ssl
from array import array
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import Refused
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.connection import IDLE, Connection
from weighbridge.load.generator.loop_timer import LoopTimer
from weighbridge.load.results.samples import NEVER, LoadSamples, RequestOutcome

SWEEP_S = 0.05
CONNECT_BATCH = 64
MAX_REASON_CHARS = 300


class TargetUnreachable(Refused):
    """The target does not accept connections."""

    default_code = "unreachable"


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineJob:
    """The requests of one process: request n of this engine is `first + n x step` of the plan, due at `due_ns[n]`."""

    target: PinnedAddress
    messages: Sequence[bytes]
    due_ns: NDArray[np.int64]
    first: int
    step: int
    connections: int
    timeout_s: float
    answer_bytes: int
    expect: Expectation


class LoadEngine:
    """A bounded connection pool, a backlog, and the timestamps of every request."""

    def __init__(self, job: EngineJob, *, loop: asyncio.AbstractEventLoop, clock: Callable[[], int]) -> None:
        """Allocate all timestamps in advance."""
        self.job, self._loop, self._clock = job, loop, clock
        size = len(job.due_ns)
        self._due: list[int] = []
        self._taken, self._sent, self._done = (array("q", [NEVER]) * size for _ in range(3))
        self._outcome = bytearray(size)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._room, self._backlog = job.connections, deque[int]()
        self._next, self.settled, self.failed, self.opened = 0, 0, 0, 0
        self.complaints: dict[str, str] = {}
        self._finished: asyncio.Future[None] = loop.create_future()
        self._timeout_ns = int(job.timeout_s * 1e9)
        self._tls = ssl.create_default_context() if job.target.scheme == "https" else None

    async def open(self) -> None:
        """Open the pool before the start; raise TargetUnreachable if no connection can be opened."""
        wanted = min(self.job.connections, len(self.job.due_ns))
        error: BaseException | None = None
        while wanted > 0 and error is None:
            batch = min(CONNECT_BATCH, wanted)
            wanted -= batch
            self._room -= batch
            opened = await asyncio.gather(*(self._connect() for _ in range(batch)), return_exceptions=True)
            # A connection may already be closed again.
            self._idle += [each for each in opened if isinstance(each, Connection) and not each.is_gone]
            failures = [each for each in opened if not isinstance(each, Connection)]
            self._room += len(failures)
            error = next(iter(failures), None)
        if error is not None and not self._all:
            where = f"{self.job.target.scheme}://{self.job.target.host}:{self.job.target.port}"
            raise TargetUnreachable(
                f"No connection to {where} ({describe_error(error)}); is the server running?", field="url"
            )

    async def fire(self, start_ns: int) -> LoadSamples:
        """Send every request when it is due, counted from `start_ns`, and return the samples after all have ended."""
        self._due = (self.job.due_ns + start_ns).tolist()
        self._timer = LoopTimer(self._loop, self._take_due)
        self._loop.call_later(SWEEP_S, self._sweep)
        try:
            self._take_due()
            if self._due:
                await self._finished
        finally:
            self._timer.close()
            self.close()
        return self._samples(start_ns)

    def stop(self) -> None:
        """Stop immediately: send nothing more, and leave current requests unsettled."""
        if not self._finished.done():
            self._finished.set_result(None)

    def close(self) -> None:
        """Close every connection."""
        self.stop()
        for task in self._opening:
            task.cancel()
        for connection in list(self._all):
            connection.drop()

    def settle(self, request: int, outcome: RequestOutcome, at_ns: int, why: str = "") -> None:
        """Record the outcome of a request, and the first error message of each kind of failure."""
        if self._finished.done():
            return
        self._done[request], self._outcome[request] = at_ns, outcome
        self.settled += 1
        if outcome is not RequestOutcome.ANSWERED:
            self.failed += 1
            self.complaints.setdefault(outcome.name.lower(), why[:MAX_REASON_CHARS])
        if self.settled == len(self._due):
            self.stop()

    def free(self, connection: Connection) -> None:
        """Send the oldest request of the backlog on the connection, or mark it idle."""
        if self._backlog and not self._finished.done():
            self._ask(connection, self._backlog.popleft())
        else:
            self._idle.append(connection)

    def lose(self, connection: Connection) -> None:
        """Free the slot of a closed connection; it is reopened when a request needs it."""
        if connection in self._all:
            self._all.discard(connection)
            with contextlib.suppress(ValueError):
                self._idle.remove(connection)
            self._room += 1
            self._serve_backlog()

    def _take_due(self) -> None:
        if self._finished.done():
            return
        due, taken, clock, size = self._due, self._taken, self._clock, len(self._due)
        while self._next < size and due[self._next] <= (now_ns := clock()):
            request = self._next
            self._next = request + 1
            taken[request] = now_ns
            if self._idle:
                self._ask(self._idle.pop(), request)
            else:
                self._backlog.append(request)
                self._serve_backlog()
        if self._next < size:
            self._timer.set(due[self._next])

    def _ask(self, connection: Connection, request: int) -> None:
        job, number = self.job, self.job.first + request * self.job.step
        keeps_body = job.expect.reads_bodies and number % job.expect.every == 0
        self._sent[request] = connection.ask(request, job.messages[number % len(job.messages)], keeps_body=keeps_body)

    def _serve_backlog(self) -> None:
        while self._backlog and self._room > 0 and not self._finished.done():
            self._room -= 1
            task = self._loop.create_task(self._open_for(self._backlog.popleft()))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open_for(self, request: int) -> None:
        """Open a connection for one request; if that fails, the request fails."""
        try:
            connection = await self._connect()
        except OSError as error:
            kind = RequestOutcome.TIMED_OUT if isinstance(error, TimeoutError) else RequestOutcome.REFUSED
            self.settle(request, kind, self._clock(), describe_error(error))
            self._room += 1
            self._serve_backlog()
        else:
            self._ask(connection, request)

    async def _connect(self) -> Connection:
        target = self.job.target
        name = target.host if self._tls else None
        async with asyncio.timeout(self.job.timeout_s):
            _, made = await self._loop.create_connection(
                self._new_connection, target.address, target.port, ssl=self._tls, server_hostname=name
            )
        if made.is_gone:
            raise ConnectionError("the target sent data before a request, or closed the connection immediately")
        self._all.add(made)
        self.opened += 1
        return made

    def _new_connection(self) -> Connection:
        return Connection(self, expect=self.job.expect, answer_bytes=self.job.answer_bytes, clock=self._clock)

    def _sweep(self) -> None:
        """Fail requests that have waited longer than the timeout."""
        late_ns = self._clock() - self._timeout_ns
        while self._backlog and self._due[self._backlog[0]] < late_ns:
            request = self._backlog.popleft()
            self.settle(
                request, RequestOutcome.NO_CONNECTION, self._clock(), "no connection was free within the timeout"
            )
        for connection in [each for each in self._all if each.request != IDLE and each.sent_at_ns < late_ns]:
            text = f"no complete answer within {self.job.timeout_s:g} s"
            connection.fail(RequestOutcome.TIMED_OUT, self._clock(), text)
        if not self._finished.done():
            self._loop.call_later(SWEEP_S, self._sweep)

    def _samples(self, start_ns: int) -> LoadSamples:
        def since_start(stamps: "array[int]") -> NDArray[np.int64]:
            times = np.array(stamps, dtype=np.int64)
            return np.where(times == NEVER, NEVER, times - start_ns)

        taken, sent, done = (since_start(each) for each in (self._taken, self._sent, self._done))
        return LoadSamples(self.job.due_ns, taken, sent, done, np.frombuffer(bytes(self._outcome), dtype=np.uint8))


def describe_error(error: BaseException) -> str:
    """Return the message of a connection error."""
    return getattr(error, "strerror", None) or str(error) or "timed out"
