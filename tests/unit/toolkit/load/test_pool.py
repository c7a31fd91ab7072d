"""The pool: it grows with rate x latency, and says what keeps it from growing."""

import asyncio
import dataclasses
import errno
import resource

import pytest

from tests.unit.toolkit.load.servers import OK, answering, fired, request_from
from weighbridge.load.generator import pool_size as sizes
from weighbridge.load.generator.pool_size import PoolLimit, PoolSize, pool_size
from weighbridge.load.plan import LoadPlan
from weighbridge.load.results.samples import NEVER

PLAN = LoadPlan(url="http://localhost/", rate_per_s=10, duration_s=2)
GROWING = PoolSize(1, 100, PoolLimit.CAP)


@pytest.fixture
def files(monkeypatch):
    """Let the process have these limits of file descriptors, and note what it raises its own to."""

    def use(soft, hard):
        raised = []
        monkeypatch.setattr(sizes.resource, "getrlimit", lambda _: (soft, hard))
        monkeypatch.setattr(sizes.resource, "setrlimit", lambda _, limits: raised.append(limits))
        return raised

    return use


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, PoolSize(64, 4096, PoolLimit.CAP)),
        ({"warm_connections": 5000}, PoolSize(4096, 4096, PoolLimit.CAP)),
        ({"connections": 7}, PoolSize(7, 7, PoolLimit.FIXED)),
        ({"rate_per_s": 0, "users": 9}, PoolSize(9, 9, PoolLimit.CAP)),
        ({"rate_per_s": 0, "users": 9, "connections": 3}, PoolSize(3, 3, PoolLimit.FIXED)),
    ],
)
def test_the_size_of_a_pool(files, changes, expected):
    files(20_000, 20_000)
    assert pool_size(dataclasses.replace(PLAN, **changes), part=0, of=1, cap=4096) == expected


def test_parts_share_the_connections(files):
    files(20_000, 20_000)
    plan = dataclasses.replace(PLAN, connections=5)
    assert [pool_size(plan, part=part, of=2, cap=4096).most for part in (0, 1)] == [3, 2]
    assert [pool_size(PLAN, part=part, of=64, cap=4096) for part in (0, 63)] == [PoolSize(1, 64, PoolLimit.CAP)] * 2


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "most", "limit"),
    [
        (64, 64, [(64, 64)], 32, PoolLimit.FILES),
        (64, 1000, [(1000, 1000)], 968, PoolLimit.FILES),
        (64, 100_000, [(4128, 100_000)], 4096, PoolLimit.CAP),
        (64, resource.RLIM_INFINITY, [(4128, resource.RLIM_INFINITY)], 4096, PoolLimit.CAP),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, [], 4096, PoolLimit.CAP),
        (16, 16, [(16, 16)], 1, PoolLimit.FILES),
    ],
)
def test_file_descriptors_limit_a_pool(files, soft, hard, raised, most, limit):
    seen = files(soft, hard)
    assert (pool_size(PLAN, part=0, of=1, cap=4096), seen[-1:]) == (PoolSize(min(64, most), most, limit), raised)


def test_a_pool_grows_to_rate_x_latency():
    """Twenty requests at once need twenty connections; those that are open are used again."""
    seen = fired(answering(OK, wait_s=0.4), due_ms=[0.0] * 20 + [1_000.0] * 20, pool=GROWING)
    assert seen.outcomes == ["ANSWERED"] * 40
    assert (seen.engine.peak, seen.engine.opened, seen.engine.pool_limits) == (20, 20, set())


def test_a_pool_that_may_not_grow_says_so():
    seen = fired(answering(OK, wait_s=0.4), due_ms=[0.0] * 6, pool=PoolSize(1, 3, PoolLimit.CAP))
    assert (seen.outcomes, seen.engine.peak, seen.engine.pool_limits) == (["ANSWERED"] * 6, 3, {PoolLimit.CAP})


def failing_after(engine, connections, error):
    """Let the engine open this many connections; any further attempt fails."""
    connect, left = engine._connect, [None] * (connections - engine.opened)

    async def limited():
        if not left:
            raise error
        left.pop()
        return await connect()

    engine._connect = limited


@pytest.mark.parametrize(
    ("number", "limit"),
    [(errno.EMFILE, PoolLimit.FILES), (errno.ENFILE, PoolLimit.FILES), (errno.EADDRNOTAVAIL, PoolLimit.PORTS)],
)
def test_what_this_machine_lacks_is_no_failure_of_the_target(number, limit):
    async def lacking(engine):
        failing_after(engine, 2, OSError(number, "none left"))

    seen = fired(answering(OK, wait_s=0.2), due_ms=[50.0] * 6, pool=GROWING, meanwhile=lacking)
    assert (seen.outcomes, seen.engine.complaints) == (["ANSWERED"] * 6, {})
    assert (seen.engine.pool_limits, seen.engine.peak) == ({limit}, 2)


def test_a_lack_that_passes_is_tried_again_without_an_open_connection():
    async def lacking(engine):
        connect = engine._connect
        failing_after(engine, 0, OSError(errno.EMFILE, "none left"))
        for connection in list(engine._all):
            connection.drop()
        await asyncio.sleep(0.15)
        engine._connect = connect

    seen = fired(answering(OK), due_ms=[50.0], pool=PoolSize(1, 1, PoolLimit.FIXED), meanwhile=lacking)
    assert (seen.outcomes, seen.engine.pool_limits) == (["ANSWERED"], {PoolLimit.FILES})


def test_a_request_takes_the_connection_that_is_free_first():
    """New connections never come, but the old one is free soon."""

    async def slow(engine):
        async def never():
            await asyncio.sleep(60)

        engine._connect = never

    seen = fired(answering(OK, wait_s=0.05), due_ms=[30.0, 31.0, 32.0], pool=GROWING, meanwhile=slow)
    assert (seen.outcomes, seen.engine.failed) == (["ANSWERED"] * 3, 0)


def test_a_connection_that_does_not_come_in_time_is_the_targets_failure():
    async def run(engine):
        async def never():
            await asyncio.sleep(60)

        engine._connect = never

    async def hang(reader, writer):
        await request_from(reader)
        await asyncio.sleep(60)

    seen = fired(hang, due_ms=[30.0, 31.0], pool=GROWING, meanwhile=run, timeout_s=0.2)
    assert seen.outcomes == ["TIMED_OUT"] * 2
    assert (seen.samples.sent_ns == NEVER).tolist() == [False, True]


def test_a_spare_connection_that_is_refused_fails_no_request():
    async def refused(engine):
        async def slow_refusal():
            await asyncio.sleep(0.6)
            raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

        engine._connect = slow_refusal

    seen = fired(answering(OK, wait_s=0.02), due_ms=[30.0, 30.0, 1_000.0], pool=GROWING, meanwhile=refused)
    assert (seen.outcomes, seen.engine.complaints) == (["ANSWERED"] * 3, {})


@pytest.mark.parametrize(
    ("answer", "streamed"),
    [
        (OK, 0),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 2\r\n\r\nok", 3),
        (b"HTTP/1.1 200 OK\r\ncontent-type:application/x-ndjson; a=b\r\nContent-Length: 2\r\n\r\nok", 3),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\nX-Note: text/event-stream\r\nContent-Length: 2\r\n\r\nok", 0),
    ],
)
def test_streamed_answers_are_seen(answer, streamed):
    assert fired(answering(answer), due_ms=[0.0, 1.0, 2.0]).engine.streamed == streamed


def test_an_answer_in_many_small_chunks_is_streamed():
    async def tokens(reader, writer):
        while await request_from(reader):
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(8):
                writer.write(b"2\r\nok\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
            writer.write(b"0\r\n\r\n")

    assert fired(tokens, due_ms=[0.0]).engine.streamed == 1
