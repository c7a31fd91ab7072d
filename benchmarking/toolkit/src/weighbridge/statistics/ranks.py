"""Rank statistics: a center and its interval from few values, distribution-free."""

import math

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import Interval


def signed_rank_interval(values: NDArray[np.float64], confidence: float) -> Interval | None:
    """Return the Hodges-Lehmann estimate of the center with the exact interval of Wilcoxon's signed-rank test.

    The estimate is the median of all pairwise means (Walsh averages); the bounds are those of their order statistics
    that the test cannot reject (Hollander and Wolfe, section 3.2). It assumes only symmetry. None with too few values.
    """
    n = len(values)
    index = signed_rank_index(n, confidence)
    if index is None:
        return None
    walsh = np.sort(((values[:, None] + values[None, :]) / 2)[np.triu_indices(n)])
    return Interval(float(np.median(walsh)), float(walsh[index]), float(walsh[-1 - index]), confidence, n)


def signed_rank_index(n: int, confidence: float) -> int | None:
    """Return the index of the lower bound among the sorted Walsh averages, or None with too few values.

    It is the largest t with P[T+ <= t] <= (1 - confidence) / 2, where T+, the sum of the ranks of n values above the
    center, has an exact distribution: one factor 1 + x^rank for each rank.
    """
    ways = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways
        longer[rank:] += ways
        ways = longer
    below = np.cumsum(ways) * math.ldexp(1.0, -n)
    last = int(np.searchsorted(below, (1 - confidence) / 2, side="right")) - 1
    return last if last >= 0 else None
