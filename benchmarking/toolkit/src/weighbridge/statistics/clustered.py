"""The mean of values that come in clusters, such as prompts about the same document, with an interval.

Values of a cluster are alike, so that many of them hold less information than as many independent ones. The error sums
the deviations of each cluster before it squares them: sqrt(sum_c (sum_{i in c} (x_i - mean))^2) / n * sqrt(C / (C - 1))
(Liang and Zeger 1986, Biometrika 73:13; Miller 2024, arXiv 2411.00640, for evaluations of language models).
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import Interval, wilson_bounds

CLUSTERED, STUDENT, WILD = "cluster-robust t", "t", "wild cluster bootstrap"
# Below, the distribution of the t statistic depends on the clusters, which the bootstrap takes into account.
FEW_CLUSTERS = 30
# Below, signs alone have too few combinations (Webb 2023, Canadian Journal of Economics 56:839).
VERY_FEW_CLUSTERS = 12
WEBB = np.array([-math.sqrt(1.5), -1.0, -math.sqrt(0.5), math.sqrt(0.5), 1.0, math.sqrt(1.5)])
DRAWS, STEPS = 1_999, 40
# Where the search for a bound ends: with two or three clusters, there may be none.
FAR_ERRORS = 1e6


@dataclasses.dataclass(frozen=True)
class ClusterSums:
    """The number and the sum of the values of each cluster, both of shape (clusters,)."""

    counts: NDArray[np.float64]
    sums: NDArray[np.float64]

    @property
    def n(self) -> int:
        """The number of values."""
        return int(self.counts.sum())

    @property
    def clusters(self) -> int:
        """The number of clusters."""
        return len(self.counts)

    @property
    def mean(self) -> float:
        """The mean of all values, each of the same weight."""
        return float(self.sums.sum() / self.counts.sum())

    @property
    def error(self) -> float:
        """The cluster-robust standard error of the mean; NaN for a single cluster."""
        if self.clusters < 2:
            return math.nan
        deviations = self.sums - self.mean * self.counts
        factor = math.sqrt(self.clusters / (self.clusters - 1))
        return float(np.sqrt((deviations**2).sum()) / self.counts.sum() * factor)


def cluster_sums(values: NDArray[np.float64], clusters: Sequence[Any] | None = None) -> ClusterSums:
    """Return the sums of values of shape (n,) by cluster; without clusters, each value is one."""
    if clusters is None:
        return ClusterSums(np.ones(len(values)), values.astype(np.float64))
    of_value = np.unique(np.asarray(clusters), return_inverse=True)[1]
    counts = np.bincount(of_value).astype(np.float64)
    return ClusterSums(counts, np.bincount(of_value, weights=values).astype(np.float64))


def clustered_interval(sums: ClusterSums, confidence: float) -> Interval | None:
    """Return the mean with Student's t of clusters - 1 degrees of freedom; None for fewer than two clusters.

    n is the number of values.
    """
    from scipy.stats import t

    if sums.clusters < 2:
        return None
    half = float(t.ppf((1 + confidence) / 2, sums.clusters - 1)) * sums.error
    method = STUDENT if sums.clusters == sums.n else CLUSTERED
    return Interval(sums.mean, sums.mean - half, sums.mean + half, confidence, sums.n, method)


def clustered_share(sums: ClusterSums, confidence: float) -> Interval | None:
    """Return the interval of a mean of values from 0 to 1, within 0 and 1; None for fewer than two clusters.

    If clusters do not differ, the error is zero, which is no certainty: then Wilson's bounds for as many trials as
    there are clusters are taken.
    """
    interval = clustered_interval(sums, confidence)
    if interval is None:
        return None
    lower, upper = interval.lower, interval.upper
    # Rounding alone gives an error of this size.
    if sums.error < 1e-12:
        ends = wilson_bounds(np.array(sums.mean), np.array(sums.clusters), confidence)
        lower, upper = (float(end) for end in ends)
    return dataclasses.replace(interval, lower=max(0.0, lower), upper=min(1.0, upper))


def wild_interval(sums: ClusterSums, confidence: float, *, seed: int, draws: int = DRAWS) -> Interval | None:
    """Return the interval of the mean from a wild cluster bootstrap of its t statistic; None below two clusters.

    It holds the means that the test with imposed null hypothesis does not reject (Cameron, Gelbach and Miller 2008,
    Review of Economics and Statistics 90:414), found by bisection. The weights of clusters are random signs, or Webb's
    six points for fewer than 12 clusters.
    """
    if sums.clusters < 2:
        return None
    if sums.error < 1e-12:
        return Interval(sums.mean, sums.mean, sums.mean, confidence, sums.n, WILD)
    rng = np.random.default_rng(seed)
    points = WEBB if sums.clusters < VERY_FEW_CLUSTERS else np.array([-1.0, 1.0])
    drawn = _drawn(sums, rng.choice(points, size=(draws, sums.clusters)))
    ends = [_wild_end(sums, drawn, side, 1 - confidence) for side in (-1.0, 1.0)]
    return Interval(sums.mean, ends[0], ends[1], confidence, sums.n, WILD)


@dataclasses.dataclass(frozen=True)
class _Drawn:
    """Weighted sums over clusters, of shape (draws, 3): the coefficients of 1, -null and null^2.

    With weights w, sums s and counts n: `means` of w (s - null n), `cross` of w n (s - null n), `squares` of
    w^2 (s - null n)^2.
    """

    means: NDArray[np.float64]
    cross: NDArray[np.float64]
    squares: NDArray[np.float64]


def _drawn(sums: ClusterSums, weights: NDArray[np.float64]) -> _Drawn:
    counts, totals, nothing = sums.counts, sums.sums, np.zeros(sums.clusters)
    return _Drawn(
        weights @ np.column_stack([totals, counts, nothing]),
        weights @ np.column_stack([totals * counts, counts**2, nothing]),
        weights**2 @ np.column_stack([totals**2, 2 * totals * counts, counts**2]),
    )


def _wild_end(sums: ClusterSums, drawn: _Drawn, side: float, alpha: float) -> float:
    """Return the mean on one side of the estimate at which the p-value falls below alpha."""
    near, far = 0.0, 4 * sums.error
    while _wild_p(sums, drawn, sums.mean + side * far) > alpha and far < FAR_ERRORS * sums.error:
        near, far = far, 2 * far
    for _ in range(STEPS):
        middle = (near + far) / 2
        near, far = (middle, far) if _wild_p(sums, drawn, sums.mean + side * middle) > alpha else (near, middle)
    return sums.mean + side * far


def _wild_p(sums: ClusterSums, drawn: _Drawn, null: float) -> float:
    """Return the share of bootstrap samples whose t statistic is as large as that of a true mean `null`."""
    terms = np.array([1.0, -null, null**2])
    means = drawn.means @ terms / sums.counts.sum()
    squares = drawn.squares @ terms - 2 * means * (drawn.cross @ terms) + means**2 * (sums.counts**2).sum()
    factor = math.sqrt(sums.clusters / (sums.clusters - 1)) / sums.counts.sum()
    errors = np.sqrt(np.maximum(squares, 0.0)) * factor
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = np.nan_to_num(np.abs(means) / errors, nan=0.0)
    # Weights of one sign give the statistic of the sample itself, but for rounding.
    stated = abs(sums.mean - null) / sums.error
    return float((statistics >= stated * (1 - 1e-9)).mean())
