"""An alarm on an event loop that rings on time: the loops' own timers count in whole milliseconds."""

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


class Alarm:
    """Calls `ring` on the loop at the moment it is set to. The moment is on `time.monotonic_ns()`'s clock (Linux
    timerfd).
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        """Make the timer; raise Refused on a system that has none."""
        self._library = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._library, "timerfd_create"):
            raise Refused("The load generator keeps time with Linux's timerfd; run it on Linux.")
        self._file = self._library.timerfd_create(CLOCK_MONOTONIC, NON_BLOCKING | CLOSE_ON_EXEC)
        self._timer, self._ring, self._loop = _Timer(0, 0, 0, 0), ring, loop
        self._pointer = ctypes.byref(self._timer)
        loop.add_reader(self._file, self._rings)

    def set(self, at_ns: int) -> None:
        """Ring at `at_ns`, or at once where that has passed."""
        self._timer.at_s, self._timer.at_ns = divmod(max(at_ns, 1), NS_PER_S)
        self._library.timerfd_settime(self._file, ABSOLUTE, self._pointer, None)

    def close(self) -> None:
        """Never ring again."""
        self._loop.remove_reader(self._file)
        os.close(self._file)

    def _rings(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._file, 8)
        self._ring()
