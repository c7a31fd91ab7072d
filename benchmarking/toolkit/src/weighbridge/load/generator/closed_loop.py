"""The closed loop: users who each send a request, wait for its answer, think, and begin again.

A slow target is sent fewer requests, so a closed loop cannot show overload; use it where the real users wait.
"""

import asyncio
import dataclasses
from collections.abc import Callable

from weighbridge.load.generator.engine import LoadEngine
from weighbridge.load.generator.job import EngineJob
from weighbridge.load.results.samples import RequestOutcome

CHECKS_DRAWN = 10_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClosedLoop:
    """How users go on: their think time, the end of sending, both in nanoseconds, and the most requests."""

    think_ns: int
    ends_ns: int
    requests: int
    seed: int


class ClosedLoopEngine(LoadEngine):
    """An engine whose schedule grows: the next request of a user is due one think time after the last one ended.

    The due times of the job are the starts of the users, all within one think time, so that all due times are in order.
    """

    def __init__(
        self, job: EngineJob, users: ClosedLoop, *, loop: asyncio.AbstractEventLoop, clock: Callable[[], int]
    ) -> None:
        """Begin with one request of each user."""
        super().__init__(job, loop=loop, clock=clock)
        self._users = users

    def _begin(self, start_ns: int) -> None:
        super()._begin(start_ns)
        self._ends_at = start_ns + self._users.ends_ns

    def settle(self, request: int, outcome: RequestOutcome, at_ns: int, why: str = "", shown: bytes = b"") -> None:
        """Record the outcome of a request, and plan the next one of its user."""
        due = at_ns + self._users.think_ns
        is_going_on = not self._finished.done() and due < self._ends_at and len(self._due) < self._users.requests
        if is_going_on:
            self._add(due)
        super().settle(request, outcome, at_ns, why, shown)
        if is_going_on:
            self._timer.set(self._due[self._next])

    def _add(self, due: int) -> None:
        super()._add(due)
        if len(self._checked) < len(self._due):
            drawn = self.job.expect.checked(CHECKS_DRAWN, seed=self._users.seed + len(self._due))
            self._checked += drawn.tolist()
