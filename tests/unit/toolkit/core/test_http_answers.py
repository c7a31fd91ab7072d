"""Answers over HTTP are read up to a number of bytes, and up to one time for the whole answer."""

import http.client
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.standins.hostile_http import CHUNKED, OK, Answer, serving, slowly, whole, without_end
from weighbridge.core.parsing.http_answers import AnswerTooLarge, body_of, bounded, capped_wait_s


class Connections:
    def __init__(self) -> None:
        self.opened: list[http.client.HTTPConnection] = []

    def asked(self, url: str, *, total_s: float, timeout_s: float | None = 5.0) -> http.client.HTTPResponse:
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


@pytest.mark.parametrize("timeout_s", [5.0, None])
def test_an_answer_is_read_and_the_connection_used_again(connections: Connections, timeout_s: float | None) -> None:
    with serving(whole(b""), first={"/": b"[1]"}) as url:
        for _ in range(3):
            answer = connections.asked(url, total_s=5.0, timeout_s=timeout_s)
            assert answer.fp.fileno() >= 0
            assert body_of(answer, bytes_max=3) == b"[1]"
            assert connections.opened[0].sock.gettimeout() == timeout_s
        with pytest.raises(AnswerTooLarge, match="larger than 2 bytes"):
            body_of(connections.asked(url, total_s=5.0), bytes_max=2)


@pytest.mark.parametrize("answer", [slowly(OK + b"Content-Length: 10000\r\n\r\n", b" "), slowly(b"", b"x")])
def test_the_time_counts_for_the_whole_answer(connections: Connections, answer: Answer) -> None:
    began_s = time.monotonic()
    with serving(answer) as url, pytest.raises(TimeoutError):
        body_of(connections.asked(url, total_s=0.5), bytes_max=1_000)
    assert time.monotonic() - began_s < 3


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
        body_of(connections.asked(url, total_s=20.0), bytes_max=1_000)


@pytest.mark.parametrize(
    ("asked_s", "waited_s"), [(-5.0, 0.0), (0.0, 0.0), (7.5, 7.5), (3600.0, 3600.0), (1e300, 3600.0)]
)
def test_a_wait_is_cut(asked_s: float, waited_s: float) -> None:
    assert capped_wait_s(asked_s) == waited_s
