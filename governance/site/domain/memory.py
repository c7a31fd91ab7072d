"""What one process keeps in memory for a while: results of reads, and counts of calls. It is lost with the process."""

import time
from collections.abc import Callable, Hashable
from functools import lru_cache
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """A function whose results are used again for `seconds()`, for the latest `most` different arguments.

    With 0 seconds nothing is kept. The arguments must be hashable. Errors are not kept.
    """

    def __init__(self, function: Callable[..., T], *, seconds: Callable[[], float], most: int) -> None:
        self._function, self._seconds = function, seconds
        self._by_span = lru_cache(maxsize=most)(lambda _span, *args: function(*args))

    def __call__(self, *args: Hashable) -> T:
        """The result, which is at most `seconds()` old."""
        seconds = self._seconds()
        if not seconds:
            return self._function(*args)
        return self._by_span(int(time.monotonic() / seconds), *args)


class CallCounter:
    """Counts calls by key, for each span of time that begins with the first call of a key."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._spans: dict[Hashable, tuple[float, int]] = {}
        self._lock, self._now_s = Lock(), now_s

    def count(self, key: Hashable, *, span_s: float) -> tuple[int, float]:
        """(calls in this span with this one, seconds until it ends)."""
        with self._lock:
            now_s = self._now_s()
            begun_s, calls = self._spans.get(key, (now_s, 0))
            if now_s - begun_s >= span_s:
                begun_s, calls = now_s, 0
            self._spans[key] = begun_s, calls + 1
        return calls + 1, begun_s + span_s - now_s

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._spans.clear()
