"""Trend and level shift: tests whether the latency changed during a run.

Both tests use the medians of 20 to 100 equal blocks of the run. The blocks are long enough that their medians are
nearly independent, and few enough that the tests are fast for 100,000 samples.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.percentile_intervals import dependence

ALPHA = 0.01
FEWEST_BLOCKS, MOST_BLOCKS, SMALLEST_BLOCK = 20, 100, 5


@dataclasses.dataclass(frozen=True)
class Trend:
    """A steady change: the change over the whole run as a share of its median (0.1 is +10 %), and the p-value."""

    change: float
    p_value: float


@dataclasses.dataclass(frozen=True)
class Shift:
    """A step: its position in the run (0 to 1), the change as a share of the median before it, and the p-value."""

    at: float
    change: float
    p_value: float


def detect_movement(samples: NDArray[np.float64], *, alpha: float = ALPHA) -> Trend | Shift | None:
    """Return the significant trend or step at level `alpha` of samples in order of time; if both, the better fit.

    Returns None without a significant change, and for fewer than 100 samples.
    """
    medians = block_medians(samples)
    if medians is None or not medians.min() > 0:
        return None
    trend, shift = mann_kendall(medians), pettitt(medians)
    is_trend, is_shift = trend.p_value < alpha, shift.p_value < alpha
    if is_trend and is_shift:
        return shift if _misfit_of_step(medians, shift) < _misfit_of_line(medians) else trend
    return trend if is_trend else shift if is_shift else None


def growth(samples: NDArray[np.float64], *, alpha: float = ALPHA) -> Trend | None:
    """Return the significant upward trend of samples in order of time, such as that of a queue that never empties."""
    medians = block_medians(samples)
    trend = mann_kendall(medians) if medians is not None and medians.min() > 0 else None
    return trend if trend is not None and trend.p_value < alpha and trend.change > 0 else None


def block_medians(samples: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the medians of 20 to 100 equal blocks, with enough samples twice as long as the dependence.

    The dependence is the smaller one of both halves of the run, so that a step does not count as dependence. Samples
    that do not fill the last block are omitted. None with fewer than 5 samples per block.
    """
    n = len(samples)
    if n < FEWEST_BLOCKS * SMALLEST_BLOCK:
        return None
    halves = samples[: n // 2], samples[n // 2 :]
    reach = min(dependence((half <= np.median(half)).astype(np.float64)).block for half in halves)
    count = min(MOST_BLOCKS, max(FEWEST_BLOCKS, n // max(2 * reach, SMALLEST_BLOCK)))
    size = n // count
    return np.asarray(np.median(samples[: size * count].reshape(count, size), axis=1))


def mann_kendall(values: NDArray[np.float64]) -> Trend:
    """Test for a trend by Mann and Kendall, with the variance corrected for autocorrelation (Hamed and Rao 1998).

    The correction uses the significant autocorrelations of the ranks after removing the Theil-Sen slope. It may only
    increase the variance, because anticorrelation of few blocks is weak evidence. The change is the slope times n.
    """
    from scipy.stats import norm

    n = len(values)
    first, second = np.triu_indices(n, 1)
    score = float(np.sign(values[second] - values[first]).sum())
    slope = float(np.median((values[second] - values[first]) / (second - first)))
    ties = np.unique(values, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - float(np.sum(ties * (ties - 1) * (2 * ties + 5)))) / 18
    variance *= max(1.0, hamed_rao_factor(values - np.arange(1, n + 1) * slope))
    z = (abs(score) - 1) / math.sqrt(variance) if score and variance > 0 else 0.0
    return Trend(slope * n / float(np.median(values)), float(min(1.0, 2 * norm.sf(z))))


def hamed_rao_factor(residuals: NDArray[np.float64], *, alpha: float = 0.05) -> float:
    """Return n / n* of Hamed and Rao: the factor by which autocorrelation of the ranks increases the variance."""
    from scipy.stats import norm, rankdata

    n = len(residuals)
    ranks = rankdata(residuals) - (n + 1) / 2
    if not ranks.any():
        return 1.0
    correlations = np.correlate(ranks, ranks, "full")[n:] / float(ranks @ ranks)
    lags = np.arange(1, n)
    limit = float(norm.ppf(1 - alpha / 2)) / math.sqrt(n)
    weights = (n - lags) * (n - lags - 1) * (n - lags - 2)
    return 1 + 2 * float(np.sum(weights * correlations * (np.abs(correlations) > limit))) / (n * (n - 1) * (n - 2))


def pettitt(values: NDArray[np.float64]) -> Shift:
    """Test for one step at an unknown position (Pettitt 1979); the p-value is the bound 2 exp(-6 K^2 / (n^3 + n^2))."""
    from scipy.stats import rankdata

    n = len(values)
    sums = 2 * np.cumsum(rankdata(values))[:-1] - np.arange(1, n) * (n + 1)
    place = int(np.abs(sums).argmax())
    before, after = float(np.median(values[: place + 1])), float(np.median(values[place + 1 :]))
    p_value = min(1.0, 2 * math.exp(-6 * float(sums[place]) ** 2 / (n**3 + n**2)))
    return Shift((place + 1) / n, after / before - 1, p_value)


def _misfit_of_step(values: NDArray[np.float64], shift: Shift) -> float:
    place = round(shift.at * len(values))
    parts = values[:place], values[place:]
    return float(sum(np.abs(part - np.median(part)).sum() for part in parts))


def _misfit_of_line(values: NDArray[np.float64]) -> float:
    places = np.arange(len(values))
    first, second = np.triu_indices(len(values), 1)
    detrended = values - np.median((values[second] - values[first]) / (second - first)) * places
    return float(np.abs(detrended - np.median(detrended)).sum())
