"""Targets that do not speak HTTP/2, or speak it wrongly."""

import asyncio
import ssl
import struct
import time

import pytest
from hpack import Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.toolkit.load import servers
from tests.unit.toolkit.load.http2_servers import http2, messages
from tests.unit.toolkit.load.servers import answering, certified, job, pinned, serving
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.engine import LoadEngine, TargetUnreachable
from weighbridge.load.generator.http2.frames import FrameError, FrameReader, Kind, frame_bytes, headers_bytes
from weighbridge.load.generator.pool_size import PoolLimit, PoolSize
from weighbridge.load.plan import Protocol

ONE = PoolSize(1, 3, PoolLimit.CAP)
SETTINGS = frame_bytes(Kind.SETTINGS)
WHOLE, END, PADDED, PRIORITY = 0x4, 0x1, 0x8, 0x20
OLD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


def opened(serve, *, protocol=Protocol.HTTP_2_CLEAR, tls=None, ca_file="", timeout_s=20.0):
    """Open a pool to a target and send it one request."""

    async def run():
        async with serving(serve, tls=tls) as port:
            order = job(
                port,
                due_ms=[0.0],
                target=pinned(port, scheme="https" if tls else "http"),
                messages=messages(),
                pool=ONE,
                protocol=protocol,
                ca_file=ca_file,
                timeout_s=timeout_s,
            )
            engine = LoadEngine(order, loop=asyncio.get_running_loop(), clock=time.monotonic_ns)
            try:
                await engine.open()
                return (await engine.fire(time.monotonic_ns())).answered.tolist()
            finally:
                engine.close()
                await asyncio.sleep(0)

    return asyncio.run(run())


async def closing(reader, writer):
    await reader.read(1)


async def silent(reader, writer):
    await asyncio.sleep(60)


async def old(reader, writer):
    await reader.read(1)
    writer.write(OLD)
    await asyncio.sleep(60)


async def acknowledging(reader, writer):
    writer.write(frame_bytes(Kind.PING, payload=b"12345678"))
    await asyncio.sleep(60)


async def full(reader, writer):
    writer.write(frame_bytes(Kind.SETTINGS, payload=struct.pack(">HL", 3, 0)))
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (closing, "the target did not answer in HTTP/2"),
        (old, "the target did not answer in HTTP/2"),
        (acknowledging, "the target did not answer in HTTP/2"),
        (silent, "the target did not answer the beginning of HTTP/2"),
        (full, "the target allows no stream on a new connection"),
    ],
)
def test_a_target_without_http2_is_refused_with_what_to_do(serve, why):
    with pytest.raises(TargetUnreachable) as refused:
        opened(serve, timeout_s=0.3 if serve is silent else 20.0)
    assert f"({why}); " in refused.value.reason
    assert refused.value.reason.endswith("omit --http2 or --http2-prior-knowledge.")


@pytest.mark.parametrize("offered", [["http/1.1"], ["h2"], None])
def test_http2_is_negotiated_in_tls(tmp_path, offered):
    context = certified(tmp_path)
    if offered:
        context.set_alpn_protocols(offered)
    settings_of = {"protocol": Protocol.HTTP_2, "tls": context, "ca_file": str(tmp_path / "cert.pem")}
    if offered == ["h2"]:
        assert opened(http2(), **settings_of) == [True]
        return
    with pytest.raises(TargetUnreachable, match=r"did not choose HTTP/2 in TLS\); .* omit --http2"):
        opened(answering(OLD), **settings_of)


def test_a_target_that_refuses_the_protocol_in_tls_is_refused_with_what_to_do(monkeypatch):
    async def refuse(*_, **__):
        error = ssl.SSLError(1, "[SSL: TLSV1_ALERT_NO_APPLICATION_PROTOCOL] tlsv1 alert no application protocol")
        error.reason = "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"
        raise error

    async def run():
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "create_connection", refuse)
        await LoadEngine(job(1, due_ms=[0.0], pool=ONE), loop=loop, clock=time.monotonic_ns).open()

    with pytest.raises(TargetUnreachable, match=r"omit --http2 or --http2-prior-knowledge\.$"):
        asyncio.run(run())


def sending(*frames, ends=False):
    """Send these frames after the first request, in one piece."""

    async def serve(reader, writer):
        writer.write(SETTINGS)
        await reader.readuntil(b"{}")
        writer.write(b"".join(frames))
        while not ends and await reader.read(1000):
            pass

    return serve


def fired(serve, **changes):
    usual = {"protocol": Protocol.HTTP_2_CLEAR, "messages": messages(), "pool": ONE, "due_ms": [0.0], "timeout_s": 20}
    return servers.fired(serve, **(usual | changes))


def block(*fields):
    return Encoder().encode(fields)


OK = block((":status", "200"))
HEAD = headers_bytes(OK, stream=1, ends_stream=False)


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([struct.pack(">BHBBL", 1, 0, 0, 0, 1)], "a frame has 65,536 bytes, but at most 16,384 were allowed"),
        ([frame_bytes(Kind.CONTINUATION, stream=1)], "a frame continues nothing"),
        ([frame_bytes(Kind.HEADERS, stream=1), SETTINGS], "another frame interrupts headers"),
        (
            [
                frame_bytes(Kind.HEADERS, stream=1, payload=b"x" * 16_000),
                *[frame_bytes(Kind.CONTINUATION, stream=1, payload=b"x" * 16_000)] * 4,
            ],
            "headers have more than 65,536 bytes",
        ),
        ([frame_bytes(Kind.PUSH_PROMISE, stream=1, payload=b"\0" * 8)], "the target pushes an answer"),
        ([frame_bytes(Kind.SETTINGS, payload=b"\0" * 5)], "a SETTINGS frame has a wrong length"),
        ([frame_bytes(Kind.GOAWAY, payload=b"\0" * 5)], "a GOAWAY frame is too short"),
        ([frame_bytes(Kind.RST_STREAM, stream=1, payload=b"\0")], "a RST_STREAM frame is too short"),
        ([frame_bytes(Kind.WINDOW_UPDATE, payload=b"\0")], "a WINDOW_UPDATE frame is too short"),
        ([frame_bytes(Kind.DATA, flags=PADDED, stream=1)], "a padded frame is empty"),
        ([frame_bytes(Kind.DATA, flags=PADDED, stream=1, payload=b"\x05a")], "the padding of a frame is longer"),
        ([frame_bytes(Kind.HEADERS, flags=PRIORITY | WHOLE, stream=1, payload=b"a")], "too short for its priority"),
        ([frame_bytes(Kind.HEADERS, flags=WHOLE, stream=1, payload=b"\xff\xff\xff\xff")], "not valid HTTP/2"),
    ],
)
def test_broken_frames_fail_the_requests_of_their_connection(frames, why):
    seen = fired(sending(*frames))
    assert seen.outcomes == ["GARBAGE"]
    assert why in seen.engine.complaints["garbage"]


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([frame_bytes(Kind.DATA, stream=1, payload=b"x")], "the answer has a body before its headers"),
        ([headers_bytes(block((":status", "two")), stream=1, ends_stream=True)], "the answer has no valid headers"),
        ([headers_bytes(block(("a", "b")), stream=1, ends_stream=True)], "the answer has no valid headers"),
        ([headers_bytes(block((":status", "103")), stream=1, ends_stream=True)], "the answer ended before its headers"),
        (
            [headers_bytes(block((":status", "200"), ("content-length", "x")), stream=1, ends_stream=True)],
            "the answer has no valid headers",
        ),
        (
            [headers_bytes(block((":status", "200"), ("content-length", "5")), stream=1, ends_stream=True)],
            "the body has 0 bytes, but its headers announced 5",
        ),
    ],
)
def test_a_broken_answer_fails_alone(frames, why):
    seen = fired(sending(*frames))
    assert (seen.outcomes, seen.engine.complaints) == (["GARBAGE"], {"garbage": why})


@pytest.mark.parametrize(
    "frames",
    [
        [HEAD, frame_bytes(Kind.DATA, flags=PADDED | END, stream=1, payload=b"\x02ok\0\0")],
        [
            frame_bytes(
                Kind.HEADERS, flags=PADDED | PRIORITY | WHOLE | END, stream=1, payload=b"\1\0\0\0\0\x10" + OK + b"\0"
            )
        ],
        [
            frame_bytes(Kind.HEADERS, flags=PADDED | END, stream=1, payload=b"\x01" + OK[:1] + b"\0"),
            frame_bytes(Kind.CONTINUATION, flags=WHOLE, stream=1, payload=OK[1:]),
        ],
        [headers_bytes(block((":status", "304"), ("content-length", "9")), stream=1, ends_stream=True)],
        [headers_bytes(OK, stream=99, ends_stream=True), headers_bytes(OK, stream=1, ends_stream=True)],
        [frame_bytes(Kind.DATA, stream=99, payload=b"x"), headers_bytes(OK, stream=1, ends_stream=True)],
        [frame_bytes(Kind.RST_STREAM, stream=99, payload=b"\0" * 4), headers_bytes(OK, stream=1, ends_stream=True)],
        [
            frame_bytes(Kind.WINDOW_UPDATE, stream=99, payload=b"\0\0\0\1"),
            headers_bytes(OK, stream=1, ends_stream=True),
        ],
        [frame_bytes(Kind.PING, flags=END, payload=b"\0" * 8), headers_bytes(OK, stream=1, ends_stream=True)],
        [frame_bytes(Kind.PRIORITY, stream=1, payload=b"\0" * 5), headers_bytes(OK, stream=1, ends_stream=True)],
    ],
)
def test_unusual_frames_are_read(frames):
    assert fired(sending(*frames), expect=Expectation(statuses=(200, 304))).outcomes == ["ANSWERED"]


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_a_reader_takes_any_bytes(data):
    """Cut anywhere, the frames are the same; whatever they are, nothing but FrameError is raised."""

    def read(parts):
        reader, found = FrameReader(), []
        try:
            for part in parts:
                found.extend((frame, frame.content) for frame in reader.frames(part))
        except FrameError as error:
            found.append(str(error))
        return found

    assert read([data]) == read([data[at : at + 1] for at in range(len(data))])


@given(
    st.lists(
        st.tuples(st.sampled_from(list(range(12))), st.integers(0, 255), st.integers(0, 3), st.binary(max_size=30))
    )
)
@settings(max_examples=30, deadline=None)
def test_any_frames_are_survived(frames):
    sent = [frame_bytes(kind, flags=flags, stream=stream, payload=payload) for kind, flags, stream, payload in frames]
    seen = fired(sending(*sent, ends=True), pool=PoolSize(1, 1, PoolLimit.FIXED), timeout_s=0.3)
    assert seen.outcomes[0] != "UNSETTLED"
