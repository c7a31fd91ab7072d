"""Which prompt each request sends: all of them in random order, and again in another order when they are used up."""

import functools

import numpy as np
from numpy.typing import NDArray


class PromptOrder:
    """The order of `prompts` prompts. A trace keeps the order of its file.

    Sending the prompts in turn would meet the same neighbors again, and a cache of prefixes would look better than it
    is; drawing with replacement would repeat a prompt before others were sent.
    """

    def __init__(self, prompts: int, *, seed: int, is_shuffled: bool = True) -> None:
        """Draw nothing yet."""
        self._prompts, self._seed, self._is_shuffled = prompts, seed, is_shuffled
        self._round = functools.lru_cache(maxsize=4)(self._drawn)

    def place(self, number: int) -> int:
        """Return the place of the prompt of a request, by the number of the request in the whole test."""
        turn, place = divmod(number, self._prompts)
        return int(self._round(turn)[place]) if self._is_shuffled else place

    def _drawn(self, turn: int) -> NDArray[np.int64]:
        return np.random.default_rng([self._seed, turn]).permutation(self._prompts)
