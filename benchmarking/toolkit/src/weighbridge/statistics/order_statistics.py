"""Distribution-free intervals of percentiles, rates and scores.

Every function returns None if there are too few samples for an interval. All functions assume independent samples,
which consecutive inferences are only approximately; `resampling` accounts for dependence.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MLPERF_CONFIDENCE = 0.99


@dataclasses.dataclass(frozen=True)
class Interval:
    """A value with its bounds, their confidence level, the number of samples, and the method."""

    value: float
    lower: float
    upper: float
    confidence: float
    n: int
    method: str | None = None


def percentile(samples: Sequence[float] | NDArray[Any], p: float) -> float:
    """Return the percentile `p` (0 to 1) of the samples by linear interpolation, in their unit."""
    if not 0 <= p <= 1:
        raise ValueError(f"a percentile must be between 0 and 1, not {p}")
    if len(samples) == 0:
        raise ValueError("a percentile needs at least one sample")
    return float(np.quantile(np.asarray(samples, dtype=np.float64), p))


def max_over_limit(n: int, p: float, confidence: float = MLPERF_CONFIDENCE) -> int:
    """Return the largest t such that P[Binomial(n, 1 - p) <= t] < 1 - confidence, or -1 if there is none.

    MLPerf's early stopping (LoadGen `early_stopping.cc`, tolerance 0): with at most t of n samples over a limit,
    the true percentile `p` lies below that limit with the given confidence.
    """
    from scipy.stats import binom

    # The quantile is the first t that reaches the probability; the value before it is the last one below.
    first_reaching = int(binom.ppf(1 - confidence, n, 1 - p))
    below = float(binom.cdf(first_reaching, n, 1 - p)) < 1 - confidence
    return first_reaching if below else first_reaching - 1


def minimum_samples(p: float, confidence: float = MLPERF_CONFIDENCE) -> int:
    """Return the minimum number of samples of MLPerf, `h_min(1) + 1`: with fewer, the percentile `p` has no value."""
    low, high = 1, 2
    while max_over_limit(high, p, confidence) < 1:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if max_over_limit(middle, p, confidence) >= 1 else (middle, high)
    return high


def early_stopping_bound(
    samples: Sequence[float] | NDArray[Any], p: float, confidence: float = MLPERF_CONFIDENCE
) -> float | None:
    """Return the upper bound of MLPerf for the percentile `p`: the sorted sample of rank n - t; None if too few."""
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    over = max_over_limit(len(ordered), p, confidence)
    return float(ordered[len(ordered) - over]) if over >= 1 else None


def quantile_ranks(n: int, p: float, confidence: float) -> tuple[int | None, int | None]:
    """Return the two ranks (1 to n) whose samples bound the percentile `p`; None if a rank does not exist.

    asv's `quantile_ci`: P[X_(r) < q_p < X_(s)] = P[r <= K <= s - 1] with K binomial(n, p).
    """
    from scipy.stats import binom

    tail = (1 - confidence) / 2
    low = int(binom.ppf(tail, n, p))
    high = int(binom.ppf(1 - tail, n, p)) + 1
    return (low if low >= 1 else None), (high if high <= n else None)


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval | None:
    """Return the proportion with Wilson's score interval (Wilson 1927); None without trials."""
    if n == 0:
        return None
    share = successes / n
    low, high = wilson_bounds(np.array(share), np.array(n), confidence)
    return Interval(share, float(low), float(high), confidence, n)


def wilson_bounds(
    share: NDArray[np.float64], n: NDArray[Any], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds of Wilson's interval of shares of `n` trials each, in one shape; 0 to 1 without trials."""
    from scipy.stats import norm

    z, trials = float(norm.ppf((1 + confidence) / 2)), np.maximum(n, 1)
    center = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # Rounding may put a bound a few ulps on the wrong side of a share of 0 or 1.
    low = np.minimum(share, np.maximum(0.0, center - half))
    high = np.maximum(share, np.minimum(1.0, center + half))
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


def failure_interval(failures: int, n: int, confidence: float = 0.95) -> Interval | None:
    """Return the failure ratio with Clopper and Pearson's one-sided upper bound; None without trials.

    Without a failure the bound is 1 - (1 - confidence)^(1/n): for 1,000 inferences 0.30 %. The lower bound
    is 0, because only the upper bound matters.
    """
    from scipy.stats import beta

    if n == 0:
        return None
    upper = 1.0 if failures == n else float(beta.ppf(confidence, failures + 1, n - failures))
    return Interval(failures / n, 0.0, upper, confidence, n)


def mean_interval(
    samples: Sequence[float] | NDArray[Any], *, batches: int = 20, confidence: float = 0.95
) -> Interval | None:
    """Return the mean with the interval of non-overlapping batch means (Student's t), which allows autocorrelation.

    Samples that do not fill the last batch are omitted. None with fewer than 10 samples per batch.
    """
    from scipy.stats import t

    size = len(samples) // batches
    if size < 10:
        return None
    means = np.asarray(samples, dtype=np.float64)[: size * batches].reshape(batches, size).mean(axis=1)
    center = float(means.mean())
    half = float(t.ppf((1 + confidence) / 2, batches - 1) * means.std(ddof=1) / math.sqrt(batches))
    return Interval(center, center - half, center + half, confidence, size * batches)


def tukey_counts(samples: NDArray[Any]) -> dict[str, int]:
    """Count samples beyond 1.5 (`low`, `high`) and 3 (`far_low`, `far_high`) interquartile ranges (Tukey).

    The near counts exclude the far ones. Outliers are never removed, because users wait for slow inferences too.
    """
    if len(samples) == 0:
        return {"far_low": 0, "low": 0, "high": 0, "far_high": 0}
    q1, q3 = np.quantile(samples, [0.25, 0.75])
    limits = [q1 - 3 * (q3 - q1), q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1), q3 + 3 * (q3 - q1)]
    far_low, low = (int(np.sum(samples < limit)) for limit in limits[:2])
    high, far_high = (int(np.sum(samples > limit)) for limit in limits[2:])
    return {"far_low": far_low, "low": low - far_low, "high": high - far_high, "far_high": far_high}
