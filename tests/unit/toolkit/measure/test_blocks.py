"""Interleaved blocks under a clock that tests wind."""

import gc
from itertools import pairwise

import numpy as np
import pytest

from tests.unit.toolkit.builders import Clock, ScriptedRunner
from weighbridge.core.errors import Invalid
from weighbridge.measure.blocks import Blocks, BlockSettings, Ratio, interleave, is_tied, noise_floor, ratio_of_medians
from weighbridge.measure.scenarios import WarmUp
from weighbridge.measure.stopping import StopMeasurement

pytestmark = pytest.mark.slow

FEEDS = [{"x": np.array([row])} for row in range(20)]
WARM = WarmUp(values=10, value_ms=0, max_duration_s=1.0)
SETTINGS = BlockSettings(rounds=6, block_ms=1.0, warmup=WARM)


def trial(scripts, settings=SETTINGS, on_tick=lambda _: None, clock=None):
    clock = clock or Clock()
    runners = {name: ScriptedRunner(clock, script) for name, script in scripts.items()}
    return interleave(runners, FEEDS, settings=settings, clock=clock, on_tick=on_tick), runners


def blocks_of(**rounds):
    held = {name: [np.full(9, value, dtype=np.int64) for value in values] for name, values in rounds.items()}
    return Blocks(held, {}, 1.0, is_complete=True)


def test_every_round_asks_every_model_the_same_rows():
    blocks, runners = trial({"slow": lambda _: 100_000, "fast": lambda _: 50_000})
    # The slow model answers 10 queries in a millisecond; two more lead.
    assert [len(block) for block in blocks.latencies_ns["slow"]] == [10] * 6
    asked = {name: [int(feed["x"][0]) for feed in runner.asked[-72:]] for name, runner in runners.items()}
    assert asked["slow"] == asked["fast"]
    assert len(set(asked["slow"])) == 20
    assert set(blocks.medians_ns("slow")) == {100_000.0}
    assert blocks.is_complete
    assert blocks.duration_s > 0


def test_the_order_changes_and_follows_the_seed():
    def order(seed):
        ticks, clock = [], Clock()
        turns = []
        scripts = {name: (lambda _, name=name: turns.append(name) or 100_000) for name in "abc"}
        trial(scripts, BlockSettings(rounds=12, block_ms=1.0, warmup=WARM, seed=seed), ticks.append, clock)
        measured = turns[-12 * 3 * 12 :]
        return [measured[start] for start in range(0, len(measured), 12)]

    first = order(1)
    assert {tuple(sorted(first[at : at + 3])) for at in range(0, 36, 3)} == {("a", "b", "c")}
    assert len({tuple(first[at : at + 3]) for at in range(0, 36, 3)}) > 2
    assert first == order(1) != order(2)


def test_the_lead_is_not_timed():
    def cold(index):
        return 900_000 if index in starts else 100_000

    starts = set()
    blocks, runners = trial({"a": cold})
    starts = {len(runners["a"].asked) - 12 * turn for turn in range(1, 7)}
    blocks, _ = trial({"a": cold})
    assert {int(value) for block in blocks.latencies_ns["a"] for value in block} == {100_000}


@pytest.mark.parametrize(("latency", "queries"), [(10_000_000, 8), (0, 5_000)])
def test_a_block_has_neither_too_few_queries_nor_too_many(latency, queries):
    settings = BlockSettings(rounds=1, block_ms=1.0, warmup=WARM)
    clock = Clock()
    blocks, _ = trial({"a": lambda _: latency}, settings, clock=clock)
    assert [len(block) for block in blocks.latencies_ns["a"]] == [queries]


def test_failures_are_counted_and_leave_their_round_out():
    broken = {"n": 0}

    def sometimes(index):
        broken["n"] += 1
        return ValueError("no") if broken["n"] > 150 else 100_000

    blocks, _ = trial({"a": lambda _: 100_000, "b": sometimes}, BlockSettings(rounds=20, block_ms=1.0, warmup=WARM))
    assert blocks.failures["a"] == {}
    assert blocks.failures["b"]["ValueError"] > 10
    whole = int(np.isfinite(blocks.medians_ns("b")).sum())
    assert 6 <= whole < 20
    assert ratio_of_medians(blocks, "a", "b") == Ratio(1.0, 1.0, 1.0, 0.95, whole)


def test_a_model_that_never_answers_has_no_ratio():
    blocks, _ = trial({"a": lambda _: 100_000, "b": lambda _: RuntimeError("no")})
    assert ratio_of_medians(blocks, "a", "b") is None
    assert noise_floor(blocks, "a", "b") is None


def test_rounds_end_at_the_longest_duration():
    blocks, _ = trial(
        {"a": lambda _: 100_000_000}, BlockSettings(rounds=500, block_ms=1.0, max_duration_s=3, warmup=WARM)
    )
    assert not blocks.is_complete
    assert 1 <= len(blocks.latencies_ns["a"]) < 5


def test_enough_keeps_the_whole_rounds():
    shares = []

    def tick(share):
        shares.append(share)
        if share > 0.4:
            raise StopMeasurement

    blocks, _ = trial({"a": lambda _: 100_000, "b": lambda _: 100_000}, on_tick=tick)
    assert [len(held) for held in blocks.latencies_ns.values()] == [2, 2]
    assert not blocks.is_complete
    assert all(first <= second for first, second in pairwise(shares))
    assert gc.isenabled()


def test_whatever_else_a_tick_raises_passes_through_and_gc_is_as_before():
    def stop(_):
        raise KeyboardInterrupt

    gc.disable()
    try:
        with pytest.raises(KeyboardInterrupt):
            trial({"a": lambda _: 100_000}, on_tick=stop)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_ratio_cancels_what_slows_a_whole_round():
    level = np.array([1, 1, 1, 5, 5, 5, 2, 2, 9, 9])
    blocks = blocks_of(base=list(2_000 * level), variant=list(1_000 * level))
    found = ratio_of_medians(blocks, "base", "variant")
    assert (found.value, found.lower, found.upper) == (pytest.approx(2), pytest.approx(2), pytest.approx(2))
    assert (found.blocks, found.confidence) == (10, 0.95)
    assert ratio_of_medians(blocks, "variant", "base").value == pytest.approx(0.5)
    assert ratio_of_medians(blocks_of(a=[1] * 7, b=[1] * 7), "a", "b", confidence=0.99) is None


def test_the_floor_is_the_bound_that_lies_farther_from_one():
    near = blocks_of(a=[100, 101, 102, 103, 100, 100], b=[100] * 6)
    far = blocks_of(a=[100] * 6, b=[100, 101, 102, 103, 100, 100])
    assert noise_floor(near, "a", "b") == pytest.approx(0.03)
    assert noise_floor(far, "a", "b") == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("lower", "value", "upper", "answer"),
    [
        (0.97, 1.2, 1.4, True),
        (1.01, 1.04, 1.07, False),
        (1.01, 1.03, 1.05, True),
        (0.9, 0.96, 0.99, False),
        (0.9, 0.98, 0.99, True),
        (0.9, 0.96, 1.0, True),
    ],
)
def test_within_the_floor_models_are_tied(lower, value, upper, answer):
    assert is_tied(Ratio(value, lower, upper, 0.95, 10), 0.03) is answer


@pytest.mark.parametrize(
    "wrong", [{"rounds": 0}, {"rounds": 501}, {"lead": -1}, {"seed": -1}, {"block_ms": 0}, {"max_duration_s": 0}]
)
def test_settings_that_compare_nothing_are_refused(wrong):
    with pytest.raises(Invalid):
        BlockSettings(**wrong)
