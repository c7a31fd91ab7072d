"""Percentiles of samples that follow each other: how many independent samples they are worth, by a block bootstrap.

A slow moment spoils many inferences in a row, so thousands of samples may know no more than a few hundred. What is
resampled is the share of samples up to the percentile, in circular blocks; its variance over all blocks is the
bootstrap's own, in closed form, so nothing is drawn. The bounds are the order statistics of that many fewer samples.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import MLPERF_CONFIDENCE, Interval, most_over, percentile, quantile_ranks


@dataclasses.dataclass(frozen=True)
class Dependence:
    """How samples depend on those before them.

    `block` is the length of a block that may be taken as independent of the next, 0 where no autocorrelation stands out
    of the noise; `inflation` is the variance of the mean over that of as many independent samples, at least 1.
    """

    block: int
    inflation: float


def dependence(values: NDArray[np.float64]) -> Dependence:
    """Find the block length by the rule of Politis and White (2004, corrected 2009) and the inflation that goes with
    it.

    The inflation is the larger of two estimates: the circular block bootstrap's with blocks of twice that length (the
    rule's blocks are the best for the mean squared error, and too short for coverage), and the rule's own flat-top one.
    """
    n = len(values)
    noisy = max(5, math.ceil(math.sqrt(math.log10(n))))
    longest = min(n - 1, math.ceil(math.sqrt(n)) + noisy)
    covariances = autocovariances(values, longest)
    if covariances[0] <= 0:
        return Dependence(0, 1.0)
    lags = _significant_lags(covariances, n, noisy)
    if lags == 0:
        return Dependence(0, 1.0)
    window = np.arange(1, min(2 * lags, longest) + 1)
    weights = np.clip(2 * (1 - window / window[-1]), 0, 1) * covariances[window]
    flat_top = float(covariances[0] + 2 * weights.sum())
    bend = float(2 * (window * weights).sum())
    longest_block = min(3 * math.sqrt(n), n / 3)
    block = (1.5 * bend**2 / flat_top**2 * n) ** (1 / 3) if flat_top > 0 else longest_block
    length = math.ceil(min(max(block, 1.0), longest_block))
    variance = max(flat_top, circular_block_variance(values, min(2 * length, n)))
    return Dependence(length, max(1.0, variance / float(covariances[0])))


def autocovariances(values: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """Return the autocovariances at lags 0 to `longest`, each a sum over n."""
    n = len(values)
    spectrum = np.fft.rfft(values - values.mean(), 2 * n)
    return np.asarray(np.fft.irfft(spectrum * np.conj(spectrum))[: longest + 1] / n)


def circular_block_variance(values: NDArray[np.float64], length: int) -> float:
    """Return n times the variance that the circular block bootstrap (Politis and Romano 1992) gives the mean.

    Each resample is a row of blocks drawn at random from the n circular ones, so this is `length` times the variance of
    a block's mean over all of them.
    """
    centered = values - values.mean()
    sums = np.cumsum(np.concatenate([[0.0], centered, centered[: length - 1]]))
    return float(np.mean((sums[length:] - sums[:-length]) ** 2)) / length


def serial_percentile_interval(
    samples: Sequence[float] | NDArray[Any], p: float, confidence: float = MLPERF_CONFIDENCE
) -> Interval | None:
    """Return the percentile `p` of samples in order of time, with bounds that bear their dependence; `method` names it.

    Independent samples get the order-statistic interval. Others get that of as many samples as they are worth; where
    those bear no bound at the level asked for, the extreme sample bounds it, at the lower level that they do bear.
    None below MLPerf's floor of samples.
    """
    values = np.asarray(samples, dtype=np.float64)
    n = len(values)
    if most_over(n, p) < 1:
        return None
    point = percentile(values, p)
    found = _dependence_at(values, point)
    worth = max(1, int(n / found.inflation))
    low, high = quantile_ranks(worth, p, confidence)
    if low is None or high is None:
        confidence = min(confidence, _borne(worth, p, low, high))
    ordered = np.sort(values)
    first = max(1, math.floor((low or 0) * n / worth))
    last = min(n, math.ceil((high or worth) * n / worth))
    return Interval(
        point,
        min(point, float(ordered[first - 1])),
        max(point, float(ordered[last - 1])),
        confidence,
        n,
        method=_method(found, n, worth),
    )


def _dependence_at(values: NDArray[np.float64], point: float) -> Dependence:
    """Find how samples follow each other below a point; where many tie with it, below or up to it,
    whichever is worse.
    """
    sides = [values <= point, values < point]
    found = (dependence(side.astype(np.float64)) for side in sides[: 2 if np.sum(values == point) > 1 else 1])
    return max(found, key=lambda dependent: dependent.inflation)


def _borne(worth: int, p: float, low: int | None, high: int | None) -> float:
    """Return the level at which the percentile lies between the bounds, the extreme sample standing in for a missing
    one.

    Rounded down to a hundredth, and never nought, which is no level.
    """
    from scipy.stats import binom

    level = float(binom.cdf((high or worth) - 1, worth, p) - binom.cdf((low or 1) - 1, worth, p))
    return max(0.01, math.floor(100 * level) / 100)


def _method(found: Dependence, n: int, worth: int) -> str:
    if worth == n:
        return "order statistics"
    return f"order statistics by circular block bootstrap: blocks of {found.block}, {n} samples worth {worth}"


def _significant_lags(covariances: NDArray[np.float64], n: int, noisy: int) -> int:
    """Return the lag after which `noisy` autocorrelations in a row drown in noise, 0 where the first already do."""
    drowned = np.abs(covariances[1:] / covariances[0]) < 2 * math.sqrt(math.log10(n) / n)
    for lag in range(len(drowned) - noisy + 1):
        if drowned[lag : lag + noisy].all():
            return lag
    return len(drowned)
