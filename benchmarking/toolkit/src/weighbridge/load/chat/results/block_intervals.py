"""Intervals of means, shares and ratios of requests under load, from blocks in order of time.

Neighboring requests are fast or slow together, so that each is no independent trial: a binomial interval is too narrow.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.results.intervals import BLOCKS, CONFIDENCE
from weighbridge.statistics.order_statistics import Interval, wilson_interval

FEWEST_BLOCKS = 10


def share_interval(is_so: NDArray[np.bool_]) -> Interval | None:
    """Return the share of requests in order of time with a 95 % interval; None without requests.

    Each bound is the wider one of Student's t on the means of 50 blocks, which allows for dependence, and Wilson's,
    which holds for a share of 0 or 1, where no block differs.
    """
    counted = wilson_interval(int(is_so.sum()), len(is_so), CONFIDENCE)
    blocked = ratio_interval(is_so.astype(np.float64), np.ones(len(is_so)))
    if counted is None or blocked is None:
        return counted
    lower, upper = max(0.0, min(counted.lower, blocked.lower)), min(1.0, max(counted.upper, blocked.upper))
    return dataclasses.replace(counted, lower=lower, upper=upper)


def mean_of_blocks(means: NDArray[np.float64]) -> Interval:
    """Return the mean of two or more equal blocks with Student's 95 % interval."""
    from scipy.stats import t

    n, value = len(means), float(means.mean())
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * float(means.std(ddof=1)) / math.sqrt(n)
    return Interval(value, value - half, value + half, CONFIDENCE, n)


def ratio_interval(parts: NDArray[np.float64], wholes: NDArray[np.float64]) -> Interval | None:
    """Return sum(parts) / sum(wholes) of requests in order of time, with a 95 % interval by blocks.

    The variance is that of a ratio of block sums (delta method; Cochran 1977, section 6.3), with Student's t. None with
    fewer than 20 requests, or without a whole.
    """
    from scipy.stats import t

    n, total = len(parts), float(wholes.sum())
    blocks = min(BLOCKS, n // 2)
    if blocks < FEWEST_BLOCKS or total <= 0:
        return None
    block_of = np.arange(n) * blocks // n
    part_sums, whole_sums = (np.bincount(block_of, weights=each, minlength=blocks) for each in (parts, wholes))
    value = float(parts.sum()) / total
    residuals = part_sums - value * whole_sums
    spread = math.sqrt(float(residuals @ residuals) * blocks / (blocks - 1)) / total
    half = float(t.ppf((1 + CONFIDENCE) / 2, blocks - 1)) * spread
    return Interval(value, value - half, value + half, CONFIDENCE, n)


def block_shares(is_so: NDArray[np.bool_]) -> list[float]:
    """Return the share in each of at most 50 blocks in order of time."""
    n = len(is_so)
    blocks = min(BLOCKS, n)
    if blocks == 0:
        return []
    block_of = np.arange(n) * blocks // n
    counts = np.bincount(block_of, minlength=blocks)
    return [float(share) for share in np.bincount(block_of, weights=is_so, minlength=blocks) / counts]
