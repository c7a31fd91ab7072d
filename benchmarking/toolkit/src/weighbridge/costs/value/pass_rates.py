"""Pass rates: how often a try passes, and how often none of several tries does, with the uncertainty of the test.

What k tries of one item cost and reach depends on the moments of the chance p that a try passes, M_m = E[p^m] over the
items. If the tries of all items are independent with one chance, M_m = p^m. They are not where an item that failed once
fails again, at temperature 0 always: then the moments are estimated from several runs of each item. Of n runs with c
passed, C(c, m) / C(n, m) estimates p^m without bias, and 1 - C(n - c, k) / C(n, k) is the pass@k of Chen et al. 2021
(arXiv 2107.03374).
"""

import dataclasses
import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.uncertainty import Draws

TRIES_MAX, ITEMS_MAX, RUNS_MAX = 10, 100_000, 1_000
# Draws are made in blocks of at most so many weights, which bounds the memory.
_BLOCK = 2_000_000
FEW_CLUSTERS = 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class ItemRuns:
    """One item that was run several times: how many of its `runs` passed. Items of one `cluster` stand together."""

    passed: int
    runs: int
    cluster: str


@dataclasses.dataclass(frozen=True)
class RepeatedRuns:
    """Several runs of each item, from which the chances of several tries follow without assuming independence."""

    items: tuple[ItemRuns, ...]

    def __post_init__(self) -> None:
        """Refuse no items, too many, impossible counts, and a single cluster, which has no spread."""
        if not 1 <= len(self.items) <= ITEMS_MAX:
            raise Invalid(f"Give the runs of 1 to {ITEMS_MAX:,} items, not {len(self.items):,}.", field="runs")
        for place, item in enumerate(self.items):
            if not 1 <= item.runs <= RUNS_MAX or not 0 <= item.passed <= item.runs:
                text = f"items[{place}] has {item.passed} passed of {item.runs} runs; give 1 to {RUNS_MAX:,} runs."
                raise Invalid(text, field=f"items[{place}]")
        if self.clusters < 2:
            raise Invalid("All items are of one cluster, whose spread is unknown; give two or more.", field="cluster")

    @property
    def clusters(self) -> int:
        """The number of clusters."""
        return len({item.cluster for item in self.items})

    def moments(self, tries: int) -> tuple[float, ...]:
        """Return the estimates of M_0 to M_k for k tries, averaged over the items; raise Invalid with fewer runs."""
        return tuple(self._of_items(tries).mean(axis=0))

    def draw(self, tries: int, *, n: int, seed: int, stream: str) -> tuple[Draws, ...]:
        """Return `n` draws of the moments together: the Bayesian bootstrap over clusters (Rubin 1981).

        Each draw weights the clusters by Dirichlet(1, ..., 1).
        """
        clusters = [item.cluster for item in self.items]
        return tuple(cluster_draws(self._of_items(tries), clusters, n=n, seed=seed, stream=stream).T)

    def pass_at(self, tries: int) -> float:
        """Return the chance that at least one of so many tries passes, averaged over the items."""
        ways = [math.comb(item.runs - item.passed, tries) / math.comb(item.runs, tries) for item in self._enough(tries)]
        return 1 - sum(ways) / len(ways)

    def _of_items(self, tries: int) -> NDArray[np.float64]:
        return np.array(
            [
                [math.comb(item.passed, power) / math.comb(item.runs, power) for power in range(tries + 1)]
                for item in self._enough(tries)
            ]
        )

    def _enough(self, tries: int) -> Sequence[ItemRuns]:
        least = min(item.runs for item in self.items)
        if least < tries:
            text = f"{tries} tries need {tries} runs of each item, and one has {least}; run more, or try less often."
            raise Invalid(text, field="tries", code="runs")
        return self.items


def cluster_draws(
    values: NDArray[np.float64], clusters: Sequence[str], *, n: int, seed: int, stream: str
) -> NDArray[np.float64]:
    """Return `n` draws of the means of columns, shape (n, columns), from values of shape (items, columns).

    Each draw weights the clusters of items by Dirichlet(1, ..., 1): the Bayesian bootstrap (Rubin 1981). Columns of one
    call are drawn together, and those of two calls with the same clusters, seed and stream are paired.
    """
    # In a fixed order: options that ran the same clusters get the same weights, so their difference is paired.
    names, places = np.unique(np.asarray(clusters), return_inverse=True)
    columns = [np.asarray(np.bincount(places, weights=column), dtype=np.float64) for column in values.T]
    sums = np.stack(columns, axis=1)
    counts = np.asarray(np.bincount(places), dtype=np.float64)
    rng = generator(seed, stream)
    block = max(1, _BLOCK // len(names))
    found = [_weighted(rng, min(block, n - start), sums, counts) for start in range(0, n, block)]
    return np.concatenate(found)


def _weighted(
    rng: np.random.Generator, n: int, sums: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    weights = rng.standard_exponential((n, len(counts)))
    return np.asarray((weights @ sums) / (weights @ counts)[:, None])


def independent_moments(pass_rate: Number, tries: int) -> tuple[Number, ...]:
    """Return the moments of one chance: p^m for m from 0 to the number of tries."""
    found: list[Any] = [1]
    for _ in range(tries):
        found.append(found[-1] * pass_rate)
    return tuple(found)


def drawn_rate(passed: int, items: int, *, n: int, seed: int, stream: str) -> Draws:
    """Return `n` draws of a rate from counts: Beta(passed + 1/2, failed + 1/2), after Jeffreys."""
    return generator(seed, stream).beta(passed + 0.5, items - passed + 0.5, n)


def generator(seed: int, stream: str) -> np.random.Generator:
    """Return the generator of a stream, so that a new option does not change the draws of the others."""
    return np.random.default_rng(zlib.crc32(f"{seed} {stream}".encode()))
