"""Metrics that are means of shares, like recall of each class: how uncertain few rows leave such a mean."""

import dataclasses
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality.metrics.prepared import Units
from weighbridge.quality.paired import score_bounds
from weighbridge.statistics.order_statistics import wilson_bounds


@dataclasses.dataclass(frozen=True)
class Shares:
    """The shares whose mean a metric is: of `hits` among the rows that are `used`, both (rows, shares), 0 or 1.

    If `is_f1`, the mean is that of F1 = 2 J / (1 + J) of each share J.
    """

    hits: Any
    used: Any
    is_f1: bool = False

    def distances(self, units: Units, confidence: float) -> tuple[float, float]:
        """Return how far the mean may lie below and above its value.

        Each share has Wilson's interval. Its trials are the units with a used row; without trials it is 0 to 1. The
        distances of the shares are combined as if these were independent (MOVER, Zou and Donner 2008, Statistics in
        Medicine 27:1693).
        """
        share = self._mean(self.hits, units)
        ends = wilson_bounds(share, units.counts(self.used), confidence)
        value, low, high = (2 * each / (1 + each) if self.is_f1 else each for each in (share, *ends))
        return _combined(value - low), _combined(high - value)

    def drop_distances(
        self, was_hit: NDArray[np.bool_], is_hit: NDArray[np.bool_], units: Units, confidence: float
    ) -> tuple[float, float]:
        """Return how far a drop of the mean may lie below and above its value.

        `was_hit` and `is_hit` tell which rows the baseline and the variant got right. Each share has Tango's interval
        of the rows that are used, and they are combined as in `distances`.
        """
        share = self._mean(self.hits, units)
        lost, won = (self._mean(self.used * rows[:, None], units) for rows in (was_hit & ~is_hit, is_hit & ~was_hit))
        below, above = np.array(
            [
                _tango(b * n, c * n, n, confidence)
                for b, c, n in zip(lost, won, units.counts(self.used).tolist(), strict=True)
            ]
        ).T
        slope = 2 / (1 + share) ** 2 if self.is_f1 else 1
        return _combined(below * slope), _combined(above * slope)

    def _mean(self, values: Any, units: Units) -> NDArray[np.float64]:
        """Return the share of the weight of the used rows that `values` mark, (shares,)."""
        marked, used = units.weights @ values, units.weights @ self.used
        return np.asarray(np.divide(marked, used, out=np.zeros(len(used)), where=used > 0))


@functools.lru_cache(maxsize=10_000)
def _tango(lost: float, won: float, n: int, confidence: float) -> tuple[float, float]:
    if n == 0:
        return 1.0, 1.0
    low, high = score_bounds(lost, won, n, confidence=confidence)
    return (lost - won) / n - low, high - (lost - won) / n


def _combined(distances: NDArray[np.float64]) -> float:
    return float(np.sqrt((distances**2).sum())) / len(distances)
