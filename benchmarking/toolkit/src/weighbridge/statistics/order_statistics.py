"""Statistics that assume no distribution: how sure a percentile, a rate or a score is.

Every function returns None where the samples are too few for an honest figure; a caller shows nothing then.
All of them assume independent samples, which inferences one after the other only approximate; `resampling` does not.
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
    """A figure between its bounds, with the level at which they hold, the number of samples, and how they
    were found.
    """

    value: float
    lower: float
    upper: float
    confidence: float
    n: int
    method: str | None = None


def percentile(samples: Sequence[float] | NDArray[Any], p: float) -> float:
    """Return the percentile `p` (0 to 1) of the samples by linear interpolation, in their unit."""
    if not 0 <= p <= 1:
        raise ValueError(f"a percentile lies between 0 and 1, not at {p}")
    if len(samples) == 0:
        raise ValueError("no samples have no percentile")
    return float(np.quantile(np.asarray(samples, dtype=np.float64), p))


def most_over(n: int, p: float, confidence: float = MLPERF_CONFIDENCE) -> int:
    """Return the largest t such that P[Binomial(n, 1 - p) <= t] < 1 - confidence, or -1 if there is none.

    MLPerf's early stopping (LoadGen `early_stopping.cc`, tolerance 0): with at most t of n samples over a limit,
    the true percentile `p` lies below that limit with the given confidence.
    """
    from scipy.stats import binom

    # The quantile is the first t that reaches the probability, so the one before it is the last that stays below.
    first_reaching = int(binom.ppf(1 - confidence, n, 1 - p))
    below = float(binom.cdf(first_reaching, n, 1 - p)) < 1 - confidence
    return first_reaching if below else first_reaching - 1


def minimum_samples(p: float, confidence: float = MLPERF_CONFIDENCE) -> int:
    """Return MLPerf's floor `h_min(1) + 1`: with fewer samples, the percentile `p` gets no figure."""
    low, high = 1, 2
    while most_over(high, p, confidence) < 1:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if most_over(middle, p, confidence) >= 1 else (middle, high)
    return high


def early_stopping_bound(
    samples: Sequence[float] | NDArray[Any], p: float, confidence: float = MLPERF_CONFIDENCE
) -> float | None:
    """Return MLPerf's upper bound of the percentile `p`: the sorted sample of rank n - t; None below the floor."""
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    over = most_over(len(ordered), p, confidence)
    return float(ordered[len(ordered) - over]) if over >= 1 else None


def quantile_ranks(n: int, p: float, confidence: float) -> tuple[int | None, int | None]:
    """Return the two ranks (1 to n) between whose samples the percentile `p` lies; None where a rank does not exist.

    asv's `quantile_ci`: P[X_(r) < q_p < X_(s)] = P[r <= K <= s - 1] with K binomial(n, p).
    """
    from scipy.stats import binom

    tail = (1 - confidence) / 2
    low = int(binom.ppf(tail, n, p))
    high = int(binom.ppf(1 - tail, n, p)) + 1
    return (low if low >= 1 else None), (high if high <= n else None)


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval | None:
    """Return the proportion with Wilson's score interval (Wilson 1927); None without trials."""
    from scipy.stats import norm

    if n == 0:
        return None
    z = float(norm.ppf((1 + confidence) / 2))
    share = successes / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Rounding may leave a bound a few ulps on the wrong side of a share of 0 or 1.
    return Interval(share, min(share, max(0.0, center - half)), max(share, min(1.0, center + half)), confidence, n)


def failure_interval(failures: int, n: int, confidence: float = 0.95) -> Interval | None:
    """Return the failure ratio with Clopper and Pearson's one-sided upper bound; None without trials.

    Without a failure the bound is 1 - (1 - confidence)^(1/n): 1,000 inferences can promise 0.30 % and no better.
    The lower bound is 0: the question is only how bad it may be.
    """
    from scipy.stats import beta

    if n == 0:
        return None
    upper = 1.0 if failures == n else float(beta.ppf(confidence, failures + 1, n - failures))
    return Interval(failures / n, 0.0, upper, confidence, n)


def mean_interval(
    samples: Sequence[float] | NDArray[Any], *, batches: int = 20, confidence: float = 0.95
) -> Interval | None:
    """Return the mean with the interval of non-overlapping batch means (Student's t), which bears autocorrelation.

    Samples that do not fill the last batch are left out. None with fewer than 10 samples in a batch.
    """
    from scipy.stats import t

    size = len(samples) // batches
    if size < 10:
        return None
    means = np.asarray(samples, dtype=np.float64)[: size * batches].reshape(batches, size).mean(axis=1)
    center = float(means.mean())
    half = float(t.ppf((1 + confidence) / 2, batches - 1) * means.std(ddof=1) / math.sqrt(batches))
    return Interval(center, center - half, center + half, confidence, size * batches)
