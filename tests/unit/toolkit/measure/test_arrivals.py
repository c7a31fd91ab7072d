"""Arrivals, on a clock that advances a little with every look."""

import numpy as np
import pytest
from scipy import stats  # noqa: TID253 -- an oracle

from tests.unit.toolkit.builders import ScriptedRunner
from weighbridge.measure.loops.arrivals import schedule_ns, serve
from weighbridge.measure.scenarios import Server, WarmUp
from weighbridge.measure.stopping import StopMeasurement

pytestmark = pytest.mark.slow

MS = 1_000_000
FEEDS = [{"x": np.array([row])} for row in range(5)]
WARM = WarmUp(values=10, value_ms=0.0, max_duration_s=0.001)


class Ticking:
    """Nanoseconds: 1,000 pass with every look, and as many as a sleeper sleeps."""

    def __init__(self):
        self.now_ns = 0

    def __call__(self):
        self.now_ns += 1_000
        return self.now_ns

    def sleep(self, seconds):
        self.now_ns += int(seconds * 1e9)


def run(script, on_tick=lambda _: None, **settings):
    clock = Ticking()
    wanted = {"min_samples": 50, "min_duration_s": 0.0, "rate_per_s": 100.0, "warmup": WARM, "seed": 4, **settings}
    runner = ScriptedRunner(clock, script)
    return serve(runner, FEEDS, scenario=Server(**wanted), clock=clock, sleep=clock.sleep, on_tick=on_tick), runner


def lindley_ns(scenario, service_ns):
    """Response times of a queue with one worker: the textbook recursion."""
    ready, responses = 0, []
    for due in schedule_ns(scenario).tolist():
        ready = max(ready, due) + service_ns
        responses.append(ready - due)
    return np.array(responses)


def test_the_schedule_is_a_seeded_poisson_process():
    scenario = Server(rate_per_s=50.0, min_samples=5_000, seed=1)
    gaps = np.diff(schedule_ns(scenario), prepend=0) / 1e9
    assert stats.kstest(gaps, stats.expon(scale=1 / 50).cdf).pvalue > 0.01
    assert schedule_ns(scenario).tolist() == schedule_ns(scenario).tolist()
    assert len(schedule_ns(Server(rate_per_s=1_000, min_samples=5, min_duration_s=3.0))) == 3_000


@pytest.mark.parametrize("service_ms", [1, 8, 15])
def test_response_times_are_those_of_a_queue(service_ms):
    found, _ = run(lambda _: service_ms * MS)
    scenario = Server(rate_per_s=100.0, min_samples=50, min_duration_s=0.0, seed=4)
    assert found.responses_ns == pytest.approx(lindley_ns(scenario, service_ms * MS), abs=0.5 * MS)
    assert found.latencies_ns == pytest.approx(np.full(50, service_ms * MS), abs=10_000)
    assert (found.unanswered, found.attempts, found.distinct_inputs) == (0, 50, 5)
    assert found.lags_ns.max() < 0.1 * MS


def test_a_rate_too_high_leaves_queries_unanswered_at_the_limit():
    found, _ = run(lambda _: 100 * MS, max_duration_s=1.0, min_duration_s=0.5)
    assert (len(found.responses_ns), found.unanswered) == (10, 40)
    assert found.duration_s == pytest.approx(1.0, abs=0.15)
    assert not found.is_partial


def test_a_schedule_that_outlasts_the_limit_is_cut_while_it_waits():
    found, _ = run(lambda _: MS, rate_per_s=1.0, max_duration_s=5.0)
    assert 0 < len(found.responses_ns) < 15
    assert found.unanswered == 50 - len(found.responses_ns)


def test_failures_are_counted_and_have_no_response_time():
    found, _ = run(lambda index: ValueError("no") if index % 2 else MS)
    assert found.failures == {"ValueError": 25}
    assert (len(found.responses_ns), len(found.lags_ns), found.attempts) == (25, 50, 50)


@pytest.mark.parametrize("service_ms", [1, 300])
def test_progress_is_told_while_it_waits_and_while_it_works(service_ms):
    shares = []
    found, _ = run(lambda _: service_ms * MS, shares.append, rate_per_s=2.0, min_samples=20)
    assert shares == sorted(shares)
    assert len(shares) > 20
    assert found.unanswered == 0


def test_a_run_that_is_asked_to_end_keeps_what_it_has():
    def end(share):
        if share > 0.3:
            raise StopMeasurement

    found, _ = run(lambda _: MS, end, rate_per_s=10.0)
    assert found.is_partial
    assert 15 <= len(found.responses_ns) < 30


def test_a_late_wake_up_is_this_programs_lag():
    class Sleepy(Ticking):
        def sleep(self, seconds):
            super().sleep(seconds + 0.005)

    clock = Sleepy()
    scenario = Server(rate_per_s=10.0, min_samples=50, min_duration_s=0.0, warmup=WARM, seed=4)
    runner = ScriptedRunner(clock, lambda _: MS)
    found = serve(runner, FEEDS, scenario=scenario, clock=clock, sleep=clock.sleep, on_tick=lambda _: None)
    assert np.median(found.lags_ns) == pytest.approx(5 * MS, rel=0.1)
