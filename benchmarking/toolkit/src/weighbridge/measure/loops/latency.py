"""Sequential queries, each timed separately: SingleStream, MultiStream, and Offline with one worker.

This module handles warm-up, the order of inputs, the clock and failures. It does not know engines, files or answers.
"""

import contextlib
import dataclasses
import gc
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.loops.warmup import WarmUpReport, warm_up
from weighbridge.measure.scenarios import Scenario
from weighbridge.measure.stopping import Clock, StopMeasurement, Tick

Feed = Mapping[str, NDArray[Any]]
TICK_NS = 250_000_000


class Runner(Protocol):
    """Answers one query: takes inputs by name and returns outputs in order."""

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Run the model once."""


@dataclasses.dataclass(frozen=True)
class LatencyRun:
    """The raw data of a run: latencies in nanoseconds in order of time, failures by kind, duration and warm-up.

    `gaps_ns` are the times between consecutive answers if queries overlapped; `queries` has the number of the query of
    each latency if they did not. A partial run was stopped before it had enough samples.
    """

    latencies_ns: NDArray[np.int64]
    failures: dict[str, int]
    duration_s: float
    distinct_inputs: int
    warmup: WarmUpReport
    gaps_ns: NDArray[np.int64] | None = None
    queries: NDArray[np.int64] | None = None
    is_partial: bool = False

    @property
    def failed(self) -> int:
        """The number of failed inferences."""
        return sum(self.failures.values())

    @property
    def attempts(self) -> int:
        """The number of timed inferences, including failed ones."""
        return len(self.latencies_ns) + self.failed


def query_order(rows: int, *, seed: int) -> NDArray[np.int64]:
    """Return a seeded permutation of the rows: every input is used before any is repeated."""
    return np.random.default_rng(seed).permutation(rows).astype(np.int64)


def single_stream(
    runner: Runner, feeds: Sequence[Feed], *, scenario: Scenario, clock: Clock, on_tick: Tick
) -> LatencyRun:
    """Warm up, then run one query at a time until samples and duration suffice, or until the maximum duration.

    `clock` counts nanoseconds. `on_tick` receives the share done (0 to 1) about four times a second and may raise:
    `StopMeasurement` ends the run and keeps its samples; without samples it passes through, as all other exceptions do.
    Garbage collection is off during the run, so that its pauses do not count as latency.
    """
    order = query_order(len(feeds), seed=scenario.seed)
    ordered = [feeds[int(row)] for row in order]
    with garbage_collection_paused():
        warmup = warm_up_runner(runner, ordered, scenario=scenario, clock=clock, on_tick=on_tick)
        run, answered = _record(runner, ordered, scenario=scenario, clock=clock, on_tick=on_tick, warmup=warmup)
    return dataclasses.replace(run, queries=order[answered % len(order)])


@contextlib.contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Disable garbage collection."""
    was_collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_collecting:
            gc.enable()


def warm_up_runner(
    runner: Runner, ordered: Sequence[Feed], *, scenario: Scenario, clock: Clock, on_tick: Tick
) -> WarmUpReport:
    """Warm up a model on the queries of the run; `on_tick` receives 0 about four times a second."""
    return warm_up(
        partial(try_query, runner, ordered),
        settings=scenario.warmup,
        clock=clock,
        on_tick=_throttled(lambda: on_tick(0.0), clock),
    )


def tick_requests_stop(on_tick: Tick, share: float) -> bool:
    """Report the share done; return whether a stop was requested."""
    try:
        on_tick(share)
    except StopMeasurement:
        return True
    return False


def try_query(runner: Runner, feeds: Sequence[Feed], index: int) -> None:
    """Run one query of a warm-up; failures do not end it, they are counted only during the measurement."""
    with contextlib.suppress(Exception):
        runner.infer(feeds[index % len(feeds)])


def _throttled(tick: Callable[[], None], clock: Clock) -> Callable[[], None]:
    """Call `tick` at most once per TICK_NS."""
    due_at = clock() + TICK_NS

    def maybe() -> None:
        nonlocal due_at
        if clock() > due_at:
            tick()
            due_at = clock() + TICK_NS

    return maybe


def _record(
    runner: Runner, feeds: Sequence[Feed], *, scenario: Scenario, clock: Clock, on_tick: Tick, warmup: WarmUpReport
) -> tuple[LatencyRun, NDArray[np.int64]]:
    """Return the run, and the places in `feeds`, counted on over repetitions, of the answered queries."""
    latencies, failures, failed_at = array("q"), Counter[str](), array("q")
    infer, record, size = runner.infer, latencies.append, len(feeds)
    asked, minimum = 0, scenario.min_samples
    begun = clock()
    done_at, limit_at = begun + int(scenario.min_duration_s * 1e9), begun + int(scenario.max_duration_s * 1e9)
    tick_at, ended, is_partial = begun + TICK_NS, begun, False
    # The loop does as little as possible, because its cost is part of every metric.
    while (asked < minimum or ended < done_at) and ended < limit_at and not is_partial:
        feed = feeds[asked % size]
        asked += 1
        started = clock()
        try:
            infer(feed)
        except Exception as error:  # noqa: BLE001 -- engines raise their own classes; a failure is counted here
            failures[type(error).__name__] += 1
            failed_at.append(asked - 1)
            ended = clock()
        else:
            ended = clock()
            record(ended - started)
        if ended > tick_at:
            is_partial = tick_requests_stop(on_tick, share_done(asked, ended - begun, scenario))
            tick_at = clock() + TICK_NS
    samples = np.frombuffer(latencies, dtype=np.int64).copy() if latencies else np.empty(0, dtype=np.int64)
    duration_s = (ended - begun) / 1e9
    answered = np.delete(np.arange(asked, dtype=np.int64), np.frombuffer(failed_at, dtype=np.int64))
    run = LatencyRun(samples, dict(failures), duration_s, min(asked, size), warmup, is_partial=is_partial)
    return run, answered


def share_done(asked: int, elapsed_ns: int, scenario: Scenario) -> float:
    """Return the progress of a run (0 to 1), by queries and elapsed time."""
    by_samples = asked / scenario.min_samples
    by_time = elapsed_ns / (scenario.min_duration_s * 1e9) if scenario.min_duration_s else 1.0
    by_limit = elapsed_ns / (scenario.max_duration_s * 1e9) if scenario.max_duration_s else 1.0
    return min(1.0, max(min(by_samples, by_time), by_limit))
