"""What one process keeps in memory for a while: results of reads, and counts of calls. It is lost with the process."""

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
LOCKS = 16


class Kept(Generic[T]):
    """A function whose results are used again for `seconds()`, for the latest `most` different arguments.

    With 0 seconds nothing is kept. The arguments must be hashable. Errors are not kept. Of threads that ask the same at
    once, one calls the function and the others wait.
    """

    def __init__(self, function: Callable[..., T], *, seconds: Callable[[], float], most: int) -> None:
        self._function, self._seconds, self._most = function, seconds, most
        self._results: dict[Hashable, tuple[T]] = {}
        self._locks, self._writing = [Lock() for _ in range(LOCKS)], Lock()

    def __call__(self, *args: Hashable) -> T:
        """The result, which is at most `seconds()` old."""
        seconds = self._seconds()
        if not seconds:
            return self._function(*args)
        key = (int(time.monotonic() / seconds), args)
        found = self._results.get(key)
        if found is None:
            with self._locks[hash(key) % LOCKS]:
                found = self._results.get(key) or self._keep(key, self._function(*args))
        return found[0]

    def _keep(self, key: Hashable, result: T) -> tuple[T]:
        with self._writing:
            while len(self._results) >= self._most:
                del self._results[next(iter(self._results))]
            self._results[key] = (result,)
        return (result,)


class Recent(Generic[K, T]):
    """Values by key, of which the `most` used last are kept."""

    def __init__(self, *, most: int) -> None:
        self._values: dict[K, T] = {}
        self._most, self._lock = most, Lock()

    def get(self, key: K) -> T | None:
        """The value; None if there is none any more."""
        with self._lock:
            value = self._values.pop(key, None)
            if value is not None:
                self._values[key] = value
            return value

    def keep(self, key: K, value: T) -> None:
        """Keep a value in the place of an earlier one."""
        with self._lock:
            self._values.pop(key, None)
            if len(self._values) >= self._most:
                del self._values[next(iter(self._values))]
            self._values[key] = value

    def renew(self, key: K, old: T, new: T | None) -> None:
        """Put a value in the place of `old`, or nothing for None; without effect where `old` is not there any more."""
        with self._lock:
            if self._values.get(key) is not old:
                return
            if new is None:
                del self._values[key]
            else:
                self._values[key] = new

    def items(self) -> list[tuple[K, T]]:
        """All keys and values, the one used last at the end."""
        with self._lock:
            return list(self._values.items())


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
