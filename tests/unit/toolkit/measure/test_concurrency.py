"""Several queries at a time, in real threads that only sleep."""

import threading
import time

import numpy as np
import pytest

from weighbridge.measure.loops import concurrency
from weighbridge.measure.loops.concurrency import concurrent_streams
from weighbridge.measure.scenarios import Offline, WarmUp
from weighbridge.measure.stopping import StopMeasurement

pytestmark = pytest.mark.slow

FEEDS = [{"x": np.array([row])} for row in range(7)]


class Sleeper:
    """Takes 2 ms, and fails for one of the rows where told to; remembers how many asked at once."""

    def __init__(self, fails_on=None):
        self.fails_on, self.inside, self.most, self.lock = fails_on, 0, 0, threading.Lock()

    def infer(self, feed):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.002)
        with self.lock:
            self.inside -= 1
        if feed["x"][0] == self.fails_on:
            raise KeyError("row")


def run(runner, on_tick=lambda _: None, **settings):
    wanted = {
        "min_samples": 200,
        "min_duration_s": 0.0,
        "concurrency": 3,
        "warmup": WarmUp(value_ms=0.0, max_duration_s=0.1),
        **settings,
    }
    return concurrent_streams(
        runner, FEEDS, scenario=Offline(**wanted), clock=time.perf_counter_ns, sleep=time.sleep, on_tick=on_tick
    )


def test_as_many_queries_as_asked_for_are_under_way():
    sleeper = Sleeper()
    found = run(sleeper)
    assert sleeper.most == 3
    assert 200 <= found.attempts <= 2_000
    assert found.latencies_ns.min() >= 2_000_000
    assert len(found.gaps_ns) == len(found.latencies_ns)
    # Three workers answer three times as often as one query takes; one alone would answer once.
    assert 1.5 < found.latencies_ns.mean() / found.gaps_ns.mean() < 3.3
    assert found.gaps_ns.sum() / 1e9 <= found.duration_s
    assert not found.is_partial


def test_failures_are_counted_by_kind():
    found = run(Sleeper(fails_on=3))
    assert found.failures["KeyError"] == pytest.approx(found.attempts / 7, rel=0.5)


def test_a_run_ends_at_its_longest_duration():
    found = run(Sleeper(), min_samples=1_000_000, max_duration_s=0.3)
    assert 0.3 <= found.duration_s < 10


def test_a_run_that_is_asked_to_end_keeps_what_it_has(monkeypatch):
    monkeypatch.setattr(concurrency, "TICK_NS", 50_000_000)

    def end(share):
        shares.append(share)
        if len([share for share in shares if share]) > 2:
            raise StopMeasurement

    shares, before = [], set(threading.enumerate())
    found = run(Sleeper(), end, min_samples=1_000_000)
    assert found.is_partial
    assert len(found.latencies_ns) > 10
    assert set(threading.enumerate()) <= before


def test_what_else_a_tick_raises_ends_the_workers():
    def stop(_):
        raise KeyboardInterrupt

    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        run(Sleeper(), stop, min_samples=1_000_000)
    assert set(threading.enumerate()) <= before
