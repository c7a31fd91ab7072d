"""Rank statistics: a center and its interval from few values, without assuming how they are distributed."""

import math

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import Interval


def signed_rank_interval(values: NDArray[np.float64], confidence: float) -> Interval | None:
    """Return the Hodges-Lehmann estimate of the center with the exact interval of Wilcoxon's signed-rank test.

    The estimate is the median of all pairwise means (Walsh averages); the bounds are those of their order statistics
    that the test cannot reject (Hollander and Wolfe, section 3.2). It assumes symmetry alone. None with too few values.
    """
    n = len(values)
    place = signed_rank_place(n, confidence)
    if place is None:
        return None
    walsh = np.sort(((values[:, None] + values[None, :]) / 2)[np.triu_indices(n)])
    return Interval(float(np.median(walsh)), float(walsh[place]), float(walsh[-1 - place]), confidence, n)


def signed_rank_place(n: int, confidence: float) -> int | None:
    """Return where the lower bound stands among the sorted Walsh averages, from 0, or None with too few values.

    It is the largest t with P[T+ <= t] <= (1 - confidence) / 2, where T+, the sum of the ranks of n values above the
    center, has a distribution that is counted exactly: one factor 1 + x^rank for each rank.
    """
    ways = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways
        longer[rank:] += ways
        ways = longer
    below = np.cumsum(ways) * math.ldexp(1.0, -n)
    most = int(np.searchsorted(below, (1 - confidence) / 2, side="right")) - 1
    return most if most >= 0 else None
