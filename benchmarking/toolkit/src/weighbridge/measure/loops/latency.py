"""One query after the other, each timed by itself: SingleStream, MultiStream, and Offline with one worker.

In scope: warm-up, order of the inputs, the clock, failures. Not aware of engines, files or what the answers mean.
"""

import contextlib
import dataclasses
import gc
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.loops.warmup import WarmUpReport, warm_up
from weighbridge.measure.scenarios import Scenario
from weighbridge.measure.stopping import Enough

Feed = Mapping[str, NDArray[Any]]
TICK_NS = 250_000_000


class Runner(Protocol):
    """What can answer one query: inputs by name in, outputs in order out."""

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Run the model once."""
        ...


@dataclasses.dataclass(frozen=True)
class LatencyRun:
    """What a run saw: the latencies in nanoseconds in order of time, failures by kind, and how it went.

    `gaps_ns` are the times from one answer to the next, where queries overlapped. A run is partial when it was asked to
    end before it had all it was to have.
    """

    latencies_ns: NDArray[np.int64]
    failures: dict[str, int]
    duration_s: float
    distinct_inputs: int
    warmup: WarmUpReport
    gaps_ns: NDArray[np.int64] | None = None
    is_partial: bool = False

    @property
    def failed(self) -> int:
        """Count the inferences that raised."""
        return sum(self.failures.values())

    @property
    def attempts(self) -> int:
        """Count all timed inferences, failed ones included."""
        return len(self.latencies_ns) + self.failed


def query_order(rows: int, *, seed: int) -> NDArray[np.int64]:
    """Return a seeded permutation of the rows: every input is asked before one is asked again."""
    return np.random.default_rng(seed).permutation(rows).astype(np.int64)


def single_stream(
    runner: Runner,
    feeds: Sequence[Feed],
    *,
    scenario: Scenario,
    clock: Callable[[], int],
    on_tick: Callable[[float], None],
) -> LatencyRun:
    """Warm up, then ask one query at a time until samples and duration suffice, or the longest duration is over.

    `clock` counts nanoseconds. `on_tick` gets the share done (0 to 1) about four times a second and may raise: `Enough`
    keeps what was timed so far, anything else passes through, and so does `Enough` while nothing was timed yet.
    The garbage collector rests meanwhile, so that its pauses are not filed as the model's.
    """
    ordered = [feeds[int(row)] for row in query_order(len(feeds), seed=scenario.seed)]
    with at_rest():
        warmup = bring_to_temperature(runner, ordered, scenario=scenario, clock=clock, on_tick=on_tick)
        return _record(runner, ordered, scenario=scenario, clock=clock, on_tick=on_tick, warmup=warmup)


@contextlib.contextmanager
def at_rest() -> Iterator[None]:
    """Let the garbage collector rest."""
    was_collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_collecting:
            gc.enable()


def bring_to_temperature(
    runner: Runner,
    ordered: Sequence[Feed],
    *,
    scenario: Scenario,
    clock: Callable[[], int],
    on_tick: Callable[[float], None],
) -> WarmUpReport:
    """Warm a model up on the queries it will be asked; `on_tick` gets 0 about four times a second."""
    return warm_up(
        lambda index: _try(runner, ordered[index % len(ordered)]),
        settings=scenario.warmup,
        clock=clock,
        on_tick=_seldom(lambda: on_tick(0.0), clock),
    )


def is_enough(on_tick: Callable[[float], None], share: float) -> bool:
    """Tell how far a run is, and say whether it was asked to end."""
    try:
        on_tick(share)
    except Enough:
        return True
    return False


def _try(runner: Runner, feed: Feed) -> None:
    # Failures are counted when they are timed; a warm-up goes on.
    with contextlib.suppress(Exception):
        runner.infer(feed)


def _seldom(tick: Callable[[], None], clock: Callable[[], int]) -> Callable[[], None]:
    """Let `tick` through once in TICK_NS."""
    due_at = clock() + TICK_NS

    def maybe() -> None:
        nonlocal due_at
        if clock() > due_at:
            tick()
            due_at = clock() + TICK_NS

    return maybe


def _record(
    runner: Runner,
    feeds: Sequence[Feed],
    *,
    scenario: Scenario,
    clock: Callable[[], int],
    on_tick: Callable[[float], None],
    warmup: WarmUpReport,
) -> LatencyRun:
    latencies, failures = array("q"), Counter[str]()
    infer, keep, size = runner.infer, latencies.append, len(feeds)
    asked, least = 0, scenario.min_samples
    begun = clock()
    done_at, limit_at = begun + int(scenario.min_duration_s * 1e9), begun + int(scenario.max_duration_s * 1e9)
    tick_at, ended, is_partial = begun + TICK_NS, begun, False
    # The loop does as little as it can: its own cost is in every metric.
    while (asked < least or ended < done_at) and ended < limit_at and not is_partial:
        feed = feeds[asked % size]
        asked += 1
        started = clock()
        try:
            infer(feed)
        except Exception as error:  # noqa: BLE001 -- engines raise their own classes; a failure is a metric here
            failures[type(error).__name__] += 1
            ended = clock()
        else:
            ended = clock()
            keep(ended - started)
        if ended > tick_at:
            is_partial = is_enough(on_tick, share_done(asked, ended - begun, scenario))
            tick_at = clock() + TICK_NS
    samples = np.frombuffer(latencies, dtype=np.int64).copy() if latencies else np.empty(0, dtype=np.int64)
    duration_s = (ended - begun) / 1e9
    return LatencyRun(samples, dict(failures), duration_s, min(asked, size), warmup, is_partial=is_partial)


def share_done(asked: int, elapsed_ns: int, scenario: Scenario) -> float:
    """Return how far a run is (0 to 1), by the queries asked and the time gone."""
    by_samples = asked / scenario.min_samples
    by_time = elapsed_ns / (scenario.min_duration_s * 1e9) if scenario.min_duration_s else 1.0
    by_limit = elapsed_ns / (scenario.max_duration_s * 1e9) if scenario.max_duration_s else 1.0
    return min(1.0, max(min(by_samples, by_time), by_limit))
