"""Server scenario: single queries that are due at random times, answered in order by one worker.

Each query has three times: due, started, answered. The response time counts from the due time, so that it includes the
wait behind slow answers. The whole schedule is drawn in advance.
"""

import dataclasses
import math
from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.loops.latency import (
    TICK_NS,
    Feed,
    LatencyRun,
    Runner,
    garbage_collection_paused,
    query_order,
    tick_requests_stop,
    warm_up_runner,
)
from weighbridge.measure.scenarios import Server
from weighbridge.measure.stopping import Clock, Sleep, Tick

# Sleeping overruns by tens of microseconds, so the loop busy-waits before each due time.
BUSY_WAIT_NS = 300_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerRun(LatencyRun):
    """A run with scheduled arrivals: `latencies_ns` are service times, `responses_ns` count from the due time.

    `lags_ns` is the delay of this program in starting a query that was due and had no query before it; `unanswered`
    counts the queries of the schedule that were never started.
    """

    responses_ns: NDArray[np.int64]
    lags_ns: NDArray[np.int64]
    unanswered: int


def schedule_ns(scenario: Server) -> NDArray[np.int64]:
    """Return the due times in nanoseconds from the start: a seeded Poisson process at the rate of the scenario."""
    queries = max(scenario.min_samples, math.ceil(scenario.rate_per_s * scenario.min_duration_s))
    gaps_s = np.random.default_rng(scenario.seed).exponential(1 / scenario.rate_per_s, queries)
    return (np.cumsum(gaps_s) * 1e9).astype(np.int64)


def serve(
    runner: Runner, feeds: Sequence[Feed], *, scenario: Server, clock: Clock, sleep: Sleep, on_tick: Tick
) -> ServerRun:
    """Warm up, then answer the schedule, or the part of it that fits into `max_duration_s`.

    `on_tick` receives the share done about four times a second, should be fast, and may raise as in `single_stream`.
    """
    ordered = [feeds[int(row)] for row in query_order(len(feeds), seed=scenario.seed)]
    with garbage_collection_paused():
        warmup = warm_up_runner(runner, ordered, scenario=scenario, clock=clock, on_tick=on_tick)
        loop = _ServerLoop(runner, ordered, clock, sleep, on_tick)
        begun = clock() + BUSY_WAIT_NS
        dues = (schedule_ns(scenario) + begun).tolist()
        is_partial = loop.answer(dues, limit_at=begun + int(scenario.max_duration_s * 1e9))
    return ServerRun(
        latencies_ns=np.array(loop.services, dtype=np.int64),
        failures=dict(loop.failures),
        duration_s=max(0, loop.ended - begun) / 1e9,
        distinct_inputs=min(loop.asked, len(ordered)),
        warmup=warmup,
        is_partial=is_partial,
        responses_ns=np.array(loop.responses, dtype=np.int64),
        lags_ns=np.array(loop.lags, dtype=np.int64),
        unanswered=len(dues) - loop.asked,
    )


class _ServerLoop:
    """One worker and its recorded times."""

    def __init__(self, runner: Runner, feeds: Sequence[Feed], clock: Clock, sleep: Sleep, on_tick: Tick) -> None:
        self._runner, self._feeds, self._clock, self._sleep, self._on_tick = runner, feeds, clock, sleep, on_tick
        self.services, self.responses, self.lags = array("q"), array("q"), array("q")
        self.failures, self.asked, self.ended = Counter[str](), 0, clock()

    def answer(self, dues: Sequence[int], *, limit_at: int) -> bool:
        """Answer due queries in order until the limit; return whether a stop was requested."""
        tick_at = self.ended + TICK_NS
        for due in dues:
            self._wait(min(due, limit_at, tick_at))
            while self._clock() >= tick_at or self._clock() < min(due, limit_at):
                if tick_requests_stop(self._on_tick, self.asked / len(dues)):
                    return True
                tick_at = self._clock() + TICK_NS
                self._wait(min(due, limit_at, tick_at))
            if self._clock() >= limit_at:
                return False
            self._ask(due)
        return False

    def _wait(self, until: int) -> None:
        while (remaining := until - self._clock()) > 0:
            if remaining > BUSY_WAIT_NS:
                self._sleep((remaining - BUSY_WAIT_NS) / 1e9)

    def _ask(self, due: int) -> None:
        feed = self._feeds[self.asked % len(self._feeds)]
        self.asked += 1
        started = self._clock()
        self.lags.append(started - max(due, self.ended))
        try:
            self._runner.infer(feed)
        except Exception as error:  # noqa: BLE001 -- engines raise their own classes; a failure is counted here
            self.failures[type(error).__name__] += 1
            self.ended = self._clock()
        else:
            self.ended = self._clock()
            self.services.append(self.ended - started)
            self.responses.append(self.ended - due)
