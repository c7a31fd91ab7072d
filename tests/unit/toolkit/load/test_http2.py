"""HTTP/2: many requests on one connection, against servers made with h2."""

import asyncio
import hashlib

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from tests.unit.toolkit.load import servers
from tests.unit.toolkit.load.http2_servers import after, goaway, http2, messages, well
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.http2 import connection
from weighbridge.load.generator.pool_size import PoolLimit, PoolSize
from weighbridge.load.plan import Protocol
from weighbridge.load.results.samples import NEVER

ONE = PoolSize(1, 100, PoolLimit.CAP)


def fired(serve, **changes):
    changes = {"protocol": Protocol.HTTP_2_CLEAR, "messages": messages(), "pool": ONE} | changes
    return servers.fired(serve, **changes)


def test_requests_share_a_connection_and_are_answered_out_of_order():
    heard, seen_by = [], []
    all_heard, others_said = asyncio.Event(), asyncio.Event()

    async def answer(server, asked):
        if len(heard) == 3:
            all_heard.set()
        await (others_said if asked.stream == 1 else all_heard).wait()
        if asked.stream == 1:
            # The other answers are read before this one.
            await asyncio.sleep(0.1)
        server.say(asked.stream)
        if len(server.open_streams) == 1:
            others_said.set()

    seen = fired(http2(answer, heard=heard, seen=seen_by), due_ms=[0.0, 1.0, 2.0], messages=messages(b"a", b"b", b"c"))
    assert seen.outcomes == ["ANSWERED"] * 3
    assert [(asked.connection, asked.body) for asked in heard] == [(0, b"a"), (0, b"b"), (0, b"c")]
    assert (seen.engine.opened, seen.engine.streams, seen_by[0].most) == (1, 100, 3)
    done = seen.samples.done_ns
    assert done[1] < done[0] > done[2]
    assert heard[0].headers == {
        ":method": "POST",
        ":scheme": "http",
        ":authority": "localhost",
        ":path": "/predict",
        "content-length": "1",
    }


def test_a_thousand_requests_are_each_answered_once():
    heard = []
    bodies = [str(number).encode() for number in range(1000)]
    seen = fired(http2(heard=heard), due_ms=[number / 2 for number in range(1000)], messages=messages(*bodies))
    assert seen.outcomes == ["ANSWERED"] * 1000
    assert sorted(int(asked.body) for asked in heard) == list(range(1000))


def test_a_target_that_allows_one_stream_gets_a_connection_for_each_request_at_once():
    settings, seen_by = {SettingCodes.MAX_CONCURRENT_STREAMS: 1}, []
    seen = fired(http2(after(0.1), seen=seen_by, settings=settings), due_ms=[0.0] * 5)
    assert (seen.outcomes, seen.engine.streams, seen.engine.pool_limits) == (["ANSWERED"] * 5, 1, set())
    assert [server.most for server in seen_by] == [1] * 5


def test_a_pool_that_may_not_grow_is_limited_by_its_streams():
    settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 2}
    pool = PoolSize(1, 1, PoolLimit.FIXED)
    seen = fired(http2(after(0.1), settings=settings), due_ms=[0.0] * 6, pool=pool)
    assert (seen.outcomes, seen.engine.opened, seen.engine.pool_limits) == (["ANSWERED"] * 6, 1, {PoolLimit.FIXED})
    waited_ms = (seen.samples.sent_ns - seen.samples.taken_ns) / 1e6
    assert sorted(waited_ms > 90) == [False] * 2 + [True] * 4


def test_connections_take_turns():
    seen_by = []
    fired(http2(after(0.05), seen=seen_by), due_ms=[0.0] * 8, pool=PoolSize(4, 4, PoolLimit.FIXED))
    assert [server.most for server in seen_by] == [2] * 4


def test_streams_that_are_allowed_later_are_used():
    async def answer(server, asked):
        if asked.stream == 1:
            server.state.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 3})
            server.flush()
        if server.most == 3:
            three_are_open.set()
        await three_are_open.wait()
        await asyncio.sleep(0.1)
        server.say(asked.stream)

    seen_by, settings, three_are_open = [], {SettingCodes.MAX_CONCURRENT_STREAMS: 1}, asyncio.Event()
    pool = PoolSize(1, 1, PoolLimit.FIXED)
    seen = fired(http2(answer, seen=seen_by, settings=settings), due_ms=[0.0] * 4, pool=pool)
    assert (seen.outcomes, seen_by[0].most) == (["ANSWERED"] * 4, 3)


def test_streams_that_are_no_longer_allowed_are_not_used():
    async def answer(server, asked):
        if asked.stream == 1:
            server.state.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 1})
            server.flush()
        await asyncio.sleep(0.2)
        server.say(asked.stream)

    seen_by, pool = [], PoolSize(1, 1, PoolLimit.FIXED)
    seen = fired(http2(answer, seen=seen_by), due_ms=[0.0, 400.0, 401.0, 800.0], pool=pool)
    assert (seen.outcomes, seen_by[0].most, seen.engine.streams) == (["ANSWERED"] * 4, 1, 1)


def test_a_large_answer_is_limited_by_no_window_of_the_generator():
    body = bytes(range(256)) * 4_000

    async def answer(server, asked):
        await server.say_much(asked.stream, body)

    expect = Expectation(body_sha256=hashlib.sha256(body).hexdigest(), every=1)
    seen = fired(http2(answer), due_ms=[0.0] * 10, expect=expect, answer_bytes=2_000_000)
    assert seen.outcomes == ["CHECKED"] * 10


def test_the_window_of_the_connection_is_opened_again(monkeypatch):
    monkeypatch.setattr(connection, "RETURNED_BYTES", 30_000)
    monkeypatch.setattr(connection, "FIRST_GROWTH", 5_000)
    test_a_large_answer_is_limited_by_no_window_of_the_generator()


def test_a_large_request_waits_for_the_windows_of_the_target():
    heard, body = [], b"x" * 300_000
    seen = fired(http2(heard=heard), due_ms=[0.0, 0.0], messages=messages(body))
    assert (seen.outcomes, [len(asked.body) for asked in heard]) == (["ANSWERED"] * 2, [300_000] * 2)


def test_a_target_that_opens_no_window_times_out():
    seen = fired(http2(takes_bodies=False), due_ms=[0.0], messages=messages(b"x" * 300_000), timeout_s=0.3)
    assert seen.outcomes == ["TIMED_OUT"]


async def too_large(server, asked):
    server.say(asked.stream, b"", status="413")


def test_an_answer_before_the_whole_request_is_an_answer():
    seen = fired(
        http2(too_large, answers_early=True, takes_bodies=False), due_ms=[0.0, 50.0], messages=messages(b"x" * 300_000)
    )
    assert seen.outcomes == ["WRONG_STATUS"] * 2
    assert seen.engine.complaints == {"wrong_status": "the answer had status 413"}


def test_a_reset_stream_fails_alone():
    async def answer(server, asked):
        if asked.stream == 3:
            server.state.reset_stream(asked.stream, ErrorCodes.INTERNAL_ERROR)
            server.done(asked.stream)
        elif asked.stream == 5:
            server.state.reset_stream(asked.stream, ErrorCodes.REFUSED_STREAM)
            server.done(asked.stream)
        else:
            await asyncio.sleep(0.05)
            server.say(asked.stream)

    seen = fired(http2(answer), due_ms=[0.0, 1.0, 2.0, 3.0])
    assert seen.outcomes == ["ANSWERED", "LOST", "REFUSED", "ANSWERED"]
    assert seen.engine.complaints == {
        "lost": "the target reset the stream (INTERNAL_ERROR)",
        "refused": "the target reset the stream (REFUSED_STREAM)",
    }
    assert seen.engine.opened == 1


@pytest.mark.parametrize("last", [3, 0])
def test_a_target_that_goes_away_finishes_what_it_took_and_gets_the_rest_again(last):
    """Servers close connections so after a number of requests, and when they restart: that fails no request."""
    heard = []

    async def answer(server, asked):
        if server.number == 0 and asked.stream == 5:
            server.writer.write(goaway(last))
        await asyncio.sleep(0.1)
        if server.number > 0 or asked.stream <= last:
            server.say(asked.stream)

    seen = fired(http2(answer, heard=heard), due_ms=[0.0, 1.0, 2.0, 60.0], messages=messages(b"1", b"2", b"3", b"4"))
    assert seen.outcomes == ["ANSWERED"] * 4
    again = [asked.body for asked in heard if asked.connection > 0]
    assert sorted(again) == ([b"3", b"4"] if last else [b"1", b"2", b"3", b"4"])
    assert seen.engine.opened == 2
    # The time of the request begins when it was due, not when it was sent again.
    assert (seen.samples.sent_ns[2] - seen.samples.taken_ns[2]) > 0


@pytest.mark.parametrize("due_ms", [[0.0], [0.0, 300.0]])
def test_a_request_that_was_not_taken_goes_at_once_to_a_connection_that_is_open(due_ms):
    async def answer(server, asked):
        if len(heard) == 1:
            server.writer.write(goaway(0))
        else:
            server.say(asked.stream)

    heard, pool = [], PoolSize(2, 2, PoolLimit.FIXED)
    seen = fired(http2(answer, heard=heard), due_ms=due_ms, pool=pool)
    assert (seen.outcomes, seen.engine.opened, seen.engine.pool_limits) == (["ANSWERED"] * len(due_ms), 2, set())
    first, *others = [asked.connection for asked in heard]
    assert others == [1 - first] * len(due_ms)


def test_a_target_that_never_takes_a_request_is_not_asked_for_ever():
    async def answer(server, asked):
        server.writer.write(goaway(0, ErrorCodes.ENHANCE_YOUR_CALM))

    seen = fired(http2(answer), due_ms=[0.0])
    assert (seen.outcomes, seen.engine.opened) == (["REFUSED"], 2)
    assert seen.engine.complaints == {
        "refused": "the target closed the connection before it took the request (ENHANCE_YOUR_CALM)"
    }


def test_a_connection_that_is_cut_loses_its_requests():
    async def answer(server, asked):
        if asked.stream == 5:
            server.writer.transport.abort()

    seen = fired(http2(answer), due_ms=[0.0, 1.0, 2.0])
    assert seen.outcomes == ["LOST"] * 3


def test_a_late_request_is_reset_and_its_connection_stays():
    async def answer(server, asked):
        if asked.stream > 1:
            server.say(asked.stream)

    seen_by = []
    seen = fired(http2(answer, seen=seen_by), due_ms=[0.0, 300.0, 1_000.0], timeout_s=0.7)
    assert (seen.outcomes, seen.engine.opened, seen_by[0].reset) == (["TIMED_OUT", "ANSWERED", "ANSWERED"], 1, [1])
    assert seen.engine.complaints == {"timed_out": "no complete answer within 0.7 s"}


def test_a_silent_connection_is_replaced():
    async def answer(server, asked):
        if server.number:
            server.say(asked.stream)

    # The first request is sent after all that a server says of itself.
    seen = fired(http2(answer), due_ms=[400.0, 1_300.0], timeout_s=0.5)
    assert (seen.outcomes, seen.engine.opened) == (["TIMED_OUT", "ANSWERED"], 2)


def test_an_answer_that_is_too_large_is_reset():
    async def answer(server, asked):
        await server.say_much(asked.stream, b"x" * (50_000 if asked.stream == 1 else 10))

    seen = fired(http2(answer), due_ms=[0.0, 50.0], answer_bytes=20_000)
    assert (seen.outcomes, seen.engine.opened) == (["TOO_LARGE", "ANSWERED"], 1)


def test_bodies_and_statuses_are_checked():
    async def answer(server, asked):
        if asked.stream == 1:
            server.say(asked.stream, b'{"predictions": [1]}')
        elif asked.stream == 3:
            server.say(asked.stream, b'{"error": 1}')
        else:
            server.say(asked.stream, b"", status="503")

    seen = fired(http2(answer), due_ms=[0.0, 20.0, 40.0], expect=Expectation(json_key="predictions", every=1))
    assert seen.outcomes == ["CHECKED", "WRONG_ANSWER", "WRONG_STATUS"]


def test_an_error_of_grpc_is_no_right_answer():
    async def answer(server, asked):
        status = "0" if asked.stream == 1 else "14"
        server.state.send_headers(asked.stream, [(":status", "200"), ("content-type", "application/grpc")])
        server.state.send_data(asked.stream, b"\0\0\0\0\0")
        server.state.send_headers(asked.stream, [("grpc-status", status)], end_stream=True)
        server.done(asked.stream)

    seen = fired(http2(answer), due_ms=[0.0, 20.0])
    assert seen.outcomes == ["ANSWERED", "WRONG_STATUS"]
    assert seen.engine.complaints == {"wrong_status": "the answer had the gRPC status 14"}


def test_informational_answers_are_no_answers():
    async def answer(server, asked):
        server.state.send_headers(asked.stream, [(":status", "103"), ("link", "</a>")])
        server.say(asked.stream)

    assert fired(http2(answer), due_ms=[0.0]).outcomes == ["ANSWERED"]


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/octet-stream"])
def test_streamed_answers_are_seen(media_type):
    async def answer(server, asked):
        server.state.send_headers(asked.stream, [(":status", "200"), ("content-type", media_type)])
        for _ in range(6):
            server.state.send_data(asked.stream, b"token ")
            server.flush()
            await asyncio.sleep(0.01)
        server.state.end_stream(asked.stream)
        server.done(asked.stream)

    seen = fired(http2(answer), due_ms=[0.0, 1.0])
    assert (seen.outcomes, seen.engine.streamed) == (["ANSWERED"] * 2, 2)


def test_pings_are_answered_and_headers_may_be_long():
    async def answer(server, asked):
        server.state.ping(b"12345678")
        server.say(asked.stream, x_long="y" * 40_000)

    long = messages(b"{}", **{"x-long": "z" * 40_000})
    seen = fired(http2(answer), due_ms=[0.0, 10.0], messages=long, answer_bytes=100_000)
    assert seen.outcomes == ["ANSWERED"] * 2


def test_nothing_is_sent_before_it_is_due():
    seen = fired(http2(well), due_ms=[0.0, 30.0])
    assert (seen.samples.sent_ns >= seen.samples.scheduled_ns).all()
    assert (seen.samples.sent_ns != NEVER).all()
