"""The engine of one generator process: starts each request when it is due, independent of earlier answers (open loop).

The pool grows while requests need connections, so that it holds rate x latency of them (Little's law). If it may not
grow and all are busy, requests wait in a backlog and keep their due times, so that the waiting time of users is
measured (no coordinated omission). Times are `time.monotonic_ns()`, which all processes of a machine share.
"""

import asyncio
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Refused
from weighbridge.core.masking import mask
from weighbridge.load.expectation import excerpt
from weighbridge.load.generator.connection import Connection
from weighbridge.load.generator.http2.connection import STREAMS_MAX, Http2Connection
from weighbridge.load.generator.http2.request import Http2Request
from weighbridge.load.generator.job import AnyConnection, EngineJob
from weighbridge.load.generator.loop_timer import LoopTimer
from weighbridge.load.generator.pool_size import OWN_ERRORS, PoolLimit
from weighbridge.load.generator.tls import connection_advice, describe_error, tls_context
from weighbridge.load.results.samples import NEVER, RIGHT, LoadSamples, RequestOutcome

SWEEP_S = 0.05
STREAM_LOOKS = 100
NO_CONNECTION_TEXT = "no connection was free within the timeout"
CONNECT_BATCH = 64
MAX_REASON_CHARS = 300


class TargetUnreachable(Refused):
    """The target does not accept connections."""

    default_code = "unreachable"


class LoadEngine:
    """A connection pool, a backlog, and the timestamps of every request.

    `pool_limits` has what kept the pool from growing when a request needed it, `peak` the most connections at once,
    `streamed` how many of the first answers were streamed, `streams` the requests that a connection may have at once,
    `reading_ns` the processor time of reading streams.
    """

    def __init__(self, job: EngineJob, *, loop: asyncio.AbstractEventLoop, clock: Callable[[], int]) -> None:
        """Allocate all timestamps in advance."""
        self.job, self._loop, self._clock = job, loop, clock
        size = len(job.due_ns)
        self._due: list[int] = []
        self._taken, self._sent, self._done = (array("q", [NEVER]) * size for _ in range(3))
        self._outcome = bytearray(size)
        # The connections that take a request. One that takes several is used in turn with the others.
        self._idle: OrderedDict[AnyConnection, None] = OrderedDict()
        self._all: set[AnyConnection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._checked = job.checked.tolist()
        self._room, self._held_back, self._backlog = job.pool.most, 0, deque[int]()
        self.pool_limits: set[PoolLimit] = set()
        self.peak, self.streamed, self.reading_ns = 0, 0, 0
        self._next, self.settled, self.failed, self.opened = 0, 0, 0, 0
        self.complaints: dict[str, str] = {}
        self._finished: asyncio.Future[None] = loop.create_future()
        self._timeout_ns = int(job.timeout_s * 1e9)
        self._tls = tls_context(job.ca_file, job.protocol.value) if job.target.scheme == "https" else None
        self.streams, self._taken_back = STREAMS_MAX if job.protocol.is_http2 else 1, set[int]()

    @property
    def looks_for_streams(self) -> bool:
        """Whether answers are still looked at for signs of streaming: the first ones are enough."""
        return self.settled < STREAM_LOOKS

    async def open(self) -> None:
        """Open the pool before the start; raise TargetUnreachable if no connection can be opened."""
        wanted = min(self.job.pool.warm, self._most_at_once())
        error: BaseException | None = None
        while wanted > 0 and error is None:
            batch = min(CONNECT_BATCH, wanted)
            wanted -= batch
            self._room -= batch
            opened = await asyncio.gather(*(self._connect() for _ in range(batch)), return_exceptions=True)
            # A connection may already be closed again.
            self._idle |= {each: None for each in opened if not isinstance(each, BaseException) and each.has_room}
            failures = [each for each in opened if isinstance(each, BaseException)]
            self._room += len(failures)
            error = next(iter(failures), None)
        if error is not None and not self._all:
            where = f"{self.job.target.scheme}://{self.job.target.host}:{self.job.target.port}"
            raise TargetUnreachable(
                f"No connection to {where} ({describe_error(error)}); {connection_advice(error)}", field="url"
            )

    async def fire(self, start_ns: int) -> LoadSamples:
        """Send every request when it is due, counted from `start_ns`, and return the samples after all have ended."""
        self._begin(start_ns)
        try:
            self._take_due()
            if self._due:
                await self._finished
        finally:
            self._timer.close()
            self.close()
        return self._samples(start_ns)

    def _begin(self, start_ns: int) -> None:
        self._due = (self.job.due_ns + start_ns).tolist()
        self._timer = LoopTimer(self._loop, self._take_due)
        self._loop.call_later(SWEEP_S, self._sweep)

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

    def _most_at_once(self) -> int:
        return len(self.job.due_ns)

    def settle(self, request: int, outcome: RequestOutcome, at_ns: int, why: str = "", shown: bytes = b"") -> None:
        """Record the outcome of a request, and the first error message of each kind of failure.

        The message ends with the start of `shown`, a part of the answer.
        """
        if self._finished.done():
            return
        self._done[request], self._outcome[request] = at_ns, outcome
        self.settled += 1
        if outcome not in RIGHT:
            self.failed += 1
            kind = outcome.name.lower()
            if kind not in self.complaints:
                text = f"{why}; it starts with {excerpt(shown)}" if shown else why
                self.complaints[kind] = mask(text)[:MAX_REASON_CHARS]
        if self.settled == len(self._due):
            self.stop()

    def free(self, connection: AnyConnection) -> None:
        """Send the oldest requests of the backlog on the connection, or mark it idle."""
        while self._backlog and connection.has_room and not self._finished.done():
            self._ask(connection, self._backlog.popleft())
        if connection.has_room:
            self._idle.setdefault(connection)

    def withdraw(self, connection: AnyConnection) -> None:
        """Give the connection no further request."""
        self._idle.pop(connection, None)

    def resize(self, connection: Http2Connection) -> None:
        """Keep to the number of streams that the target allows on a connection."""
        self.streams = min(self.streams, max(1, connection.limit))
        if connection.has_room and connection in self._all:
            self.free(connection)
        elif not connection.has_room:
            self.withdraw(connection)

    def take_back(self, request: int) -> bool:
        """Send a request again that the target did not take; False if it was sent again before."""
        if request in self._taken_back:
            return False
        self._taken_back.add(request)
        self._sent[request] = NEVER
        if self._idle:
            self._ask(self._idle.popitem()[0], request)
        else:
            # It is the oldest one, and keeps its due time.
            self._backlog.appendleft(request)
            self._serve_backlog()
        return True

    def lose(self, connection: AnyConnection) -> None:
        """Free the slot of a closed connection; it is reopened when a request needs it."""
        if connection in self._all:
            self._all.discard(connection)
            self.withdraw(connection)
            self._room += 1
            self._serve_backlog()

    def _take_due(self) -> None:
        if self._finished.done():
            return
        due, clock, size = self._due, self._clock, len(self._due)
        while self._next < size and due[self._next] <= (now_ns := clock()):
            self._next += 1
            self._take(self._next - 1, now_ns)
        if self._next < size:
            self._timer.set(due[self._next])

    def _take(self, request: int, now_ns: int) -> None:
        self._taken[request] = now_ns
        if self._idle:
            self._ask(self._idle.popitem()[0], request)
        else:
            self._backlog.append(request)
            self._serve_backlog()

    def _add(self, due: int) -> None:
        """Add a request, for a schedule that grows."""
        self._due.append(due)
        for stamps in (self._taken, self._sent, self._done):
            stamps.append(NEVER)
        self._outcome.append(RequestOutcome.UNSETTLED)

    def _ask(self, connection: AnyConnection, request: int) -> None:
        message, keeps_body = self._message(request), self._checked[request]
        # The messages of a job are of the kind that its connections send.
        self._sent[request] = connection.ask(request, message, keeps_body=keeps_body)  # type: ignore[arg-type]  # see above
        if connection.has_room:
            self._idle[connection] = None
            self._idle.move_to_end(connection, last=False)

    def _message(self, request: int) -> bytes | Http2Request:
        return self.job.messages[(self.job.first + request * self.job.step) % len(self.job.messages)]

    def _serve_backlog(self) -> None:
        """Open as many connections as the waiting requests need, as far as the pool may grow."""
        while len(self._opening) * self.streams < len(self._backlog) and not self._finished.done():
            if self._room <= 0:
                self.pool_limits |= set() if self._held_back else {self.job.pool.limit}
                return
            self._room -= 1
            task = self._loop.create_task(self._open_one())
            self._opening.add(task)
            task.add_done_callback(self._after_opening)

    def _after_opening(self, task: "asyncio.Task[None]") -> None:
        self._opening.discard(task)
        self._serve_backlog()

    async def _open_one(self) -> None:
        """Open a connection for the request that has waited longest; if the target refuses it, that request fails."""
        try:
            connection = await self._connect()
        except OSError as error:
            if (limit := OWN_ERRORS.get(error.errno or 0)) is not None:
                # Not a failure of the target: try again at the next sweep, or when a connection is free.
                self.pool_limits.add(limit)
                self._held_back += 1
                return
            self._room += 1
            if self._backlog:
                kind = RequestOutcome.TIMED_OUT if isinstance(error, TimeoutError) else RequestOutcome.REFUSED
                self.settle(self._backlog.popleft(), kind, self._clock(), describe_error(error))
        else:
            self.free(connection)

    async def _connect(self) -> AnyConnection:
        target = self.job.target
        name = target.host if self._tls else None
        async with asyncio.timeout(self.job.timeout_s):
            _, made = await self._loop.create_connection(
                self._new_connection, target.address, target.port, ssl=self._tls, server_hostname=name
            )
        try:
            await made.greet(timeout_s=self.job.timeout_s)
        except BaseException:
            made.drop()
            raise
        if made.is_gone:
            raise ConnectionError("the target sent data before a request, or closed the connection immediately")
        self._all.add(made)
        self.opened += 1
        self.peak = max(self.peak, len(self._all))
        return made

    def _new_connection(self) -> AnyConnection:
        kind = Http2Connection if self.job.protocol.is_http2 else Connection
        return kind(self, expect=self.job.expect, answer_bytes=self.job.answer_bytes, clock=self._clock)

    def _sweep(self) -> None:
        """Fail requests that have waited longer than the timeout."""
        late_ns = self._clock() - self._timeout_ns
        while self._backlog and self._due[self._backlog[0]] < late_ns:
            # Only this side is to blame if nothing was being opened.
            kind = RequestOutcome.TIMED_OUT if self._opening else RequestOutcome.NO_CONNECTION
            text = "no connection was opened within the timeout" if self._opening else NO_CONNECTION_TEXT
            self.settle(self._backlog.popleft(), kind, self._clock(), text)
        for connection in list(self._all):
            connection.expire(late_ns, self._clock(), f"no complete answer within {self.job.timeout_s:g} s")
        self._room, self._held_back = self._room + self._held_back, 0
        self._serve_backlog()
        if not self._finished.done():
            self._loop.call_later(SWEEP_S, self._sweep)

    def _samples(self, start_ns: int) -> LoadSamples:
        def since_start(stamps: "Sequence[int] | array[int]") -> NDArray[np.int64]:
            times = np.array(stamps, dtype=np.int64)
            return np.where(times == NEVER, NEVER, times - start_ns)

        due, taken, sent, done = (since_start(each) for each in (self._due, self._taken, self._sent, self._done))
        return LoadSamples(due, taken, sent, done, np.frombuffer(bytes(self._outcome), dtype=np.uint8))
