"""The highest rate of targets whose capacity is known: k slots, each busy for d, answer k / d a second."""

import asyncio
import dataclasses
import heapq
import threading
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.unit.toolkit.load.servers import OK, pinned, request_from
from tests.unit.toolkit.load.test_report import fired
from weighbridge.load import search
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.results.report import load_document, load_manifest, run_load
from weighbridge.load.results.samples import LoadSamples, RequestOutcome
from weighbridge.load.schedule import due_times_ns
from weighbridge.load.search import Trials, search_highest_rate
from weighbridge.measure.deadline import Deadline

AT = datetime(2026, 11, 25, tzinfo=UTC)
PLAN = LoadPlan(url="http://localhost/", rate_per_s=50, duration_s=5, p99_limit_ms=150.0)


def answered_by(slots, busy_ns, plan):
    """The samples of a plan that a target with so many slots answers, each in the same time."""
    due = due_times_ns(plan)
    free, done = [0] * slots, np.empty_like(due)
    for request, at in enumerate(due.tolist()):
        done[request] = max(at, heapq.heappop(free)) + busy_ns
        heapq.heappush(free, int(done[request]))
    return LoadSamples(due, due, due, done, np.full(len(due), RequestOutcome.ANSWERED, dtype=np.uint8))


def searched(plan, folder):
    deadline = Deadline(600, lambda: 0.0)
    trials = Trials(plan, pinned(80), LoadCaps(), folder, lambda *_: None, lambda: False, AT, deadline)
    return search_highest_rate(trials)


@pytest.mark.parametrize(("slots", "busy_ms", "limit_ms"), [(20, 50, 150.0), (64, 190, 300.0), (4, 10, 1_000.0)])
def test_the_capacity_is_found(monkeypatch, tmp_path, slots, busy_ms, limit_ms):
    def stand_in(plan, target, **_):
        result = fired(answered_by(slots, busy_ms * 1_000_000, plan), peak=64)
        described = load_manifest(plan, target)
        return load_document(plan, result, described=described, seen=None, now=AT), result

    monkeypatch.setattr(search, "run_load", stand_in)
    found = searched(dataclasses.replace(PLAN, p99_limit_ms=limit_ms), tmp_path)
    capacity = slots * 1_000 / busy_ms
    assert found["highest_rate_per_s"]["value"] == pytest.approx(capacity, rel=0.1)
    assert found["highest_rate_per_s"]["lower"] < 1.03 * capacity


@pytest.fixture
def target():
    """A target that answers each request after 0.3 s, on any number of connections, in a thread of its own."""
    loop = asyncio.new_event_loop()

    async def answer(reader, writer):
        while await request_from(reader):
            await asyncio.sleep(0.3)
            writer.write(OK)
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield pinned(server.sockets[0].getsockname()[1])
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.05))
    loop.close()


def fired_at(target, plan, folder):
    nothing = {"on_progress": lambda *_: None, "should_stop": lambda: False}
    return run_load(plan, target, caps=LoadCaps(), folder=folder, now=AT, **nothing)


@pytest.mark.slow
def test_a_real_pool_grows_with_the_latency(target, tmp_path):
    """400 requests a second that take 0.3 s each need 120 connections: more than the 64 of the beginning."""
    plan = dataclasses.replace(PLAN, rate_per_s=400, duration_s=2.5, timeout_s=30.0)
    document, result = fired_at(target, plan, tmp_path)
    codes = {reason["code"] for reason in document["verdict"]["reasons"]}
    assert (result.samples.answered.all(), result.pool_limits) == (True, ())
    assert result.peak > 100
    assert "connections.busy" not in codes


@pytest.mark.slow
def test_a_real_pool_that_is_fixed_and_too_small_is_named_as_the_limit(target, tmp_path):
    """Four connections carry 13 requests a second, whatever the target could do."""
    plan = dataclasses.replace(PLAN, rate_per_s=300, timeout_s=1.0, p99_limit_ms=900.0, connections=4)
    document, result = fired_at(target, dataclasses.replace(plan, duration_s=2.7), tmp_path)
    reasons = {reason["code"]: reason for reason in document["verdict"]["reasons"]}
    assert (result.pool_limits, result.peak) == (("fixed",), 4)
    assert reasons["connections.busy"]["status"] == "invalid"
    assert "the 4 connections fixed by --connections" in reasons["connections.busy"]["message"]


@pytest.mark.slow
def test_a_real_search_refuses_the_limit_of_its_own_pool(target, tmp_path):
    plan = dataclasses.replace(PLAN, rate_per_s=300, duration_s=2.7, timeout_s=1.0, p99_limit_ms=900.0, connections=4)
    deadline = Deadline(600, lambda: 0.0)
    found = search_highest_rate(
        Trials(plan, target, LoadCaps(), tmp_path, lambda *_: None, lambda: False, AT, deadline)
    )
    assert (found["reason"], found["highest_rate_per_s"], found["at_least_per_s"]) == ("client_limit", None, None)
    assert "connections.busy" in {reason["code"] for reason in found["verdict"]["reasons"]}
    assert len(found["trials"]) == 1
