"""Server: single queries that are due at random moments, answered in order by one worker.

Three clocks for each query: when it was due, when it was begun, when it was answered. The response time counts from the
first, so that a slow answer is charged with the wait it gave to all behind it. The whole schedule is drawn beforehand.
"""

import dataclasses
import math
from array import array
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.loops.latency import (
    TICK_NS,
    Feed,
    LatencyRun,
    Runner,
    at_rest,
    bring_to_temperature,
    is_enough,
    query_order,
)
from weighbridge.measure.scenarios import Server

# Sleeping wakes late by some tens of microseconds; the last stretch is waited out awake.
AWAKE_NS = 300_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerRun(LatencyRun):
    """A run under arrivals: `latencies_ns` are the service times, `responses_ns` count from when a query was due.

    `lags_ns` is how late this program began a query that was due and had nobody before it; `unanswered` were due in the
    time of the run, or were to be, and were never begun.
    """

    responses_ns: NDArray[np.int64]
    lags_ns: NDArray[np.int64]
    unanswered: int


def schedule_ns(scenario: Server) -> NDArray[np.int64]:
    """Return when each query is due, in nanoseconds from the start: a seeded Poisson process at the scenario's rate."""
    queries = max(scenario.min_samples, math.ceil(scenario.rate_per_s * scenario.min_duration_s))
    gaps_s = np.random.default_rng(scenario.seed).exponential(1 / scenario.rate_per_s, queries)
    return (np.cumsum(gaps_s) * 1e9).astype(np.int64)


def serve(
    runner: Runner,
    feeds: Sequence[Feed],
    *,
    scenario: Server,
    clock: Callable[[], int],
    sleep: Callable[[float], None],
    on_tick: Callable[[float], None],
) -> ServerRun:
    """Warm up, then answer the whole schedule, or as much of it as `max_duration_s` allows.

    `on_tick` gets the share done about four times a second, should do little, and may raise as in `single_stream`.
    """
    ordered = [feeds[int(row)] for row in query_order(len(feeds), seed=scenario.seed)]
    with at_rest():
        warmup = bring_to_temperature(runner, ordered, scenario=scenario, clock=clock, on_tick=on_tick)
        desk = _Desk(runner, ordered, clock, sleep, on_tick)
        begun = clock() + AWAKE_NS
        dues = (schedule_ns(scenario) + begun).tolist()
        is_partial = desk.answer(dues, limit_at=begun + int(scenario.max_duration_s * 1e9))
    return ServerRun(
        latencies_ns=np.array(desk.services, dtype=np.int64),
        failures=dict(desk.failures),
        duration_s=max(0, desk.ended - begun) / 1e9,
        distinct_inputs=min(desk.asked, len(ordered)),
        warmup=warmup,
        is_partial=is_partial,
        responses_ns=np.array(desk.responses, dtype=np.int64),
        lags_ns=np.array(desk.lags, dtype=np.int64),
        unanswered=len(dues) - desk.asked,
    )


class _Desk:
    """One worker and what it has seen."""

    def __init__(
        self,
        runner: Runner,
        feeds: Sequence[Feed],
        clock: Callable[[], int],
        sleep: Callable[[float], None],
        on_tick: Callable[[float], None],
    ) -> None:
        self._runner, self._feeds, self._clock, self._sleep, self._on_tick = runner, feeds, clock, sleep, on_tick
        self.services, self.responses, self.lags = array("q"), array("q"), array("q")
        self.failures, self.asked, self.ended = Counter[str](), 0, clock()

    def answer(self, dues: Sequence[int], *, limit_at: int) -> bool:
        """Answer what is due in order until the limit; say whether it was asked to end before."""
        tick_at = self.ended + TICK_NS
        for due in dues:
            self._wait(min(due, limit_at, tick_at))
            while self._clock() >= tick_at or self._clock() < min(due, limit_at):
                if is_enough(self._on_tick, self.asked / len(dues)):
                    return True
                tick_at = self._clock() + TICK_NS
                self._wait(min(due, limit_at, tick_at))
            if self._clock() >= limit_at:
                return False
            self._ask(due)
        return False

    def _wait(self, until: int) -> None:
        while (left := until - self._clock()) > 0:
            if left > AWAKE_NS:
                self._sleep((left - AWAKE_NS) / 1e9)

    def _ask(self, due: int) -> None:
        feed = self._feeds[self.asked % len(self._feeds)]
        self.asked += 1
        started = self._clock()
        self.lags.append(started - max(due, self.ended))
        try:
            self._runner.infer(feed)
        except Exception as error:  # noqa: BLE001 -- engines raise their own classes; a failure is a metric here
            self.failures[type(error).__name__] += 1
            self.ended = self._clock()
        else:
            self.ended = self._clock()
            self.services.append(self.ended - started)
            self.responses.append(self.ended - due)
