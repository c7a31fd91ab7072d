"""What a process keeps in memory: results that are used again for a while, and counts of calls."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.site.domain import memory
from governance.site.domain.memory import CallCounter, Kept, Recent

Clock = Callable[[float], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock."""
    return lambda seconds: monkeypatch.setattr(memory.time, "monotonic", lambda: seconds)


def test_a_result_is_used_again_until_it_is_as_old_as_agreed(at: Clock) -> None:
    calls: list[str] = []
    kept = Kept(lambda name: calls.append(name) or len(calls), seconds=lambda: 10.0, most=5)
    at(100.0)
    assert [kept("a"), kept("b"), kept("a")] == [1, 2, 1]
    at(109.9)
    assert kept("a") == 1
    at(110.0)
    assert [kept("a"), kept("a")] == [3, 3]
    assert calls == ["a", "b", "a"]


def test_with_no_time_nothing_is_kept() -> None:
    calls: list[int] = []
    kept = Kept(lambda: calls.append(0) or len(calls), seconds=lambda: 0.0, most=5)
    assert [kept(), kept()] == [1, 2]


def test_an_error_is_not_kept(at: Clock) -> None:
    at(0.0)
    answers = iter([1 / 2, 3])

    def fails_once() -> float:
        answer = next(answers)
        if answer < 1:
            raise ValueError(answer)
        return answer

    kept = Kept(fails_once, seconds=lambda: 10.0, most=5)
    with pytest.raises(ValueError, match=r"0\.5"):
        kept()
    assert kept() == 3


def test_only_the_latest_are_kept(at: Clock) -> None:
    at(0.0)
    calls: list[int] = []
    kept = Kept(calls.append, seconds=lambda: 10.0, most=2)
    for number in (1, 2, 2, 3, 3, 1):
        kept(number)
    assert calls == [1, 2, 3, 1]


def test_of_threads_that_ask_at_once_one_calls(at: Clock) -> None:
    at(0.0)
    calls: list[str] = []

    def slow(name: str) -> int:
        calls.append(name)
        time.sleep(0.05)
        return len(calls)

    kept = Kept(slow, seconds=lambda: 10.0, most=5)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(kept, ["a"] * 8))
    assert (found, calls) == ([1] * 8, ["a"])


def test_what_was_used_last_stays() -> None:
    recent: Recent[str, object] = Recent(most=2)
    first, second, third = object(), object(), object()
    recent.keep("a", first)
    recent.keep("b", second)
    assert recent.get("a") is first
    recent.keep("c", third)
    assert recent.get("b") is None
    assert recent.items() == [("a", first), ("c", third)]
    recent.keep("a", second)
    assert recent.items() == [("c", third), ("a", second)]


def test_only_what_is_still_there_is_renewed() -> None:
    recent: Recent[str, object] = Recent(most=2)
    first, second = object(), object()
    recent.keep("a", first)
    recent.renew("a", second, None)
    recent.renew("b", second, None)
    assert recent.items() == [("a", first)]
    recent.renew("a", first, second)
    assert recent.items() == [("a", second)]
    recent.renew("a", second, None)
    assert recent.items() == []


@given(gaps=st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_a_span_counts_its_own_calls(gaps: list[int]) -> None:
    """Against the definition: a span begins with a call, and every call within 60 s of it belongs to it."""
    now_s, begun_s, expected = 0.0, None, 0
    counter = CallCounter(lambda: now_s)
    for gap in gaps:
        now_s += gap
        if begun_s is None or now_s - begun_s >= 60:
            begun_s, expected = now_s, 0
        expected += 1
        calls, wait_s = counter.count("key", span_s=60.0)
        assert calls == expected
        assert wait_s == begun_s + 60 - now_s
    assert counter.count("another", span_s=60.0) == (1, 60.0)
    counter.clear()
    assert counter.count("key", span_s=60.0) == (1, 60.0)
