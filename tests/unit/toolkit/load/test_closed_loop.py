"""The closed loop: users who wait for their answers and think."""

import asyncio
import time

import numpy as np
import pytest

from tests.unit.toolkit.load.servers import OK, answering, job, serving
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator import closed_loop
from weighbridge.load.generator.closed_loop import ClosedLoop, ClosedLoopEngine
from weighbridge.load.plan import LoadPlan
from weighbridge.load.results.samples import NEVER
from weighbridge.load.schedule import due_times_ns


def asked(serve, *, starts_ms, think_ms=50.0, ends_ms=300.0, requests=1_000, stop_after_s=None, **changes):
    """The samples of users who start at `starts_ms`, and their engine."""

    async def run():
        loop = asyncio.get_running_loop()
        users = ClosedLoop(think_ns=int(think_ms * 1e6), ends_ns=int(ends_ms * 1e6), requests=requests, seed=1)
        async with serving(serve) as port:
            order = job(port, due_ms=starts_ms, **{"connections": len(starts_ms), **changes})
            engine = ClosedLoopEngine(order, users, loop=loop, clock=time.monotonic_ns)
            await engine.open()
            if stop_after_s is not None:
                loop.call_later(stop_after_s, engine.stop)
            samples = await engine.fire(time.monotonic_ns())
            await asyncio.sleep(0)
            return samples, engine

    return asyncio.run(run())


def test_a_user_sends_again_one_think_time_after_the_answer():
    samples, engine = asked(answering(OK, wait_s=0.02), starts_ms=[10.0], ends_ms=900.0)
    assert samples.answered.all()
    assert 2 <= len(samples.outcome) <= 13, "the first at 10 ms, then one every 70 ms or more, until 900 ms"
    assert samples.scheduled_ns[0] == 10_000_000
    assert (samples.scheduled_ns[1:] - samples.done_ns[:-1]).tolist() == [50_000_000] * (len(samples.outcome) - 1)
    assert samples.scheduled_ns.max() < 900_000_000
    assert (samples.taken_ns >= samples.scheduled_ns).all()
    assert engine.opened == 1


def test_no_user_has_two_requests_at_once():
    heard = []
    samples, _ = asked(answering(OK, heard=heard, wait_s=0.03), starts_ms=[0.0, 5.0, 9.0], think_ms=0.0, ends_ms=800.0)
    at_once = [int(((samples.sent_ns <= at) & (samples.done_ns > at)).sum()) for at in samples.sent_ns if at != NEVER]
    assert max(at_once) <= 3
    assert len(heard) == len(samples.outcome) > 6
    assert (np.diff(samples.scheduled_ns) >= 0).all()


def test_a_user_goes_on_after_a_failure():
    bad = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    samples, engine = asked(answering(bad, OK), starts_ms=[0.0], think_ms=20.0, ends_ms=60_000.0, requests=3)
    assert samples.failures == {"wrong_status": 1}
    assert (int(samples.answered.sum()), engine.failed) == (2, 1)


def test_the_loop_ends_at_the_most_requests():
    samples, _ = asked(answering(OK), starts_ms=[0.0], think_ms=0.0, ends_ms=60_000.0, requests=7)
    assert len(samples.outcome) == 7


def test_a_stop_ends_the_loop():
    samples, _ = asked(answering(OK), starts_ms=[0.0, 1.0], think_ms=1.0, ends_ms=60_000.0, stop_after_s=0.5)
    assert 0 < samples.settled.sum() <= len(samples.outcome)


def test_bodies_are_checked_however_long_the_loop_is(monkeypatch):
    monkeypatch.setattr(closed_loop, "CHECKS_DRAWN", 10)
    samples, _ = asked(
        answering(OK),
        starts_ms=[0.0],
        think_ms=0.0,
        ends_ms=60_000.0,
        requests=41,
        expect=Expectation(json_key="ok", every=5),
    )
    assert (len(samples.outcome), int(samples.checked.sum())) == (41, 1 + 8), "one of each five in turn"


@pytest.mark.parametrize(
    ("think_s", "duration_s", "spread_s"), [(2.0, 60.0, 2.0), (90.0, 60.0, 60.0), (0.0, 60.0, 0.0)]
)
def test_users_start_within_one_think_time(think_s, duration_s, spread_s):
    plan = LoadPlan(url="http://localhost/", rate_per_s=0, duration_s=duration_s, users=1_000, think_s=think_s)
    starts_s = due_times_ns(plan) / 1e9
    assert (len(starts_s), (np.diff(starts_s) >= 0).all()) == (1_000, True)
    assert starts_s.max() <= spread_s
    assert starts_s.mean() == pytest.approx(spread_s / 2, rel=0.05)
