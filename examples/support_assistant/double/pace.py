"""When tokens are due. `StatedPace` keeps to the law; another `Pace` may compute them, as one that batches."""

import asyncio
import dataclasses
from collections import deque
from collections.abc import Callable
from typing import Protocol

from examples.support_assistant.double.law import Law


@dataclasses.dataclass(eq=False, kw_only=True)
class PacedAnswer:
    """One answer in the making. Times are seconds of the event loop's clock, which is the monotonic one.

    `produced(count, due)` is to be called for each token: how many there are in all, and when this one was due.
    """

    arrived_s: float
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    produced: Callable[[int, float], None]


class Pace(Protocol):
    """Says when the tokens of answers are there, on the running event loop."""

    def begin(self, answer: PacedAnswer) -> None:
        """Take an answer up. `answer.produced` must not be called before this has returned."""
        ...

    def end(self, answer: PacedAnswer, at_s: float) -> None:
        """Give its place to the next from `at_s` on: it is whole, or its client is gone. Called once."""
        ...


class StatedPace:
    """The times of the law: each answer by itself, once it has a slot; slots go by order of arrival.

    A slot is free for the next at the moment at which the last token was due, so that lateness does not add up.
    """

    def __init__(self, law: Law, loop: asyncio.AbstractEventLoop) -> None:
        self._law, self._loop = law, loop
        self._timers: dict[PacedAnswer, asyncio.TimerHandle] = {}
        self._waiting: deque[PacedAnswer] = deque()

    def begin(self, answer: PacedAnswer) -> None:
        """Start the answer, or let it wait for a slot."""
        if self._law.slots and len(self._timers) >= self._law.slots:
            self._waiting.append(answer)
        else:
            self._start(answer, answer.arrived_s)

    def end(self, answer: PacedAnswer, at_s: float) -> None:
        """Stop the answer; the first that waits starts."""
        timer = self._timers.pop(answer, None)
        if timer is None:
            self._waiting.remove(answer)
            return
        timer.cancel()
        if self._waiting:
            following = self._waiting.popleft()
            self._start(following, max(following.arrived_s, at_s))

    def _start(self, answer: PacedAnswer, start_s: float) -> None:
        uncached = answer.input_tokens - answer.cached_tokens
        first_s = start_s + (self._law.ttft_ms + self._law.input_ms_per_token * uncached) / 1e3
        self._timers[answer] = self._loop.call_at(first_s, self._tick, answer, first_s, 1)

    def _tick(self, answer: PacedAnswer, first_s: float, count: int) -> None:
        """Produce token `count`, and all others that are due by now."""
        step_s, now = self._law.tpot_ms / 1e3, self._loop.time()
        for number in range(count, answer.output_tokens + 1):
            due_s = first_s + (number - 1) * step_s
            if due_s > now and number > count:
                self._timers[answer] = self._loop.call_at(due_s, self._tick, answer, first_s, number)
                return
            answer.produced(number, due_s)
            if answer not in self._timers:
                return
