"""Blocks: several models measured in turn, in random order, on the same inputs, so that a busy minute hits them all.

Randomized interleaved trials (Abedi and Brecht, ICPE 2017, doi 10.1145/3030207.3030229): a round is one block of each
model. Models are compared within a round, so what slows a whole round cancels out. A model measured against itself
(A/A) shows what this machine invents.
"""

import contextlib
import dataclasses
import math
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.loops.latency import Feed, Runner, at_rest, query_order
from weighbridge.measure.loops.warmup import WarmUpReport, warm_up
from weighbridge.measure.scenarios import WarmUp
from weighbridge.measure.stopping import Enough
from weighbridge.statistics.ranks import signed_rank_interval

FEWEST_QUERIES, MOST_QUERIES = 8, 5_000
MOST_ROUNDS = 500
WARM_UP = WarmUp(max_duration_s=3.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BlockSettings:
    """How many rounds, how long a block of the slowest model, how long at most, after which warm-up, with which seed.

    Every block of a round asks the same rows: as many as the slowest model answers in `block_ms`, 8 to 5,000. The first
    `lead` queries of a block are not timed: they bring the model back into the caches.
    """

    rounds: int = 24
    block_ms: float = 50.0
    lead: int = 2
    max_duration_s: float = 120.0
    warmup: WarmUp = WARM_UP
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Refuse settings that cannot give a comparison."""
        if not 1 <= self.rounds <= MOST_ROUNDS:
            raise Invalid(f"Ask for 1 to {MOST_ROUNDS} rounds.", field="rounds")
        if self.lead < 0 or self.seed < 0:
            raise Invalid("The lead and the seed must be zero or a positive whole number.", field="seed")
        if self.block_ms <= 0 or self.max_duration_s <= 0:
            raise Invalid("A block and the whole comparison must last longer than no time.", field="block_ms")


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Per model its blocks in order of time (nanoseconds), failures by kind, warm-up; and whether all
    rounds were run.
    """

    latencies_ns: Mapping[str, Sequence[NDArray[np.int64]]]
    failures: Mapping[str, Mapping[str, int]]
    warmups: Mapping[str, WarmUpReport]
    duration_s: float
    is_complete: bool

    def medians_ns(self, name: str) -> NDArray[np.float64]:
        """Return the median of each block of a model, NaN for a block in which every query failed."""
        return np.array([np.median(block) if len(block) else math.nan for block in self.latencies_ns[name]])


@dataclasses.dataclass(frozen=True)
class Ratio:
    """A ratio of medians with its bounds, their level and the number of rounds it stands on."""

    value: float
    lower: float
    upper: float
    confidence: float
    blocks: int


def interleave(
    runners: Mapping[str, Runner],
    feeds: Sequence[Feed],
    *,
    settings: BlockSettings,
    clock: Callable[[], int],
    on_tick: Callable[[float], None],
) -> Blocks:
    """Warm every model up, then run the rounds, each with all models in a new random order on the same rows.

    `clock` counts nanoseconds; `on_tick` gets the share done (0 to 1) after each block and may raise: `Enough` keeps
    the whole rounds so far, anything else passes through. Rounds end early at `max_duration_s`. The garbage collector
    rests.
    """
    rng = np.random.default_rng(settings.seed)
    ordered = [feeds[int(row)] for row in query_order(len(feeds), seed=settings.seed)]
    rounds: list[dict[str, NDArray[np.int64]]] = []
    failures: dict[str, Counter[str]] = {name: Counter() for name in runners}
    warmups: dict[str, WarmUpReport] = {}
    begun = clock()
    limit_at = begun + int(settings.max_duration_s * 1e9)
    with at_rest(), contextlib.suppress(Enough):
        for name, runner in runners.items():
            warmups[name] = _warm(runner, ordered, settings, clock, lambda: on_tick(0.0))
        queries = min(_queries(runner, ordered, settings, clock) for runner in runners.values())
        while len(rounds) < settings.rounds and clock() < limit_at:
            rows = _rows(ordered, len(rounds), settings.lead + queries)
            blocks = {}
            for place, name in enumerate(rng.permutation(list(runners))):
                blocks[str(name)] = _block(runners[str(name)], rows, settings.lead, clock, failures[str(name)])
                on_tick((len(rounds) + (place + 1) / len(runners)) / settings.rounds)
            rounds.append(blocks)
    return Blocks(
        {name: [blocks[name] for blocks in rounds] for name in runners},
        {name: dict(counts) for name, counts in failures.items()},
        warmups,
        (clock() - begun) / 1e9,
        len(rounds) == settings.rounds,
    )


def ratio_of_medians(blocks: Blocks, numerator: str, denominator: str, *, confidence: float = 0.95) -> Ratio | None:
    """Return median latency of `numerator` over that of `denominator`: the speed-up, when the baseline is the
    numerator.

    Each round gives one ratio of medians; the metric is their Hodges-Lehmann estimate on the logarithm with the exact
    interval of the signed-rank test, which assumes no distribution and bears up to 29 % of spoiled rounds. None with
    fewer rounds than the level needs (6 at 95 %, 8 at 99 %); rounds in which a model never answered do not count.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = blocks.medians_ns(numerator) / blocks.medians_ns(denominator)
    logs = np.log(ratios[np.isfinite(ratios) & (ratios > 0)])
    found = signed_rank_interval(logs, confidence)
    if found is None:
        return None
    return Ratio(math.exp(found.value), math.exp(found.lower), math.exp(found.upper), confidence, found.n)


def noise_floor(blocks: Blocks, model: str, twin: str, *, confidence: float = 0.95) -> float | None:
    """Return how far from 1 the ratio of a model to itself (`twin`, measured under another name) may lie: 0.03 is 3 %.

    It is the bound of the A/A ratio that lies farther from 1, as a factor less 1, so that a floor is not small by luck.
    """
    ratio = ratio_of_medians(blocks, model, twin, confidence=confidence)
    return None if ratio is None else max(ratio.upper, 1 / ratio.lower) - 1


def is_tied(ratio: Ratio, floor: float) -> bool:
    """Say whether a ratio cannot be told from 1: its interval holds 1, or its value lies within the noise floor.

    Both are asked for, since an interval knows only the noise between rounds, and the floor is itself a bound: on
    simulated rounds of equal models hardly one comparison in a thousand claims a difference
    (`tests/performance/test_coverage.py`).
    """
    return ratio.lower <= 1 <= ratio.upper or 1 / (1 + floor) <= ratio.value <= 1 + floor


def _warm(
    runner: Runner, feeds: Sequence[Feed], settings: BlockSettings, clock: Callable[[], int], tick: Callable[[], None]
) -> WarmUpReport:
    def infer(index: int) -> None:
        # Failures are counted when they are timed; a warm-up goes on.
        with contextlib.suppress(Exception):
            runner.infer(feeds[index % len(feeds)])

    return warm_up(infer, settings=settings.warmup, clock=clock, on_tick=tick)


def _queries(runner: Runner, feeds: Sequence[Feed], settings: BlockSettings, clock: Callable[[], int]) -> int:
    """Return how many queries fill a block of this model."""
    some = _block(runner, _rows(feeds, 0, FEWEST_QUERIES), 0, clock, Counter())
    median_ns = float(np.median(some)) if len(some) else settings.block_ms * 1e6
    return max(FEWEST_QUERIES, min(MOST_QUERIES, int(settings.block_ms * 1e6 / max(median_ns, 1.0))))


def _rows(feeds: Sequence[Feed], turn: int, count: int) -> list[Feed]:
    return [feeds[(turn * count + index) % len(feeds)] for index in range(count)]


def _block(
    runner: Runner, rows: Sequence[Feed], lead: int, clock: Callable[[], int], failures: Counter[str]
) -> NDArray[np.int64]:
    latencies, infer = array("q"), runner.infer
    for place, feed in enumerate(rows):
        started = clock()
        try:
            infer(feed)
        except Exception as error:  # noqa: BLE001 -- engines raise their own classes; a failure is a metric here
            failures[type(error).__name__] += 1
        else:
            ended = clock()
            if place >= lead:
                latencies.append(ended - started)
    return np.array(latencies, dtype=np.int64)
