"""Limits of the generator: each is told from a limit of the target."""

import dataclasses

import numpy as np
import pytest

from tests.unit.toolkit.load.servers import samples_of
from tests.unit.toolkit.load.test_judgment import PLAN, calm, fired_of
from weighbridge.load.generator.pool_size import PoolLimit
from weighbridge.load.results.client_limits import client_reasons, limits_of_client, unhindered_ms
from weighbridge.load.results.intervals import UNANSWERED_MS
from weighbridge.load.results.metrics import metrics_of
from weighbridge.load.results.samples import NEVER, LoadSamples, RequestOutcome

LIMITED = dataclasses.replace(PLAN, p99_limit_ms=50.0)


def pooled(*, connections, service_ms, n=2000, gap_ms=1.0):
    """A pool in front of a target that answers everything in the same time: requests wait for a connection here."""
    due = (np.arange(n) * gap_ms * 1e6).astype(np.int64)
    sent, free_at = due.copy(), [0] * connections
    for request in range(n):
        free = min(range(connections), key=free_at.__getitem__)
        sent[request] = max(due[request], free_at[free])
        free_at[free] = sent[request] + int(service_ms * 1e6)
    done = sent + int(service_ms * 1e6)
    return LoadSamples(due, due, sent, done, np.full(n, RequestOutcome.ANSWERED, dtype=np.uint8))


def stalled(*, connections=64, n=8000, stall_ms=(3000, 4000)):
    """A target that is silent for a second and quick before and after it; all connections are busy meanwhile."""
    due = np.arange(n, dtype=np.int64) * 1_000_000
    sent, done = due.copy(), due + 1_000_000
    first, last = (int(at) for at in stall_ms)
    done[first : first + connections] = last * 1_000_000
    waiting = np.arange(first + connections, last)
    sent[waiting], done[waiting] = last * 1_000_000, (last + 1) * 1_000_000
    return LoadSamples(due, due, sent, done, np.full(n, RequestOutcome.ANSWERED, dtype=np.uint8))


def reasons_of(samples, *, plan=PLAN, **changes):
    metrics = metrics_of(samples, duration_s=2.0, seed=1)
    return [
        (reason.code, reason.status.value) for reason in client_reasons(plan, fired_of(samples, **changes), metrics)
    ]


def limits_of(samples, *, plan=LIMITED, **changes):
    metrics = metrics_of(samples, duration_s=2.0, seed=1)
    return [reason.code for reason in limits_of_client(plan, fired_of(samples, **changes), metrics)]


def test_a_generator_with_room_is_no_limit():
    assert reasons_of(calm()) == limits_of(calm()) == []


@pytest.mark.parametrize(("share", "status"), [(0.8, None), (0.81, "indicative"), (0.96, "invalid")])
def test_a_busy_processor_is_told(share, status):
    assert reasons_of(calm(), processor_share=share) == ([("generator.processor", status)] if status else [])


def test_more_processes_than_processors_are_told():
    assert reasons_of(calm(), crowding=1.0) == []
    assert reasons_of(calm(), crowding=1.5) == [("generator.processes", "invalid")]


@pytest.mark.parametrize("limit", list(PoolLimit))
def test_a_pool_that_is_too_small_distorts_the_headline(limit):
    """64 connections at 190 ms each carry 337 requests a second, whatever the target could do."""
    samples = pooled(connections=64, service_ms=190)
    assert reasons_of(samples, pool_limits=(limit.value,), peak=64) == [("connections.busy", "invalid")]
    (busy,) = client_reasons(
        PLAN, fired_of(samples, pool_limits=(limit.value,), peak=64), metrics_of(samples, duration_s=2.0, seed=1)
    )
    advice = {
        PoolLimit.FIXED: "the 64 connections fixed by --connections; leave it out",
        PoolLimit.CAP: "the most connections of one test, 64",
        PoolLimit.FILES: "ulimit -n",
        PoolLimit.PORTS: "the local ports of this machine",
    }
    assert advice[limit] in busy.message


def test_a_pool_that_is_busy_because_the_target_stalls_distorts_nothing():
    samples = stalled()
    assert reasons_of(samples, pool_limits=("fixed",), peak=64) == [("connections.busy", "indicative")]
    assert np.quantile(unhindered_ms(samples), 0.99) >= 920, "its users would have waited as long"


def test_waiting_for_new_connections_is_not_a_limit():
    assert reasons_of(calm(wait_ms=3)) == [("connections.opening", "indicative")]
    assert limits_of(calm(wait_ms=100)) == []


def test_requests_that_found_no_connection_in_time_are_the_generators():
    samples = pooled(connections=2, service_ms=10, n=1000)
    late = samples.sent_ns - samples.taken_ns > 100_000_000
    samples.outcome[late] = RequestOutcome.NO_CONNECTION
    samples.sent_ns[late] = NEVER
    assert limits_of(samples, pool_limits=("fixed",)) == ["connections.busy"]
    assert (unhindered_ms(samples) == 10.0).all()


def test_times_without_waits_by_hand():
    answered, lost, none = RequestOutcome.ANSWERED, RequestOutcome.LOST, RequestOutcome.NO_CONNECTION
    samples = samples_of(
        (0, 0, 0, 30, answered),
        (10, 10, 30, 70, answered),  # like the first: 30 ms
        (40, 40, None, 90, none),  # like the second, sent at 30: 40 ms
        (60, 60, 60, 65, lost),
        (65, 65, 70, 80, answered),  # like the one before, which failed
        (95, None, None, None, RequestOutcome.UNSETTLED),
    )
    assert unhindered_ms(samples).tolist() == [30.0, 30.0, 40.0, UNANSWERED_MS, UNANSWERED_MS]
    nothing = samples_of((0, 0, None, 30, none))
    assert unhindered_ms(nothing).tolist() == [UNANSWERED_MS]


def test_a_test_that_met_its_limit_says_so_in_spite_of_the_generator():
    assert limits_of(calm(lag_ms=10), processor_share=1.0) == []
    assert limits_of(calm(), lost_processes=1) == ["generator.lost_process"], "it was sent less"


def test_a_target_that_misses_the_limit_by_itself_missed_it():
    strict = dataclasses.replace(PLAN, p99_limit_ms=5.0)
    assert limits_of(calm(lag_ms=1.0), plan=strict) == []
    assert limits_of(calm(failed=100), plan=strict) == []
    # The same target behind a pool that is too small has an answer of its own: 10 ms are too many.
    assert limits_of(pooled(connections=1, service_ms=10), plan=strict, pool_limits=("fixed",)) == []


def test_a_limit_that_only_the_generator_missed_is_none_of_the_target():
    strict = dataclasses.replace(PLAN, p99_limit_ms=12.0)
    assert limits_of(calm(lag_ms=5.0), plan=strict) == ["generator.lag"]
    assert limits_of(pooled(connections=8, service_ms=10), plan=strict, pool_limits=("fixed",)) == ["connections.busy"]
    slow = dataclasses.replace(PLAN, p99_limit_ms=5.0)
    assert limits_of(calm(), plan=slow, processor_share=0.99) == ["generator.processor"]
    assert limits_of(calm(), plan=slow, crowding=2.0) == ["generator.processes"]


def test_nothing_sent_is_nothing_limited():
    assert limits_of(calm(0)) == []
