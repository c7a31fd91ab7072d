"""Pages that hang leave threads free for `/livez`, and the others are told at once."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from config.web import bulkhead, gunicorn
from config.web.bulkhead import Bulkhead

Headers = list[tuple[str, str]]


class Pages:
    """A WSGI application whose pages end when they are told to."""

    def __init__(self) -> None:
        self.may_end, self.begun = threading.Event(), threading.Semaphore(0)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/breaks":
            raise ZeroDivisionError
        if environ["PATH_INFO"] == "/waits":
            self.begun.release()
            assert self.may_end.wait(30)
        start_response("200 OK", [])
        return [b"page"]


def ask(application: Bulkhead, path: str) -> tuple[str, dict[str, str], bytes]:
    told: list[tuple[str, Headers]] = []
    body = application({"PATH_INFO": path}, lambda status, headers: told.append((status, headers)))
    (status, headers) = told[0]
    return status, dict(headers), b"".join(body)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Pages:
    monkeypatch.setattr(bulkhead, "PATIENCE_S", 0.2)
    return Pages()


@pytest.fixture
def hanging(pages: Pages) -> Iterable[Bulkhead]:
    """Both slots are taken."""
    application = Bulkhead(pages, slots=2)
    threads = [threading.Thread(target=ask, args=(application, "/waits")) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert pages.begun.acquire(timeout=30)
    yield application
    pages.may_end.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_a_page_is_served_and_gives_its_slot_back(pages: Pages) -> None:
    application = Bulkhead(pages, slots=1)
    for _ in range(3):
        assert ask(application, "/a")[0] == "200 OK"
        with pytest.raises(ZeroDivisionError):
            ask(application, "/breaks")


def test_livez_answers_while_pages_hang(hanging: Bulkhead) -> None:
    assert ask(hanging, "/livez") == ("200 OK", {}, b"page")


def test_a_page_that_finds_no_slot_is_told_so(hanging: Bulkhead) -> None:
    status, headers, body = ask(hanging, "/a")
    assert (status, body.decode()) == ("503 Service Unavailable", bulkhead.BUSY)
    assert (headers["Retry-After"], headers["Cache-Control"]) == ("10", "no-store")
    status, headers, body = ask(hanging, "/api/v1/requests/")
    assert (status, headers["Content-Type"]) == ("503 Service Unavailable", "application/problem+json")
    assert (json.loads(body)["code"], json.loads(body)["detail"]) == ("busy", bulkhead.BUSY)


def test_nobody_waits_for_pages_that_hang(hanging: Bulkhead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkhead, "PATIENCE_S", 30.0)
    monkeypatch.setattr(bulkhead, "HANGS_AFTER_S", 0.0)
    began_s = time.monotonic()
    assert ask(hanging, "/a")[0] == "503 Service Unavailable"
    assert time.monotonic() - began_s < 15


@pytest.mark.parametrize(("long", "others", "is_told_at_once"), [(1, 1, False), (2, 1, True), (3, 0, True)])
def test_a_few_long_requests_refuse_nobody_and_many_are_pages_that_hang(
    long: int, others: int, is_told_at_once: bool, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]
    monkeypatch.setattr(bulkhead, "PATIENCE_S", 0.5)
    monkeypatch.setattr(bulkhead, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    application = Bulkhead(pages, slots=long + others)
    with ThreadPoolExecutor(4) as pool:
        running = []
        for count, moment_s in ((long, 0.0), (others, bulkhead.HANGS_AFTER_S + 1)):
            now_s[0] = moment_s
            for _ in range(count):
                running.append(pool.submit(ask, application, "/waits"))
                assert pages.begun.acquire(timeout=30)
        now_s[0] = bulkhead.HANGS_AFTER_S + 2
        began_s = time.monotonic()
        refused = ask(application, "/a")[0]
        waited_s = time.monotonic() - began_s
        pages.may_end.set()
        assert [each.result(30)[0] for each in running] == ["200 OK"] * (long + others)
    assert refused == "503 Service Unavailable"
    assert (waited_s < 0.5) is is_told_at_once


def test_a_page_waits_for_a_slot_that_becomes_free(
    hanging: Bulkhead, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulkhead, "PATIENCE_S", 30.0)
    monkeypatch.setattr(bulkhead, "HANGS_AFTER_S", 30.0)
    threading.Timer(0.2, pages.may_end.set).start()
    assert ask(hanging, "/a")[0] == "200 OK"


def test_threads_stay_free() -> None:
    assert gunicorn.threads > gunicorn.RESERVED_THREADS >= 2
