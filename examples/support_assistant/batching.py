"""Continuous batching of a language model server, simulated step by step.

A request waits in line until a slot and its key-value memory are free; its whole length, input and output, is reserved.
Each step gives up to `chunk_tokens` input tokens to the requests in prefill, in order, and one output token to every
sequence that decodes. A request whose prefill ends gets its first token at the end of that step. A step takes

    step_s + sequence_s · decoding + input_token_s · input tokens + kv_token_s · reserved tokens

`simulate` answers requests with known due times; a server that stands in for a real one calls `Batch.step` itself.
"""

import dataclasses
import heapq
import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Replica:
    """One replica: what it holds at a time, and the seconds of a step."""

    slots: int
    kv_tokens: int = 1_000_000
    chunk_tokens: int = 512
    step_s: float = 0.020
    sequence_s: float = 0.0006
    input_token_s: float = 1 / 8_000
    kv_token_s: float = 0.0


@dataclasses.dataclass(slots=True)
class BatchStep:
    """One step, or `count` equal ones without a change in between; `first` and `last` got that token at its end."""

    seconds: float
    count: int
    first: list[int]
    last: list[int]


class Batch:
    """The requests of a replica: `waiting`, `prefill` (key, input tokens left) and `decoding` (last step, key)."""

    def __init__(self, replica: Replica) -> None:
        """Begin empty."""
        self.replica = replica
        self.waiting: deque[int] = deque()
        self.prefill: deque[list[int]] = deque()
        self.decoding: list[tuple[int, int]] = []
        self.sizes: dict[int, tuple[int, int]] = {}
        self.kv_tokens = 0
        self.steps = 0

    @property
    def running(self) -> int:
        """The slots in use."""
        return len(self.prefill) + len(self.decoding)

    def submit(self, key: int, *, input_tokens: int, output_tokens: int) -> None:
        """Put a request in line; raise ValueError if it has no tokens, or more than the replica can ever hold."""
        if min(input_tokens, output_tokens) < 1 or input_tokens + output_tokens > self.replica.kv_tokens:
            raise ValueError(f"{input_tokens} + {output_tokens} tokens; 1 to {self.replica.kv_tokens} fit.")
        self.sizes[key] = (input_tokens, output_tokens)
        self.waiting.append(key)

    def _admit(self) -> None:
        while self.waiting and self.running < self.replica.slots:
            input_tokens, output_tokens = self.sizes[self.waiting[0]]
            if self.kv_tokens + input_tokens + output_tokens > self.replica.kv_tokens:
                return
            self.kv_tokens += input_tokens + output_tokens
            self.prefill.append([self.waiting.popleft(), input_tokens])

    def _fill(self) -> tuple[int, list[int]]:
        """Give input tokens out; return how many, and whose prefill ends."""
        left, first = self.replica.chunk_tokens, []
        while self.prefill and left:
            sequence = self.prefill[0]
            given = min(left, sequence[1])
            left -= given
            sequence[1] -= given
            if not sequence[1]:
                first.append(self.prefill.popleft()[0])
        return self.replica.chunk_tokens - left, first

    def _equal_steps(self, next_s: float, seconds: float) -> int:
        """Return how many steps of `seconds` only decode, until a sequence ends or a request comes in `next_s`."""
        count = self.decoding[0][0] - self.steps
        # A request that comes meanwhile changes nothing while another is already in line.
        if (self.waiting and next_s > 0) or next_s >= count * seconds:
            return count
        return max(1, math.ceil(next_s / seconds))

    def step(self, next_s: float = 0.0) -> BatchStep:
        """Take one step; if the next request is due in `next_s` seconds, all equal steps until something changes."""
        self._admit()
        replica, decoding, count = self.replica, len(self.decoding), 1
        seconds = replica.step_s + replica.sequence_s * decoding + replica.kv_token_s * self.kv_tokens
        filled, first = self._fill() if self.prefill else (0, [])
        if filled:
            seconds += replica.input_token_s * filled
        elif decoding:
            count = self._equal_steps(next_s, seconds)
        self.steps += count
        last = []
        while self.decoding and self.decoding[0][0] <= self.steps:
            last.append(heapq.heappop(self.decoding)[1])
        for key in first:
            more = self.sizes[key][1] - 1
            if more:
                heapq.heappush(self.decoding, (self.steps + more, key))
            else:
                last.append(key)
        for key in last:
            self.kv_tokens -= sum(self.sizes.pop(key))
        return BatchStep(seconds * count, count, first, last)


@dataclasses.dataclass(frozen=True)
class Answers:
    """Requests in order of their due times (s) with their output tokens, and when first and last token came (s)."""

    due_s: Floats
    output_tokens: NDArray[np.int64]
    first_s: Floats
    finish_s: Floats

    def are_good(self, *, ttft_s: float, tpot_s: float) -> NDArray[np.bool_]:
        """Whether each answer is within both limits; one token has no time per further token."""
        further = np.maximum(self.output_tokens - 1, 1)
        is_steady = self.finish_s - self.first_s <= tpot_s * further
        return (self.first_s - self.due_s <= ttft_s) & is_steady


def simulate(replica: Replica, due_s: Floats, input_tokens: Sequence[int], output_tokens: Sequence[int]) -> Answers:
    """Answer requests that are due at rising times (s); input tokens are those that no cache holds."""
    batch, now, sent = Batch(replica), 0.0, 0
    due, total = due_s.tolist(), len(due_s)
    first, finish = [0.0] * total, [0.0] * total
    while sent < total or batch.sizes:
        while sent < total and due[sent] <= now:
            batch.submit(sent, input_tokens=int(input_tokens[sent]), output_tokens=int(output_tokens[sent]))
            sent += 1
        if not batch.sizes:
            now = due[sent]
            continue
        step = batch.step(due[sent] - now if sent < total else math.inf)
        now += step.seconds
        for key in step.first:
            first[key] = now
        for key in step.last:
            finish[key] = now
    return Answers(due_s, np.asarray(output_tokens), np.asarray(first), np.asarray(finish))
