"""The SingleStream loop on a clock that tests wind."""

import gc

import numpy as np
import pytest

from tests.unit.toolkit.builders import Clock, ScriptedRunner
from weighbridge.measure.loops.latency import query_order, single_stream
from weighbridge.measure.scenarios import SingleStream, WarmUp

pytestmark = pytest.mark.slow

FEEDS = [{"x": np.array([row])} for row in range(5)]
MS = 1_000_000
WARM = 40


def measure(script, **settings):
    clock, shares = Clock(), []
    runner = ScriptedRunner(clock, script)
    scenario = SingleStream(**{"min_samples": 100, "min_duration_s": 0.0, "seed": 1, **settings})
    run = single_stream(runner, FEEDS, scenario=scenario, clock=clock, on_tick=shares.append)
    return run, runner, shares


def test_every_inference_is_timed_by_itself():
    run, runner, _ = measure(lambda index: (2 if index < WARM else 1 + index % 3) * MS)
    assert run.warmup.inferences == WARM
    assert run.latencies_ns.tolist() == [(1 + index % 3) * MS for index in range(WARM, WARM + 100)]
    assert (run.failed, run.attempts, run.duration_s) == (0, 100, sum(run.latencies_ns) / 1e9)
    assert len(runner.asked) == WARM + 100


def test_every_input_is_asked_before_one_is_asked_again():
    run, runner, _ = measure(lambda _: 2 * MS)
    asked = [int(feed["x"][0]) for feed in runner.asked[WARM:]]
    assert asked == [int(row) for row in query_order(5, seed=1)] * 20
    assert run.distinct_inputs == 5


def test_the_order_is_a_seeded_permutation():
    assert sorted(query_order(50, seed=1)) == list(range(50))
    assert query_order(50, seed=1).tolist() == query_order(50, seed=1).tolist()
    assert query_order(50, seed=1).tolist() != query_order(50, seed=2).tolist()


def test_a_run_lasts_until_both_samples_and_duration_suffice():
    assert len(measure(lambda _: 2 * MS, min_duration_s=1.0)[0].latencies_ns) == 500
    assert len(measure(lambda _: 20 * MS, min_duration_s=1.0)[0].latencies_ns) == 100


def test_a_run_stops_at_the_longest_duration_with_what_there_is():
    run, _, shares = measure(lambda _: 20 * MS, max_duration_s=1.0)
    assert (len(run.latencies_ns), run.duration_s) == (50, 1.0)
    assert shares[-1] == pytest.approx(1.04 * 0.75, abs=0.01)


def test_failures_are_counted_by_kind_and_not_timed():
    kinds = {
        WARM: KeyError("k"),
        WARM + 1: KeyError("k"),
        WARM + 50: ValueError("v"),
        3: RuntimeError("while warming up"),
    }
    run, _, _ = measure(lambda index: kinds.get(index, 2 * MS), warmup=WarmUp(value_ms=0.0, max_duration_s=0.08))
    assert run.failures == {"KeyError": 2, "ValueError": 1}
    assert (run.failed, run.attempts, len(run.latencies_ns)) == (3, 100, 97)


def test_a_model_that_always_fails_leaves_no_latency():
    run, _, _ = measure(lambda _: RuntimeError("no"))
    assert (run.failed, len(run.latencies_ns), run.latencies_ns.dtype) == (100, 0, np.int64)


def test_progress_is_told_a_few_times_a_second_and_never_falls():
    run, _, shares = measure(lambda _: 10 * MS, min_duration_s=4.0)
    measured = [share for share in shares if share]
    assert measured == sorted(measured)
    assert 12 <= len(measured) <= 16
    assert measured[-1] <= 1.0
    assert run.duration_s == 4.0


def test_progress_without_any_duration_is_that_of_samples():
    _, _, shares = measure(lambda _: 300 * MS, min_samples=4, min_duration_s=0.0, max_duration_s=0.0)
    assert [share for share in shares if share] == []


def test_a_tick_that_raises_stops_the_run_and_the_garbage_collector_works_again():
    def stop(_):
        raise KeyboardInterrupt

    clock = Clock()
    with pytest.raises(KeyboardInterrupt):
        single_stream(
            ScriptedRunner(clock, lambda _: 100 * MS), FEEDS, scenario=SingleStream(), clock=clock, on_tick=stop
        )
    assert gc.isenabled()


def test_a_garbage_collector_that_was_off_stays_off():
    gc.disable()
    try:
        measure(lambda _: 2 * MS)
        assert not gc.isenabled()
    finally:
        gc.enable()
