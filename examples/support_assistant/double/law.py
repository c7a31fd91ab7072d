"""How the double behaves: declared, not measured. The times are exact, so that what a client tells can be judged."""

import dataclasses
import hashlib
import math
import random
from collections.abc import Mapping
from typing import Any

from weighbridge.core.errors import Invalid

MOST_TOKENS = 100_000
ANSWER, REQUEST, LOGNORMAL = "answer", "request", "lognormal:"
Range = tuple[int, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Law:
    """The times, sizes and faults of a double; all times count from the moment at which a request was read.

    Token k of N (from 1) is due at `ttft_ms + input_ms_per_token * uncached tokens + (k - 1) * tpot_ms`. `output` says
    N: `answer` (as many as the answer has), `request` (the request's max_tokens), a number, or
    `lognormal:MEDIAN,SIGMA`. With `counts_end`, usage counts the end-of-sequence token, which no chunk carries and
    which takes a TPOT of its own, as llama.cpp does.

    A chunk carries `tokens_per_chunk` tokens (least, most; drawn), a write `events_per_write` events; each write is
    cut at random bytes into `pieces`. `slots` requests are answered at once (0: all), others wait in order of arrival.
    The prefix cache counts whole blocks of `cache_block` tokens (0: no cache).

    `freeze` is `(second, seconds)`: that long after the first request nothing is read or written for that long; tokens
    that were due meanwhile follow at once. `behavior` names a fault, which every `every`-th request gets.
    """

    ttft_ms: float = 50.0
    tpot_ms: float = 10.0
    input_ms_per_token: float = 0.0
    output: str = ANSWER
    counts_end: bool = False
    reasoning_tokens: int = 0
    tokens_per_chunk: Range = (1, 1)
    events_per_write: int = 1
    pieces: int = 1
    role_first: bool = True
    slots: int = 0
    context_tokens: int = 131_072
    cache_block: int = 16
    freeze: tuple[float, float] | None = None
    behavior: str = ""
    every: int = 1
    pause_s: float = 1.0
    retry_after_s: int = 1
    model: str = "double-2026-11-01"
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse what is no behavior."""
        least, most = self.tokens_per_chunk
        times = (self.ttft_ms, self.tpot_ms, self.input_ms_per_token, self.pause_s, *(self.freeze or ()))
        if min(times) < 0 or not all(map(math.isfinite, times)):
            raise Invalid("The times of a double are zero or more.", field="times")
        if not 1 <= least <= most or min(self.events_per_write, self.pieces, self.every) < 1:
            raise Invalid("Chunks, writes and pieces are counted from 1, the least before the most.", field="chunks")
        if min(self.slots, self.cache_block, self.reasoning_tokens) < 0 or self.context_tokens < 1:
            raise Invalid("Slots, cache and tokens are zero or more; the context has one token.", field="tokens")
        self._spread()

    def words(self) -> str:
        """Return the law in one sentence."""
        return (
            f"first token after {self.ttft_ms:g} ms, one each {self.tpot_ms:g} ms, output tokens by {self.output}, "
            f"{self.slots or 'any number of'} requests at once"
        )

    def chance(self, key: str) -> random.Random:
        """Return the random numbers of one request: the same for the same seed and key in every process."""
        return random.Random(hashlib.sha256(f"{self.seed}:{key}".encode()).digest())  # noqa: S311 -- no secret

    def output_tokens(self, request: Mapping[str, Any], *, has: int, chance: random.Random) -> int:
        """Return how many tokens the answer gets before any limit, if the answer function gave `has`."""
        if self.output == ANSWER and not request.get("ignore_eos"):
            return has
        if self.output in (ANSWER, REQUEST):
            return min(limit_of(request) or has, MOST_TOKENS)
        median, sigma = self._spread()
        return min(max(1, round(median * math.exp(sigma * chance.gauss(0.0, 1.0)))), MOST_TOKENS)

    def _spread(self) -> tuple[float, float]:
        if self.output in (ANSWER, REQUEST):
            return 1.0, 0.0
        median, _, sigma = self.output.removeprefix(LOGNORMAL).partition(",")
        try:
            found = float(median), float(sigma or 0)
        except ValueError:
            found = math.nan, math.nan
        if not (1 <= found[0] <= MOST_TOKENS and 0 <= found[1] <= 5):  # nan too
            text = "State output tokens as `answer`, `request`, a number, or `lognormal:MEDIAN,SIGMA`."
            raise Invalid(text, field="output")
        return found


def limit_of(request: Mapping[str, Any]) -> int | None:
    """Return the most output tokens that a request allows, or None; anything but a positive whole number is none."""
    found = request.get("max_completion_tokens", request.get("max_tokens"))
    return found if isinstance(found, int) and found > 0 and not isinstance(found, bool) else None
