"""Percentiles of response times under load, with intervals that allow for dependence of neighboring requests."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import Interval, max_over_limit, percentile, quantile_ranks

BLOCKS = 50
RESAMPLES = 400
CONFIDENCE = 0.95
# The value of a request without an answer: longer than any answer, and sortable.
UNANSWERED_MS = 1e300


def percentile_intervals(
    samples_ms: NDArray[np.float64], percentiles: Mapping[str, float], *, seed: int
) -> dict[str, Interval | None]:
    """Return each percentile (0 to 1) of samples in order of time, with a 95 % interval, or None.

    On each side, the bound is the wider one of two methods: order statistics (`quantile_ranks`), which assume
    independent samples, and a block bootstrap (Carlstein 1986: 50 blocks in order of time, drawn with replacement),
    which does not. None below the minimum number of samples of MLPerf, and if a percentile or its upper bound is at a
    request without an answer.
    """
    if len(samples_ms) == 0:
        return dict.fromkeys(percentiles)
    ordered = np.sort(samples_ms)
    drawn = block_bootstrap(samples_ms, list(percentiles.values()), seed=seed)
    tail = (1 - CONFIDENCE) / 2
    bounds = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return {
        name: _widest(ordered, p, float(low), float(high))
        for (name, p), low, high in zip(percentiles.items(), *bounds, strict=True)
    }


def block_bootstrap(samples: NDArray[np.float64], percentiles: list[float], *, seed: int) -> NDArray[np.float64]:
    """Return percentiles of resampled runs, shape (resamples, percentiles), from blocks in order of time."""
    rng, n = np.random.default_rng(seed), len(samples)
    blocks = min(BLOCKS, n)
    block_of = np.arange(n) * blocks // n
    order = np.argsort(samples, kind="stable")
    sorted_samples, sorted_blocks = samples[order], block_of[order]
    drawn = np.empty((RESAMPLES, len(percentiles)))
    for index in range(RESAMPLES):
        # A resample is not materialized: each sample counts as often as its block was drawn.
        times = np.bincount(rng.integers(0, blocks, blocks), minlength=blocks)
        reached = np.cumsum(times[sorted_blocks])
        ranks = np.searchsorted(reached, np.asarray(percentiles) * reached[-1], side="left")
        drawn[index] = sorted_samples[np.minimum(ranks, n - 1)]
    return drawn


def _widest(ordered: NDArray[np.float64], p: float, low: float, high: float) -> Interval | None:
    n = len(ordered)
    first, last = quantile_ranks(n, p, CONFIDENCE) if max_over_limit(n, p) >= 1 else (None, None)
    if first is None or last is None:
        return None
    lower, upper = min(low, float(ordered[first - 1])), max(high, float(ordered[last - 1]))
    value = percentile(ordered, p)
    if max(value, upper) >= UNANSWERED_MS / 2:
        return None
    return Interval(value, min(lower, value), max(upper, value), CONFIDENCE, n)
