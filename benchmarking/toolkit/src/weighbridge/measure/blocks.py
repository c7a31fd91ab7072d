"""Interleaved blocks: measures several models in random order on the same inputs, so that noise affects all of them.

Randomized interleaved trials (Abedi and Brecht, ICPE 2017, doi 10.1145/3030207.3030229): a round is one block of each
model. Models are compared within a round, so that effects on a whole round cancel out. A model measured against itself
(A/A) gives the noise of the machine.
"""

import contextlib
import dataclasses
import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.loops.latency import Feed, Runner, garbage_collection_paused, query_order, try_query
from weighbridge.measure.loops.warmup import warm_up
from weighbridge.measure.scenarios import WarmUp
from weighbridge.measure.stopping import Clock, StopMeasurement, Tick
from weighbridge.statistics.ranks import signed_rank_interval

MIN_QUERIES, MAX_QUERIES = 8, 5_000
MAX_ROUNDS = 500
WARM_UP = WarmUp(max_duration_s=3.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BlockSettings:
    """Settings of the rounds: number, block duration of the slowest model, maximum duration, warm-up and seed.

    All blocks of a round use the same rows: as many as the slowest model answers in `block_ms`, 8 to 5,000. The first
    `lead` queries of a block are not timed: they load the model into the caches.
    """

    rounds: int = 24
    block_ms: float = 50.0
    lead: int = 2
    max_duration_s: float = 120.0
    warmup: WarmUp = WARM_UP
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Raise Invalid for settings that cannot give a comparison."""
        if not 1 <= self.rounds <= MAX_ROUNDS:
            raise Invalid(f"The number of rounds must be 1 to {MAX_ROUNDS}.", field="rounds")
        if self.lead < 0 or self.seed < 0:
            raise Invalid("The lead and the seed must not be negative.", field="seed")
        if self.block_ms <= 0 or self.max_duration_s <= 0:
            raise Invalid("The durations of a block and of the comparison must be positive.", field="block_ms")


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Blocks in order of time (nanoseconds) and failures by kind, per model; whether all rounds were run."""

    latencies_ns: Mapping[str, Sequence[NDArray[np.int64]]]
    failures: Mapping[str, Mapping[str, int]]
    duration_s: float
    is_complete: bool

    def medians_ns(self, name: str) -> NDArray[np.float64]:
        """Return the median of each block of a model, NaN if all queries of a block failed."""
        return np.array([np.median(block) if len(block) else math.nan for block in self.latencies_ns[name]])


@dataclasses.dataclass(frozen=True)
class Ratio:
    """A ratio of medians with its bounds, their level and the number of rounds."""

    value: float
    lower: float
    upper: float
    confidence: float
    blocks: int


def interleave(
    runners: Mapping[str, Runner], feeds: Sequence[Feed], *, settings: BlockSettings, clock: Clock, on_tick: Tick
) -> Blocks:
    """Warm every model up, then run the rounds, each with all models in a new random order on the same rows.

    `clock` counts nanoseconds; `on_tick` receives the share done (0 to 1) after each block and may raise:
    `StopMeasurement` ends the rounds and keeps the complete ones, other exceptions pass through. Rounds end early at
    `max_duration_s`. Garbage collection is off.
    """
    rng = np.random.default_rng(settings.seed)
    ordered = [feeds[int(row)] for row in query_order(len(feeds), seed=settings.seed)]
    rounds: list[dict[str, NDArray[np.int64]]] = []
    failures: dict[str, Counter[str]] = {name: Counter() for name in runners}
    begun = clock()
    limit_at = begun + int(settings.max_duration_s * 1e9)
    with garbage_collection_paused(), contextlib.suppress(StopMeasurement):
        for runner in runners.values():
            infer = partial(try_query, runner, ordered)
            warm_up(infer, settings=settings.warmup, clock=clock, on_tick=lambda: on_tick(0.0))
        queries = min(_queries(runner, ordered, settings, clock) for runner in runners.values())
        while len(rounds) < settings.rounds and clock() < limit_at:
            rows = _rows(ordered, len(rounds), settings.lead + queries)
            blocks = {}
            for index, name in enumerate(rng.permutation(list(runners))):
                blocks[str(name)] = _block(runners[str(name)], rows, settings.lead, clock, failures[str(name)])
                on_tick((len(rounds) + (index + 1) / len(runners)) / settings.rounds)
            rounds.append(blocks)
    return Blocks(
        {name: [blocks[name] for blocks in rounds] for name in runners},
        {name: dict(counts) for name, counts in failures.items()},
        (clock() - begun) / 1e9,
        len(rounds) == settings.rounds,
    )


def ratio_of_medians(blocks: Blocks, numerator: str, denominator: str, *, confidence: float = 0.95) -> Ratio | None:
    """Return the ratio of median latencies, which is the speed-up if the baseline is the numerator.

    Each round gives one ratio of medians; the value is their Hodges-Lehmann estimate on the log scale with the exact
    interval of the signed-rank test, which is distribution-free and tolerates up to 29 % outlier rounds. None with
    fewer rounds than the level needs (6 at 95 %, 8 at 99 %); rounds in which a model never answered do not count.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = blocks.medians_ns(numerator) / blocks.medians_ns(denominator)
    logs = np.log(ratios[np.isfinite(ratios) & (ratios > 0)])
    interval = signed_rank_interval(logs, confidence)
    if interval is None:
        return None
    return Ratio(math.exp(interval.value), math.exp(interval.lower), math.exp(interval.upper), confidence, interval.n)


def noise_floor(blocks: Blocks, model: str, twin: str, *, confidence: float = 0.95) -> float | None:
    """Return the bound of a model's ratio to itself (`twin`) farther from 1, as a factor minus 1 (0.03: 3 %)."""
    ratio = ratio_of_medians(blocks, model, twin, confidence=confidence)
    return None if ratio is None else max(ratio.upper, 1 / ratio.lower) - 1


def is_tied(ratio: Ratio, floor: float) -> bool:
    """Return whether a ratio is not distinguishable from 1: its interval contains 1, or it is within the noise floor.

    Both criteria are needed: an interval covers only the noise between rounds, and the floor is itself a bound. On
    simulated rounds of equal models, about one comparison in a thousand claims a difference
    (`tests/performance/test_coverage.py`).
    """
    return ratio.lower <= 1 <= ratio.upper or 1 / (1 + floor) <= ratio.value <= 1 + floor


def _queries(runner: Runner, feeds: Sequence[Feed], settings: BlockSettings, clock: Clock) -> int:
    """Return the number of queries in a block of this model."""
    probe = _block(runner, _rows(feeds, 0, MIN_QUERIES), 0, clock, Counter())
    median_ns = float(np.median(probe)) if len(probe) else settings.block_ms * 1e6
    return max(MIN_QUERIES, min(MAX_QUERIES, int(settings.block_ms * 1e6 / max(median_ns, 1.0))))


def _rows(feeds: Sequence[Feed], turn: int, count: int) -> list[Feed]:
    return [feeds[(turn * count + index) % len(feeds)] for index in range(count)]


def _block(runner: Runner, rows: Sequence[Feed], lead: int, clock: Clock, failures: Counter[str]) -> NDArray[np.int64]:
    latencies, infer = array("q"), runner.infer
    for index, feed in enumerate(rows):
        started = clock()
        try:
            infer(feed)
        except Exception as error:  # noqa: BLE001 -- engines raise their own classes; a failure is counted here
            failures[type(error).__name__] += 1
        else:
            ended = clock()
            if index >= lead:
                latencies.append(ended - started)
    return np.array(latencies, dtype=np.int64)
