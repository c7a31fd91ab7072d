"""The double at the pace of a simulated replica: continuous batching, in which each step slows as the batch grows."""

import asyncio
import itertools

from examples.support_assistant.batching import Batch, Replica
from examples.support_assistant.double.pace import PacedAnswer
from weighbridge.core.errors import Invalid


class BatchedPace:
    """Takes the steps of a batch in real time; every step ends when it is due by the one before, late or not.

    Tokens of the input that are cached need no prefill. An answer whose client is gone is finished nevertheless, as
    its tokens are reserved.
    """

    def __init__(self, replica: Replica, loop: asyncio.AbstractEventLoop) -> None:
        self._batch, self._loop = Batch(replica), loop
        self._keys = itertools.count()
        self._answers: dict[int, PacedAnswer] = {}
        self._counts: dict[int, int] = {}
        self._is_stepping = False

    def begin(self, answer: PacedAnswer) -> None:
        """Put the answer in line. Raises Invalid for one that the replica can never hold."""
        key = next(self._keys)
        uncached = max(1, answer.input_tokens - answer.cached_tokens)
        try:
            self._batch.submit(key, input_tokens=uncached, output_tokens=answer.output_tokens)
        except ValueError as error:
            raise Invalid(f"The replica cannot hold the request: {error}", field="max_tokens") from error
        self._answers[key], self._counts[key] = answer, 0
        if not self._is_stepping:
            self._step(answer.arrived_s)

    def end(self, answer: PacedAnswer, at_s: float) -> None:
        """Give it no more tokens; its place is free when the batch has finished it."""
        for key in [key for key, each in self._answers.items() if each is answer]:
            del self._answers[key]

    def _step(self, start_s: float) -> None:
        """Take one step; what it gives is there at its end."""
        self._is_stepping = True
        decoding = [key for _, key in self._batch.decoding]
        step = self._batch.step()
        end_s = start_s + step.seconds
        self._loop.call_at(end_s, self._give, end_s, [*decoding, *step.first], step.last)

    def _give(self, end_s: float, keys: list[int], last: list[int]) -> None:
        counts = {key: self._counts[key] + 1 for key in keys}
        self._counts |= counts
        for key in last:
            del self._counts[key]
        if self._counts:
            self._step(end_s)
        else:
            self._is_stepping = False
        for key, count in counts.items():
            if key in self._answers:
                self._answers[key].produced(count, end_s)
