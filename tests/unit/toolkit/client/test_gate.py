"""The gate's three answers, online and offline; a server that lies, is broken or slow gets `cannot tell`."""

import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests.unit.toolkit.client.feed.feeds import (
    ALLOWED,
    ENTRIES,
    HOUR,
    NOW,
    OTHER_KEY,
    OTHER_PUBLIC,
    PUBLIC,
    REVOKED,
    entry,
    head_of,
    summary_of,
    written,
)
from weighbridge.client.feed.verdicts import GateReply, GateVerdict
from weighbridge.client.gate import ask_feed, ask_server, check_digest, within
from weighbridge.client.server import ANSWER, PlatformServer
from weighbridge.core.errors import Invalid

GATE = "GET", "/base/api/v1/gate/"
UNKNOWN = GateVerdict.UNKNOWN
GOOD = {"answer": "allow", "reasons": ["A-1."], "summary": summary_of(ENTRIES[2])}


@pytest.mark.parametrize(
    "digest", ["", "ab" * 32, "sha256:" + "AB" * 32, ALLOWED + "0", ALLOWED[:-1] + "g", ALLOWED + "\n"]
)
def test_what_is_no_digest_is_refused(digest):
    with pytest.raises(Invalid):
        check_digest(digest)


def test_a_digest_is_let_through():
    assert check_digest(ALLOWED) == ALLOWED


def asked(server, *, digest=ALLOWED, environment="prod", keys=(OTHER_PUBLIC, PUBLIC), now=NOW, **terms):
    return ask_server(server, digest=digest, environment=environment, keys=keys, now=lambda: now, **terms)


@pytest.mark.parametrize(
    ("said", "answer", "reasons"),
    [
        (GOOD, GateVerdict.ALLOWED, ("A-1.",)),
        (GOOD | {"reasons": []}, GateVerdict.ALLOWED, ("This artifact is authorized in prod.",)),
        (GOOD | {"reasons": "no list"}, GateVerdict.ALLOWED, ("This artifact is authorized in prod.",)),
        (GOOD | {"reasons": ["\x1b[2Jgone\x07"]}, GateVerdict.ALLOWED, ("[2Jgone",)),
        (
            {"answer": "deny", "reasons": ["Expired."], "summary": summary_of(ENTRIES[0])},
            GateVerdict.REFUSED,
            ("Expired.",),
        ),
        ({"answer": "deny", "reasons": [], "summary": summary_of(None)}, GateVerdict.REFUSED, None),
    ],
)
def test_what_the_server_signed_decides(desk, said, answer, reasons):
    desk.answers[GATE] = (200, said)
    reply = asked(desk.server)
    assert reply.answer is answer
    assert reasons is None or reply.reasons == reasons
    assert reply.expires_at == ("2026-11-02T00:00:00Z" if reply.is_allowed else None)
    assert desk.asked[0][1].endswith("?subject=sha256%3A" + "a" * 64 + "&env=prod")


LIES = {
    "unsigned": {"answer": "allow", "reasons": [], "expires_at": "2099-01-01T00:00:00Z"},
    "signed by a stranger": GOOD | {"summary": summary_of(ENTRIES[2], key=OTHER_KEY)},
    "another digest": GOOD | {"summary": summary_of(ENTRIES[2], digest=REVOKED)},
    "another environment": GOOD | {"summary": summary_of(ENTRIES[2], environment="staging")},
    "a denial sold as leave": GOOD | {"summary": summary_of(ENTRIES[0])},
    "leave sold as a denial": GOOD | {"answer": "deny"},
    "another word": GOOD | {"answer": "yes"},
    "expired in 2001": {
        "answer": "deny",
        "summary": summary_of(ENTRIES[2], head=head_of(issued_at=NOW.replace(year=2001))),
    },
    "a day old": GOOD | {"summary": summary_of(ENTRIES[2], head=head_of(issued_at=NOW - timedelta(days=1)))},
    "from tomorrow": GOOD | {"summary": summary_of(ENTRIES[2], head=head_of(issued_at=NOW + timedelta(days=1)))},
    "a list": [GOOD],
    "no JSON": b"<html>allow</html>",
    "two answers": b'{"answer": "deny", "answer": "allow"}',
    "deep": b'{"a":' * 60_000,
    "nothing": b"",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_never_leave(desk, lie):
    desk.answers[GATE] = (200, LIES[lie])
    reply = asked(desk.server, keys=(PUBLIC,))
    assert (reply.answer, len(reply.reasons), reply.expires_at) == (UNKNOWN, 1, None)


def test_a_gate_may_demand_a_fresher_answer(desk):
    desk.answers[GATE] = (200, GOOD)
    assert asked(desk.server, now=NOW + timedelta(seconds=30), max_age=timedelta(seconds=30)).is_allowed
    assert asked(desk.server, now=NOW + timedelta(seconds=31), max_age=timedelta(seconds=30)).answer is UNKNOWN


def test_leave_that_ends_between_signature_and_use_is_refused(desk):
    ends = entry(3, ALLOWED, "cleared", until=NOW + timedelta(seconds=5))
    desk.answers[GATE] = (200, GOOD | {"summary": summary_of(ends)})
    assert asked(desk.server, now=NOW + timedelta(seconds=4)).is_allowed
    assert asked(desk.server, now=NOW + timedelta(seconds=5)).answer is UNKNOWN  # the two statements disagree by then


@pytest.mark.parametrize("status", [301, 302, 307, 308, 403, 500])
def test_a_server_that_refuses_or_sends_elsewhere_cannot_tell(desk, status):
    desk.answers[GATE] = (status, GOOD)
    assert asked(desk.server).answer is UNKNOWN


def test_a_server_that_is_not_there_cannot_tell():
    gone = asked(PlatformServer("http://127.0.0.1:9", "t"))
    assert (gone.answer, "does not answer" in gone.reasons[0]) == (UNKNOWN, True)


@pytest.mark.parametrize("url", ["http://weighbridge.example.com", "http://192.0.2.1:8000", "ftp://127.0.0.1"])
def test_nothing_is_sent_in_the_clear_to_another_machine(url, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("connected"))
    assert asked(PlatformServer(url, "t")).answer is UNKNOWN


@contextmanager
def raw(chunks, *, pause_s=0.0):
    """A server that sends these bytes, with a pause before each, until the block ends."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                try:
                    for chunk in chunks:
                        if ended.wait(pause_s):
                            return
                        connection.sendall(chunk)
                except OSError:
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield PlatformServer(f"http://127.0.0.1:{listener.getsockname()[1]}", "t")
        ended.set()
        thread.join(10)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b'{"answer": "allow"}'),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b'13\r\n{"answer": "allow"}'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", b" " * (ANSWER.bytes_max + 10)),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * (ANSWER.bytes_max + 10)),
        (b"not HTTP\r\n\r\n", b""),
    ],
    ids=["cut off", "cut off in a chunk", "too large", "endless", "no HTTP"],
)
def test_an_answer_that_is_cut_off_or_too_large_cannot_tell(head, body):
    with raw([head, body]) as server:
        assert asked(server).answer is UNKNOWN


def test_an_answer_that_drips_is_too_late():
    drips = [b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 90]
    with raw(drips, pause_s=0.05) as server:
        begun_s = time.monotonic()
        reply = within(0.2, lambda: asked(PlatformServer(server.url, "t", timeout_s=60.0)))
        assert (reply.answer, reply.reasons) == (UNKNOWN, ("No answer came within 0.2 s.",))
        assert time.monotonic() - begun_s < 3


def test_an_answer_in_time_is_passed_on():
    reply = GateReply(GateVerdict.ALLOWED, ("A.",))
    assert within(60.0, lambda: reply) is reply


def offline(folder, *, key="key.pem", digest=ALLOWED, environment="prod", now=NOW, **terms):
    return ask_feed(
        folder / "feed.json", public_key=folder / key, digest=digest, environment=environment, now=now, **terms
    )


def test_a_feed_file_decides_without_a_server(tmp_path):
    assert offline(tmp_path).answer is UNKNOWN
    written(tmp_path)
    (tmp_path / "other.pem").write_text(OTHER_PUBLIC)
    assert offline(tmp_path).answer is GateVerdict.ALLOWED
    assert offline(tmp_path, digest=REVOKED).answer is GateVerdict.REFUSED
    assert offline(tmp_path, environment="staging").answer is GateVerdict.REFUSED
    assert offline(tmp_path, now=NOW + HOUR).answer is UNKNOWN
    assert offline(tmp_path, now=NOW + HOUR / 2, max_age=HOUR / 3).answer is UNKNOWN
    assert offline(tmp_path, key="other.pem").answer is UNKNOWN
    assert offline(tmp_path, key="none.pem").answer is UNKNOWN
