"""Intervals of means, shares and ratios of requests under load, which are good or bad together with their neighbors.

A binomial interval would be too narrow. The effective number of requests is that of `statistics.percentile_intervals`:
as many independent ones as would vary as much.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.results.intervals import BLOCKS, CONFIDENCE
from weighbridge.statistics.order_statistics import Interval, wilson_bounds, wilson_interval
from weighbridge.statistics.percentile_intervals import Dependence, dependence

FEWEST = 20
# Blocks of dependent requests are few; Student's t has this many degrees of freedom at least.
FEWEST_BLOCKS = 3


def share_interval(is_so: NDArray[np.bool_]) -> Interval | None:
    """Return the share of requests in order of time with a 95 % interval; None without requests.

    Wilson's interval, which holds near 0 and 1, at the effective number of requests.
    """
    from scipy.stats import norm

    n = len(is_so)
    counted = wilson_interval(int(is_so.sum()), n, CONFIDENCE)
    if counted is None or n < FEWEST:
        return counted
    dependent = dependence(is_so.astype(np.float64))
    level = 2 * float(norm.cdf(_quantile(dependent, n))) - 1
    low, high = wilson_bounds(np.array(counted.value), np.array(n / dependent.inflation), level)
    return dataclasses.replace(counted, lower=float(low), upper=float(high))


def ratio_interval(parts: NDArray[np.float64], wholes: NDArray[np.float64]) -> Interval | None:
    """Return sum(parts) / sum(wholes) of requests in order of time, with a 95 % interval.

    The variance is that of a ratio (delta method; Cochran 1977, section 6.3) of dependent requests, with Student's t.
    None with fewer than 20 requests, or without a whole.
    """
    n, total = len(parts), float(wholes.sum())
    if n < FEWEST or total <= 0:
        return None
    value = float(parts.sum()) / total
    residuals = parts - value * wholes
    dependent = dependence(residuals)
    half = _quantile(dependent, n) * math.sqrt(n * float(residuals.var(ddof=1)) * dependent.inflation) / total
    return Interval(value, value - half, value + half, CONFIDENCE, n)


def mean_interval(values: NDArray[np.float64]) -> Interval | None:
    """Return the mean of values in order of time with a 95 % interval; None with fewer than 20."""
    return ratio_interval(values, np.ones(len(values)))


def block_shares(is_so: NDArray[np.bool_]) -> list[float]:
    """Return the share in each of at most 50 blocks in order of time."""
    n = len(is_so)
    blocks = min(BLOCKS, n)
    if blocks == 0:
        return []
    block_of = np.arange(n) * blocks // n
    counts = np.bincount(block_of, minlength=blocks)
    return [float(share) for share in np.bincount(block_of, weights=is_so, minlength=blocks) / counts]


def _quantile(dependent: Dependence, n: int) -> float:
    from scipy.stats import t

    blocks = max(FEWEST_BLOCKS, n / max(1, dependent.block))
    return float(t.ppf((1 + CONFIDENCE) / 2, blocks - 1))
