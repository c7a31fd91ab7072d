"""The engine against servers that answer, dawdle, vanish, lie and never end."""

import asyncio
import contextlib
import hashlib
import socket
import time

import numpy as np
import pytest

from tests.unit.toolkit.load.servers import OK, answering, certified, fired, job, pinned, request_from, serving
from weighbridge.core.errors import Invalid, Refused
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator import engine
from weighbridge.load.generator import loop_timer as alarm
from weighbridge.load.generator.engine import LoadEngine, TargetUnreachable
from weighbridge.load.generator.tls import tls_context
from weighbridge.load.results.samples import NEVER

TEN = [float(at) for at in range(10)]


def test_every_request_is_sent_when_it_is_due_and_answered():
    heard = []
    seen = fired(answering(OK, heard=heard), due_ms=[0, 5, 5, 40])
    samples = seen.samples
    assert seen.outcomes == ["ANSWERED"] * 4
    assert len(heard) == 4
    assert samples.scheduled_ns.tolist() == [0, 5_000_000, 5_000_000, 40_000_000]
    assert (samples.taken_ns >= samples.scheduled_ns).all()
    assert (samples.sent_ns >= samples.taken_ns).all()
    assert (samples.done_ns > samples.sent_ns).all()
    assert samples.done_ns[3] < 10_000_000_000
    assert seen.engine.opened == 2


def test_nothing_due_is_nothing_sent():
    assert fired(answering(OK), due_ms=[]).outcomes == []


def test_bodies_go_in_turn_by_their_place_in_the_whole_plan():
    heard = []
    messages = [f"GET /{number} HTTP/1.1\r\n\r\n".encode() for number in range(3)]
    fired(answering(OK, heard=heard), due_ms=TEN[:4], messages=messages, first=1, step=2, connections=1)
    assert [message.split()[1] for message in heard] == [b"/1", b"/0", b"/2", b"/1"]


def test_waiting_for_a_connection_is_part_of_the_response_and_not_of_the_service():
    seen = fired(answering(OK, wait_s=0.05), due_ms=[0, 0, 0, 0], connections=1)
    samples = seen.samples
    assert seen.outcomes == ["ANSWERED"] * 4
    service_ms = (samples.done_ns - samples.sent_ns) / 1e6
    response_ms = (samples.done_ns - samples.scheduled_ns) / 1e6
    assert (service_ms >= 45).all()
    assert response_ms.max() >= 4 * 45
    assert samples.taken_ns.max() < samples.done_ns.min(), "taken up at once, whatever the server does"


def test_a_server_that_never_answers_is_timed_out_and_the_backlog_too():
    async def hang(reader, writer):
        await asyncio.sleep(60)

    begun_s = time.monotonic()
    seen = fired(hang, due_ms=[0, 0, 0, 0, 0], connections=2, timeout_s=0.2)
    assert time.monotonic() - begun_s < 30
    assert sorted(set(seen.outcomes)) == ["NO_CONNECTION", "TIMED_OUT"]
    assert seen.engine.complaints["timed_out"] == "no complete answer within 0.2 s"
    waited = seen.samples.sent_ns == NEVER
    assert [outcome == "NO_CONNECTION" for outcome in seen.outcomes] == waited.tolist()
    assert seen.engine.failed == 5


def test_an_answer_that_trickles_for_ever_is_timed_out():
    async def trickle(reader, writer):
        await request_from(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert fired(trickle, due_ms=[0], timeout_s=0.3).outcomes == ["TIMED_OUT"]


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
)
def test_an_answer_without_end_is_cut_off(head):
    async def flood(reader, writer):
        await request_from(reader)
        writer.write(head or b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n" if b"chunked" in head else b"x" * 10_000)
            await writer.drain()

    seen = fired(flood, due_ms=[0])
    # llhttp may tire of an endless header before the cap does.
    assert seen.outcomes[0] in {"TOO_LARGE", "GARBAGE"} if not head else seen.outcomes == ["TOO_LARGE"]
    assert head == b"" or seen.engine.complaints == {"too_large": "the answer was longer than 10,000 bytes"}


@pytest.mark.parametrize(
    "rubbish",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x00" * 50,
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx",
    ],
)
def test_garbage_is_an_error_and_ends_the_connection(rubbish):
    seen = fired(answering(rubbish, OK), due_ms=[0, 100, 200], connections=1)
    assert seen.outcomes == ["GARBAGE", "ANSWERED", "ANSWERED"]
    assert seen.engine.complaints["garbage"].startswith("the answer is not valid HTTP (")
    assert seen.engine.opened == 2


def test_a_long_answer_is_read_to_its_end():
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
    expect = Expectation(body_sha256=hashlib.sha256(b"x" * 300_000).hexdigest(), every=1)
    assert fired(answering(long), due_ms=[0, 1], answer_bytes=400_000, expect=expect).outcomes == ["CHECKED"] * 2


def test_two_answers_to_one_request_are_not_taken_for_those_of_two():
    seen = fired(answering(OK + OK, OK), due_ms=[0, 0, 100], connections=1)
    assert seen.outcomes == ["GARBAGE", "ANSWERED", "ANSWERED"]
    assert seen.engine.complaints == {"garbage": "the target sent more than one answer to one request"}


@contextlib.contextmanager
def spoken_to_first(loop, monkeypatch, *, times):
    """Let the first connections hear an answer before they are handed over, as may happen on a quick network."""
    create, left = loop.create_connection, [1] * times

    async def hasty(*arguments, **options):
        transport, connection = await create(*arguments, **options)
        if left:
            left.pop()
            connection.data_received(OK)
        return transport, connection

    monkeypatch.setattr(loop, "create_connection", hasty)
    yield


def test_a_target_that_speaks_first_is_unreachable(monkeypatch):
    async def run():
        loop = asyncio.get_running_loop()
        async with serving(answering(OK)) as port:
            with spoken_to_first(loop, monkeypatch, times=3):
                await LoadEngine(job(port, due_ms=TEN, connections=3), loop=loop, clock=time.monotonic_ns).open()

    with pytest.raises(TargetUnreachable, match="before a request"):
        asyncio.run(run())


def test_a_target_that_always_speaks_first_comes_to_an_end():
    async def eager(reader, writer):
        writer.write(OK)
        await answering(OK)(reader, writer)

    with contextlib.suppress(TargetUnreachable):
        assert "UNSETTLED" not in fired(eager, due_ms=TEN, connections=3).outcomes


def test_a_connection_lost_while_others_open_is_not_used(monkeypatch):
    async def run():
        loop = asyncio.get_running_loop()
        async with serving(answering(OK)) as port:
            running = LoadEngine(job(port, due_ms=[0, 0], connections=2), loop=loop, clock=time.monotonic_ns)
            connect, made = running._connect, []

            async def first_is_lost():
                made.append(await connect())
                if len(made) == 2:
                    made[0].drop()
                return made[-1]

            monkeypatch.setattr(running, "_connect", first_is_lost)
            await running.open()
            samples = await running.fire(time.monotonic_ns())
            await asyncio.sleep(0)
            return samples.answered.sum(), running.opened

    assert asyncio.run(run()) == (2, 3)


def test_an_answer_nobody_asked_for_ends_the_connection():
    async def late(reader, writer):
        served.append(1)
        if len(served) == 1:
            await asyncio.sleep(0.05)
            writer.write(OK)
        await answering(OK)(reader, writer)

    served = []
    seen = fired(late, due_ms=[1_000], connections=1)
    assert (seen.outcomes, seen.engine.opened) == (["ANSWERED"], 2)


def test_announcements_before_the_answer_are_no_answer():
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    assert fired(answering(early + OK), due_ms=[0, 5]).outcomes == ["ANSWERED"] * 2


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", "ANSWERED"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort", "LOST"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "LOST"),
        (b"HTTP/1.1 200 OK\r\nContent-", "LOST"),
    ],
)
def test_an_answer_ends_with_its_connection_only_where_it_gives_no_length(answer, outcome):
    assert fired(answering(answer, ends=True), due_ms=[0], connections=1).outcomes == [outcome]


def test_a_server_that_closes_after_each_answer_is_asked_on_new_connections():
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    seen = fired(answering(closing, ends=True), due_ms=[0, 0, 0, 60], connections=2)
    assert seen.outcomes == ["ANSWERED"] * 4
    assert seen.engine.opened >= 4


def test_a_server_that_closes_idle_connections_is_asked_on_new_ones():
    async def once(reader, writer):
        await asyncio.sleep(0.02)

    async def serve(reader, writer):
        served.append(1)
        await (once if len(served) == 1 else answering(OK))(reader, writer)

    served = []
    assert fired(serve, due_ms=[900], connections=1).outcomes == ["ANSWERED"]
    assert len(served) == 2


def test_dropped_connections_are_counted():
    async def drop(reader, writer):
        await request_from(reader)
        writer.transport.abort()

    seen = fired(drop, due_ms=TEN)
    assert seen.outcomes == ["LOST"] * 10
    assert seen.engine.complaints == {"lost": "the connection was closed before the answer was complete"}


def test_wrong_statuses_and_redirects_are_failures():
    answers = [
        b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        OK,
    ]
    heard = []
    seen = fired(answering(*answers, heard=heard), due_ms=[0, 20, 40], connections=1)
    assert seen.outcomes == ["WRONG_STATUS", "WRONG_STATUS", "ANSWERED"]
    assert seen.engine.complaints == {"wrong_status": "the answer had status 503"}
    assert len(heard) == 3


def test_one_body_of_each_k_is_checked():
    wrong = OK.replace(b'{"ok":true}', b'{"no":true}')
    expect = Expectation(json_key="ok", every=3)
    seen = fired(answering(wrong), due_ms=TEN, expect=expect)
    chosen = expect.checked(10, seed=1).tolist()
    assert seen.outcomes == ["WRONG_ANSWER" if is_checked else "ANSWERED" for is_checked in chosen]
    assert seen.engine.complaints == {"wrong_answer": "the body has no key 'ok'; it starts with '{\"no\":true}'"}
    right = fired(answering(OK), due_ms=TEN, expect=expect)
    assert right.outcomes == ["CHECKED" if is_checked else "ANSWERED" for is_checked in chosen]
    assert right.engine.failed == 0


def test_a_target_nobody_listens_at_is_refused_before_the_start():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def run():
        loop = asyncio.get_running_loop()
        opened = LoadEngine(job(port, due_ms=[0]), loop=loop, clock=time.monotonic_ns)
        try:
            await opened.open()
        finally:
            opened.close()

    with pytest.raises(
        TargetUnreachable, match=rf"No connection to http://localhost:{port} \(.*\); is the server running"
    ):
        asyncio.run(run())


def test_a_server_that_goes_away_refuses_what_comes_after():
    async def run():
        loop = asyncio.get_running_loop()

        async def one(reader, writer):
            await request_from(reader)
            server.close()
            writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            writer.close()

        server = await asyncio.start_server(one, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        running = LoadEngine(job(port, due_ms=[0, 100, 101, 102], connections=1), loop=loop, clock=time.monotonic_ns)
        await running.open()
        samples = await running.fire(time.monotonic_ns())
        await asyncio.sleep(0.05)
        return samples.failures, running.complaints

    failures, complaints = asyncio.run(run())
    assert failures == {"refused": 3}
    assert complaints["refused"]


def test_opening_stops_at_the_first_batch_that_fails(monkeypatch):
    async def run():
        loop = asyncio.get_running_loop()
        async with serving(answering(OK)) as port:
            running = LoadEngine(job(port, due_ms=TEN, connections=5), loop=loop, clock=time.monotonic_ns)
            monkeypatch.setattr(engine, "CONNECT_BATCH", 2)
            connect = running._connect

            async def third_fails():
                if running.opened >= 2:
                    raise OSError("no more")
                return await connect()

            monkeypatch.setattr(running, "_connect", third_fails)
            await running.open()
            monkeypatch.setattr(running, "_connect", connect)
            samples = await running.fire(time.monotonic_ns())
            await asyncio.sleep(0)
            return samples

    assert asyncio.run(run()).answered.all()


def test_a_connection_that_takes_longer_than_the_time_out(monkeypatch):
    async def run():
        loop = asyncio.get_running_loop()
        closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
        async with serving(answering(closing, ends=True)) as port:
            running = LoadEngine(
                job(port, due_ms=[0, 50], connections=1, timeout_s=1.0), loop=loop, clock=time.monotonic_ns
            )
            await running.open()

            async def never(*_, **__):
                await asyncio.sleep(60)

            monkeypatch.setattr(loop, "create_connection", never)
            samples = await running.fire(time.monotonic_ns())
            await asyncio.sleep(0)
            return samples.failures, running.complaints

    failures, complaints = asyncio.run(run())
    assert failures == {"timed_out": 1}
    assert complaints["timed_out"] in {"timed out", "no connection was opened within the timeout"}


def test_a_stop_ends_at_once_and_leaves_the_rest_unsettled():
    stopped_s = []

    async def stop(running):
        while not running.settled:  # noqa: ASYNC110 -- the engine has no event for it
            await asyncio.sleep(0.01)
        stopped_s.append(time.monotonic())
        running.stop()
        running.stop()

    seen = fired(answering(OK, wait_s=0.3), due_ms=[0, 1, 2, 3, 60_000], connections=1, timeout_s=60, meanwhile=stop)
    assert time.monotonic() - stopped_s[0] < 30
    assert seen.outcomes == ["ANSWERED", "UNSETTLED", "UNSETTLED", "UNSETTLED", "UNSETTLED"]
    assert seen.samples.taken_ns[4] == NEVER


def test_after_a_stop_nothing_more_is_sent():
    """Whatever still happens between the stop and the end of the loop's turn."""

    async def run():
        loop = asyncio.get_running_loop()
        heard = []
        async with serving(answering(OK, heard=heard, wait_s=0.02)) as port:
            running = LoadEngine(job(port, due_ms=[0, 0, 0], connections=1), loop=loop, clock=time.monotonic_ns)
            await running.open()
            firing = loop.create_task(running.fire(time.monotonic_ns()))
            await asyncio.sleep(0.005)
            (connection,) = running._all
            running._finished.set_result(None)
            running._take_due()
            connection.data_received(OK)
            running._serve_backlog()
            await firing
            await asyncio.sleep(0.05)
            return heard, running.settled

    heard, settled = asyncio.run(run())
    assert (len(heard), settled) == (1, 0)


def test_tls_with_a_certificate_that_is_trusted_or_not(tmp_path, monkeypatch):
    context = certified(tmp_path)

    async def run(ca_file=""):
        loop = asyncio.get_running_loop()

        async with serving(answering(OK), tls=context) as port:
            target = pinned(port, scheme="https")
            running = LoadEngine(
                job(port, due_ms=[0, 1, 2], target=target, ca_file=ca_file),
                loop=loop,
                clock=time.monotonic_ns,
            )
            await running.open()
            return (await running.fire(time.monotonic_ns())).answered.sum()

    with pytest.raises(TargetUnreachable, match=r"certificate.*; give the certificates to trust with --cacert\."):
        asyncio.run(run())
    trusted = str(tmp_path / "cert.pem")
    assert asyncio.run(run(ca_file=trusted)) == 3
    monkeypatch.setenv("SSL_CERT_FILE", trusted)
    assert asyncio.run(run()) == 3


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file or directory"), (b"x", "it has no PEM certificates")]
)
def test_certificates_that_cannot_be_read_are_a_sentence(tmp_path, content, why):
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(Invalid, match=rf"The certificates of .*ca\.pem cannot be read: {why}\.") as refused:
        tls_context(str(tmp_path / "ca.pem"))
    assert refused.value.field == "cacert"


def test_the_alarm_rings_on_time():
    async def run():
        loop, rung = asyncio.get_running_loop(), []
        bell = alarm.LoopTimer(loop, lambda: rung.append(time.monotonic_ns()))
        asked = []
        for wait_ns in (300_000, 5_300_000, -1_000):
            asked.append(time.monotonic_ns() + wait_ns)
            bell.set(asked[-1])
            await asyncio.sleep(0.1)
        bell.set(time.monotonic_ns() + 10**9)
        bell.close()
        await asyncio.sleep(0.01)
        assert len(rung) == 3, "each once, and not after it was closed"
        return np.array(rung) - np.array(asked)

    late_ns = asyncio.run(run())
    assert (late_ns >= 0).all()


def test_without_timers_there_is_no_generator(monkeypatch):
    monkeypatch.setattr(alarm.ctypes, "CDLL", lambda *_, **__: object())
    with pytest.raises(Refused, match="run it on Linux"):
        alarm.LoopTimer(None, print)
