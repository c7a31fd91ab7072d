"""Percentiles of dependent samples: their effective sample size, by a circular block bootstrap.

A slow moment affects many inferences in a row, so thousands of samples may contain no more information than a few
hundred independent ones. The bootstrap resamples the share of samples up to the percentile in circular blocks. Its
variance has a closed form, so nothing is drawn. The bounds are order statistics at the effective sample size.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import (
    MLPERF_CONFIDENCE,
    Interval,
    max_over_limit,
    percentile,
    quantile_ranks,
)


@dataclasses.dataclass(frozen=True)
class Dependence:
    """How samples depend on the samples before them.

    `block` is the length of a block that is nearly independent of the next, 0 without significant autocorrelation;
    `inflation` is the variance of the mean relative to independent samples, at least 1.
    """

    block: int
    inflation: float


def dependence(values: NDArray[np.float64]) -> Dependence:
    """Return the block length by the rule of Politis and White (2004, corrected 2009) and the inflation of variance.

    The inflation is the larger of two estimates: the circular block bootstrap with blocks of twice that length (the
    rule minimizes the mean squared error, which is too short for coverage), and the flat-top estimate of the rule.
    """
    n = len(values)
    run = max(5, math.ceil(math.sqrt(math.log10(n))))
    longest = min(n - 1, math.ceil(math.sqrt(n)) + run)
    covariances = autocovariances(values, longest)
    if covariances[0] <= 0:
        return Dependence(0, 1.0)
    lags = _significant_lags(covariances, n, run)
    if lags == 0:
        return Dependence(0, 1.0)
    window = np.arange(1, min(2 * lags, longest) + 1)
    weights = np.clip(2 * (1 - window / window[-1]), 0, 1) * covariances[window]
    flat_top = float(covariances[0] + 2 * weights.sum())
    curvature = float(2 * (window * weights).sum())
    longest_block = min(3 * math.sqrt(n), n / 3)
    block = (1.5 * curvature**2 / flat_top**2 * n) ** (1 / 3) if flat_top > 0 else longest_block
    length = math.ceil(min(max(block, 1.0), longest_block))
    variance = max(flat_top, circular_block_variance(values, min(2 * length, n)))
    return Dependence(length, max(1.0, variance / float(covariances[0])))


def autocovariances(values: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """Return the autocovariances at lags 0 to `longest`, each a sum over n.

    The Fourier transform is circular, so `longest` zeros keep the end of the samples apart from their beginning.
    """
    from scipy import fft

    n = len(values)
    length = fft.next_fast_len(n + longest, real=True)
    spectrum = fft.rfft(values - values.mean(), length)
    return np.asarray(fft.irfft(spectrum * np.conj(spectrum), length)[: longest + 1] / n)


def circular_block_variance(values: NDArray[np.float64], length: int) -> float:
    """Return n times the variance of the mean under the circular block bootstrap (Politis and Romano 1992).

    A resample consists of blocks drawn at random from the n circular ones, so this is `length` times the variance of
    the block means.
    """
    centered = values - values.mean()
    sums = np.cumsum(np.concatenate([[0.0], centered, centered[: length - 1]]))
    return float(np.mean((sums[length:] - sums[:-length]) ** 2)) / length


def serial_percentile_interval(
    samples: Sequence[float] | NDArray[Any], p: float, confidence: float = MLPERF_CONFIDENCE
) -> Interval | None:
    """Return the percentile `p` of samples in order of time, with bounds that account for dependence.

    The bounds are order statistics at the effective sample size. If that is too small for the confidence level, the
    bound is the extreme sample and the level is lower. `method` of the result names the method. None below the minimum
    number of samples of MLPerf.
    """
    values = np.asarray(samples, dtype=np.float64)
    n = len(values)
    if max_over_limit(n, p) < 1:
        return None
    point = percentile(values, p)
    dependent = _dependence_at(values, point)
    effective_n = max(1, int(n / dependent.inflation))
    low, high = quantile_ranks(effective_n, p, confidence)
    if low is None or high is None:
        confidence = min(confidence, _achieved_level(effective_n, p, low, high))
    ordered = np.sort(values)
    first = max(1, math.floor((low or 0) * n / effective_n))
    last = min(n, math.ceil((high or effective_n) * n / effective_n))
    return Interval(
        point,
        min(point, float(ordered[first - 1])),
        max(point, float(ordered[last - 1])),
        confidence,
        n,
        method=_method(dependent, n, effective_n),
    )


def _dependence_at(values: NDArray[np.float64], point: float) -> Dependence:
    """Return the dependence of the indicator of samples up to a point; with ties, the worse of "up to" and "below"."""
    sides = [values <= point, values < point]
    candidates = (dependence(side.astype(np.float64)) for side in sides[: 2 if np.sum(values == point) > 1 else 1])
    return max(candidates, key=lambda dependent: dependent.inflation)


def _achieved_level(effective_n: int, p: float, low: int | None, high: int | None) -> float:
    """Return the level of the bounds, rounded down to 0.01, with the extreme sample in place of a missing one."""
    from scipy.stats import binom

    level = float(binom.cdf((high or effective_n) - 1, effective_n, p) - binom.cdf((low or 1) - 1, effective_n, p))
    return max(0.01, math.floor(100 * level) / 100)


def _method(dependent: Dependence, n: int, effective_n: int) -> str:
    if effective_n == n:
        return "order statistics"
    return f"order statistics by circular block bootstrap: blocks of {dependent.block}, {n} samples worth {effective_n}"


def _significant_lags(covariances: NDArray[np.float64], n: int, run: int) -> int:
    """Return the lag after which `run` consecutive autocorrelations are insignificant."""
    insignificant = np.abs(covariances[1:] / covariances[0]) < 2 * math.sqrt(math.log10(n) / n)
    for lag in range(len(insignificant) - run + 1):
        if insignificant[lag : lag + run].all():
            return lag
    return len(insignificant)
