"""A precise timer for an event loop, because the timers of event loops have millisecond resolution."""

import asyncio
import contextlib
import ctypes
import os
from collections.abc import Callable

from weighbridge.core.errors import Refused

CLOCK_MONOTONIC, ABSOLUTE, NON_BLOCKING, CLOSE_ON_EXEC = 1, 1, 0o4000, 0o2000000
NS_PER_S = 1_000_000_000


class _Timer(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("every_s", "every_ns", "at_s", "at_ns")]


class LoopTimer:
    """Calls `callback` on the loop at a given time of `time.monotonic_ns()` (Linux timerfd)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        """Create the timer; raise Refused on a system without timerfd."""
        self._library = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._library, "timerfd_create"):
            raise Refused("The load generator needs timerfd; run it on Linux.")
        self._file = self._library.timerfd_create(CLOCK_MONOTONIC, NON_BLOCKING | CLOSE_ON_EXEC)
        self._timer, self._callback, self._loop = _Timer(0, 0, 0, 0), callback, loop
        self._pointer = ctypes.byref(self._timer)
        loop.add_reader(self._file, self._on_expiry)

    def set(self, at_ns: int) -> None:
        """Fire at `at_ns`, or immediately if that has passed."""
        self._timer.at_s, self._timer.at_ns = divmod(max(at_ns, 1), NS_PER_S)
        self._library.timerfd_settime(self._file, ABSOLUTE, self._pointer, None)

    def close(self) -> None:
        """Cancel and close the timer."""
        self._loop.remove_reader(self._file)
        os.close(self._file)

    def _on_expiry(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._file, 8)
        self._callback()
