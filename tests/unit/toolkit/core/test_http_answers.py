"""Answers over HTTP are read up to a number of bytes, and up to one time for the whole answer."""

import http.client
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standins.hostile_http import CHUNKED, OK, Answer, serving, slowly, whole, without_end
from weighbridge.core.parsing.http_answers import AnswerTooLarge, body_of, bounded, capped_wait_s, retry_after_s

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Connections:
    def __init__(self) -> None:
        self.opened: list[http.client.HTTPConnection] = []

    def asked(self, url: str, *, total_s: float, timeout_s: float | None = 60.0) -> http.client.HTTPResponse:
        parts = urlsplit(url)
        if not self.opened:
            self.opened.append(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout_s))
        connection = self.opened[0]
        connection.request("GET", "/")
        connection.response_class = bounded(total_s=total_s, bytes_max=1_000)
        return connection.getresponse()


@pytest.fixture
def connections() -> Iterator[Connections]:
    made = Connections()
    yield made
    for connection in made.opened:
        connection.close()


@pytest.mark.parametrize("timeout_s", [60.0, None])
def test_an_answer_is_read_and_the_connection_used_again(connections: Connections, timeout_s: float | None) -> None:
    with serving(whole(b""), first={"/": b"[1]"}) as url:
        for _ in range(3):
            answer = connections.asked(url, total_s=60.0, timeout_s=timeout_s)
            assert answer.fp.fileno() >= 0
            assert body_of(answer, bytes_max=3) == b"[1]"
            assert connections.opened[0].sock.gettimeout() == timeout_s
        with pytest.raises(AnswerTooLarge, match="larger than 2 bytes"):
            body_of(connections.asked(url, total_s=60.0), bytes_max=2)


@pytest.mark.parametrize("answer", [slowly(OK + b"Content-Length: 10000\r\n\r\n", b" "), slowly(b"", b"x")])
def test_the_time_counts_for_the_whole_answer(connections: Connections, answer: Answer) -> None:
    began_s = time.monotonic()
    with serving(answer) as url, pytest.raises(TimeoutError):
        body_of(connections.asked(url, total_s=0.5), bytes_max=1_000)
    assert time.monotonic() - began_s < 15


def test_no_time_is_left_for_another_byte(connections: Connections) -> None:
    with serving(whole(b"[1]")) as url, pytest.raises(TimeoutError, match="took too long"):
        connections.asked(url, total_s=0.0)


@pytest.mark.parametrize(
    "answer",
    [
        without_end(CHUNKED + b"-1\r\n", b" " * (1 << 20)),
        without_end(OK + b"\r\n", b" " * (1 << 20)),
        without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
    ],
)
def test_the_bytes_count_for_the_whole_answer(connections: Connections, answer: Answer) -> None:
    with serving(answer) as url, pytest.raises(AnswerTooLarge):
        body_of(connections.asked(url, total_s=60.0), bytes_max=1_000)


@pytest.mark.parametrize(
    ("asked_s", "waited_s"), [(-5.0, 0.0), (0.0, 0.0), (7.5, 7.5), (3600.0, 3600.0), (1e300, 3600.0)]
)
def test_a_wait_is_cut(asked_s: float, waited_s: float) -> None:
    assert capped_wait_s(asked_s) == waited_s


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "Tue, 24 Nov 2026 12:01:30 GMT"}, 90.0),
        ({"Retry-After": "Tue, 24 Nov 2026 12:01:30 -0000"}, 90.0),
        ({"Retry-After": "Tue, 24 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"X-RateLimit-Reset": "2026-11-24T12:00:45Z"}, 45.0),
        ({"X-RateLimit-Reset": "2026-11-24T12:00:45"}, 45.0),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "2026-11-24T12:00:45Z"}, 45.0),
        ({"Retry-After": "7", "X-RateLimit-Reset": "2026-11-24T12:00:45Z"}, 7.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "²"}, None),
        ({"X-RateLimit-Reset": "1764000000"}, None),
        ({"Retry-After": "9" * 400}, 3600.0),
        ({}, None),
    ],
)
def test_every_form_of_wait(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers, now=NOW) == wait_s


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_header_breaks_the_reading(retry_after: str, reset: str) -> None:
    wait_s = retry_after_s({"Retry-After": retry_after, "X-RateLimit-Reset": reset}, now=NOW)
    assert wait_s is None or wait_s >= 0


@given(st.integers(0, 10_000_000))
def test_a_date_says_the_same_as_seconds(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_s({"Retry-After": date}, now=NOW) == retry_after_s({"Retry-After": str(seconds)}, now=NOW)
