"""Concurrent queries for Offline with several workers, in threads, because engines release the GIL."""

import threading
from array import array
from collections import Counter
from collections.abc import Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.loops.latency import (
    TICK_NS,
    Feed,
    LatencyRun,
    Runner,
    garbage_collection_paused,
    query_order,
    share_done,
    tick_requests_stop,
    warm_up_runner,
)
from weighbridge.measure.scenarios import Scenario
from weighbridge.measure.stopping import Clock, Sleep, Tick

POLL_INTERVAL_S = 0.01


class _Worker(threading.Thread):
    """Runs the next query of a shared order until stopped, and records start and end of each."""

    def __init__(
        self, runner: Runner, feeds: Sequence[Feed], turns: "count[int]", clock: Clock, stop: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self._runner, self._feeds, self._turns, self._clock, self._stop_requested = runner, feeds, turns, clock, stop
        self.started, self.ended, self.failures, self.asked = array("q"), array("q"), Counter[str](), 0

    def run(self) -> None:
        """Run queries until stopped."""
        clock, infer, size = self._clock, self._runner.infer, len(self._feeds)
        while not self._stop_requested.is_set():
            feed = self._feeds[next(self._turns) % size]
            started = clock()
            try:
                infer(feed)
            except Exception as error:  # noqa: BLE001 -- engines raise their own classes; a failure is counted here
                self.failures[type(error).__name__] += 1
            else:
                self.ended.append(clock())
                self.started.append(started)
            self.asked += 1


def concurrent_streams(
    runner: Runner, feeds: Sequence[Feed], *, scenario: Scenario, clock: Clock, sleep: Sleep, on_tick: Tick
) -> LatencyRun:
    """Warm up, then keep `scenario.workers` queries running until there are enough samples, like `single_stream`.

    Latencies are in the order of completion; `gaps_ns` are the times between two completions. Queries that complete
    after the last poll are omitted, because some workers are already idle then.
    """
    ordered = [feeds[int(row)] for row in query_order(len(feeds), seed=scenario.seed)]
    with garbage_collection_paused():
        warmup = warm_up_runner(runner, ordered, scenario=scenario, clock=clock, on_tick=on_tick)
        stop, turns = threading.Event(), count()
        workers = [_Worker(runner, ordered, turns, clock, stop) for _ in range(scenario.workers)]
        begun = clock()
        for worker in workers:
            worker.start()
        try:
            last, is_partial = _watch(workers, begun, scenario=scenario, clock=clock, sleep=sleep, on_tick=on_tick)
        finally:
            stop.set()
            for worker in workers:
                worker.join()
    latencies, gaps = _between(workers, begun, last)
    failures = sum((worker.failures for worker in workers), Counter[str]())
    asked = min(sum(worker.asked for worker in workers), len(ordered))
    return LatencyRun(latencies, dict(failures), (last - begun) / 1e9, asked, warmup, gaps, is_partial=is_partial)


def _watch(
    workers: Sequence[_Worker], begun: int, *, scenario: Scenario, clock: Clock, sleep: Sleep, on_tick: Tick
) -> tuple[int, bool]:
    """Wait until there are enough samples; return the time, and whether the run was stopped early."""
    tick_at = begun + TICK_NS
    while True:
        sleep(POLL_INTERVAL_S)
        now, asked = clock(), sum(worker.asked for worker in workers)
        elapsed_s = (now - begun) / 1e9
        is_done = asked >= scenario.min_samples and elapsed_s >= scenario.min_duration_s
        if is_done or elapsed_s >= scenario.max_duration_s:
            return now, False
        if now > tick_at:
            if tick_requests_stop(on_tick, share_done(asked, now - begun, scenario)):
                return now, True
            tick_at = now + TICK_NS


def _between(workers: Sequence[_Worker], begun: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    started = np.concatenate([np.array(worker.started, dtype=np.int64) for worker in workers])
    ended = np.concatenate([np.array(worker.ended, dtype=np.int64) for worker in workers])
    order = np.argsort(ended, kind="stable")
    order = order[ended[order] <= last]
    return ended[order] - started[order], np.diff(ended[order], prepend=begun)
