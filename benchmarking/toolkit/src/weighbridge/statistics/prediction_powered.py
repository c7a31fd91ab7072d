"""The mean of what people would say, from a judge of everything and people for a random part (PPI++).

Angelopoulos, Duchi and Zrnic (2023, arXiv 2311.01453): with y of people and f of the judge, n labelled and M others,
theta = lam * mean_M(f) + mean_n(y - lam * f). For every lam the judge's bias cancels; the lam that makes the variance
smallest is cov_n(y, f) / (var(f) * (1 + n / M)). Both may be differences of two models.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.clustered import FEW_CLUSTERS
from weighbridge.statistics.order_statistics import Interval

NORMAL, RESAMPLED = "PPI++", "PPI++ bootstrap"
# Shares this near to an end have a skewed estimate, unless many people label.
NEAR_END, MANY_LABELS = 0.1, 400
RESAMPLES = 1_000


@dataclasses.dataclass(frozen=True)
class JudgedSample:
    """`human` and `judge` of the labelled of shape (n,), `others` of those that only the judge saw, of shape (M,).

    `clusters` belongs to the labelled followed by the others; None is one cluster for each.
    """

    human: NDArray[np.float64]
    judge: NDArray[np.float64]
    others: NDArray[np.float64]
    clusters: Sequence[Any] | None = None

    @property
    def groups(self) -> NDArray[np.int64]:
        """The number of the cluster of each, of the labelled first."""
        n = len(self.human) + len(self.others)
        return np.arange(n) if self.clusters is None else np.unique(np.asarray(self.clusters), return_inverse=True)[1]


@dataclasses.dataclass(frozen=True)
class Corrected:
    """The corrected mean with its interval, and the weight `lam` of the judge, 0 (no help) to 1."""

    interval: Interval
    lam: float


def ppi_mean(judged: JudgedSample, confidence: float, *, seed: int, is_share: bool = True) -> Corrected:
    """Return the corrected mean; the interval is normal, or a bootstrap of clusters near the ends of a share.

    With fewer than 30 clusters of labels, Student's t takes the place of the normal distribution. Without others, it is
    the mean of what people say. n is the number of labels. Needs two labels or more, in two clusters or more.
    """
    from scipy.stats import norm, t

    sums = _sums(judged)
    value, lam = (float(each) for each in _estimates(sums.sum(axis=0)))
    clusters = int((sums[:, 0] > 0).sum())
    level = (1 + confidence) / 2
    errors = t.ppf(level, max(1, clusters - 1)) if clusters < FEW_CLUSTERS else norm.ppf(level)
    half = float(errors) * _error(judged, lam)
    lower, upper, method = value - half, value + half, NORMAL
    n = len(judged.human)
    if is_share and not NEAR_END < value < 1 - NEAR_END and n < MANY_LABELS:
        drawn = _resampled(sums, seed)
        tail = (1 - confidence) / 2
        ends = np.quantile(drawn, (tail, 1 - tail))
        # The wider of both: each misses on another side.
        lower, upper, method = min(lower, float(ends[0])), max(upper, float(ends[1])), RESAMPLED
    if is_share:
        value, lower, upper = (min(1.0, max(0.0, each)) for each in (value, lower, upper))
    return Corrected(Interval(value, lower, upper, confidence, n, method), lam)


def _sums(judged: JudgedSample) -> NDArray[np.float64]:
    """Return, by cluster, what the estimate needs: n, y, f, y f, f f of the labelled; M, f, f f of the others."""
    human, judge, others = judged.human, judged.judge, judged.others
    n, m = len(human), len(others)
    rows = np.zeros((n + m, 8))
    rows[:n, :5] = np.column_stack([np.ones(n), human, judge, human * judge, judge * judge])
    rows[n:, 5:] = np.column_stack([np.ones(m), others, others * others])
    totals = np.zeros((int(judged.groups.max()) + 1, 8))
    np.add.at(totals, judged.groups, rows)
    return totals


def _estimates(sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return theta and lam of sums of shape (..., 8); NaN without labels."""
    n, y, f, yf, ff, m, g, gg = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (ff + gg - (f + g) ** 2 / (n + m)) / (n + m - 1)
        covariance = (yf - y * f / n) / (n - 1)
        lam = np.clip(covariance / (spread * (1 + n / m)), 0.0, 1.0)
        # Without others, or with a judge that always says the same, only people count.
        lam = np.where((m > 0) & (spread > 1e-12), np.nan_to_num(lam), 0.0)
        theta = lam * np.where(m > 0, g / np.maximum(m, 1), 0.0) + (y - lam * f) / n
    return theta, lam


def _error(judged: JudgedSample, lam: float) -> float:
    """Return the cluster-robust standard error: sqrt(lam^2 var(f) / M + var(y - lam f) / n) if nothing is clustered."""
    rest = judged.human - lam * judged.judge
    terms = [(rest - rest.mean()) / len(rest)]
    if len(judged.others):
        terms.append(lam * (judged.others - judged.others.mean()) / len(judged.others))
    totals = np.bincount(judged.groups, weights=np.concatenate(terms))
    count = len(totals)
    return float(np.sqrt((totals**2).sum() * count / (count - 1)))


def _resampled(sums: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return estimates of samples of whole clusters; those with and without labels are drawn apart, lam anew."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((RESAMPLES, sums.shape[1]))
    for has_labels in (True, False):
        group = sums[(sums[:, 0] > 0) == has_labels]
        if len(group):
            # Equal clusters are drawn together: with verdicts of yes and no, few differ.
            kinds, repeats = np.unique(group, axis=0, return_counts=True)
            drawn += rng.multinomial(len(group), repeats / len(group), size=RESAMPLES) @ kinds
    return _estimates(drawn)[0]
