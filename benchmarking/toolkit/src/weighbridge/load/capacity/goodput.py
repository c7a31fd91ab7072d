"""The goodput curve: good requests per second by offered rate, and the highest rate with enough good requests."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.load.capacity.measured_runs import MeasuredRun, RunsAtRate, runs_by_rate
from weighbridge.load.capacity.share_draws import (
    Floats,
    Spread,
    draw_shares,
    fitted_shares,
    logit,
    rates_at_edge,
    spread_of,
)
from weighbridge.statistics.order_statistics import Interval

DRAWS = 4_000
SEED = 20_260_101
CONFIDENCE = 0.90
TAILS = ((1 - CONFIDENCE) / 2, 0.5, (1 + CONFIDENCE) / 2)


@dataclasses.dataclass(frozen=True)
class CurvePoint:
    """A measured rate (1/s): share of good requests and goodput (1/s), fitted, with 90 % intervals."""

    rate_per_s: float
    share: Interval
    goodput_per_s: Interval
    seeds: int
    measured_share: float


@dataclasses.dataclass(frozen=True)
class GoodputCurve:
    """The curve of one replica for a target share of good requests.

    `highest_rates_per_s` has a draw each of the highest rate whose share meets the target: 0 if even the lowest
    measured rate misses it, infinity if even the highest meets it.
    """

    target: float
    groups: tuple[RunsAtRate, ...]
    points: tuple[CurvePoint, ...]
    spread: Spread
    highest_rates_per_s: Floats
    edge: tuple[int, int]

    @property
    def highest_goodput(self) -> CurvePoint:
        """Return the measured rate with the highest goodput."""
        return max(self.points, key=lambda point: point.goodput_per_s.value)

    def rate_quantile(self, p: float) -> float:
        """Return a quantile of the highest rate in 1/s, at most the highest measured rate."""
        rate = float(np.quantile(self.highest_rates_per_s, p, method="inverted_cdf"))
        return min(rate, self.groups[-1].rate_per_s)

    @property
    def highest_rate(self) -> Interval:
        """Return the highest rate in 1/s with its 90 % interval; `lower` is the rate that capacity may count on.

        It is the largest rate at which the lower 95 % bound (one-sided) of the good share meets the target, because a
        draw of the curve meets the target at a rate if and only if its highest rate is not below it. 0 if none is.
        """
        lower, middle, upper = map(self.rate_quantile, TAILS)
        return Interval(middle, lower, upper, CONFIDENCE, sum(group.seeds for group in self.groups), "runs")

    @property
    def beyond(self) -> float:
        """Return the share of draws in which even the highest measured rate meets the target."""
        return float(np.isinf(self.highest_rates_per_s).mean())


def goodput_curve(
    runs: Sequence[MeasuredRun], *, target: float = 0.95, draws: int = DRAWS, seed: int = SEED
) -> GoodputCurve:
    """Return the goodput curve of one replica from runs at several rates, with several seeds each near the highest.

    The share of good requests is fitted so that it does not increase with the rate, and drawn (`share_draws`) with the
    variation between runs. Between measured rates, its log odds are a straight line in the logarithm of the rate, which
    is how simulated servers behave near their highest rate. Nothing is drawn outside the measured rates. Raises Invalid
    for a target outside 0 to 1, and what `runs_by_rate` raises.
    """
    if not 0 < target < 1:
        raise Invalid("The share of good requests must be above 0 and below 1, like 0.95.", field="good")
    groups = runs_by_rate(runs)
    fit = fitted_shares(groups)
    spread = spread_of(groups, fit, target)
    odds = draw_shares(groups, fit, spread, draws=draws, rng=np.random.default_rng(seed))
    rates = np.array([group.rate_per_s for group in groups])
    drawn = np.quantile(1 / (1 + np.exp(-odds)), TAILS, axis=0)
    points = tuple(
        _point(group, float(fit[place]), float(drawn[0, place]), float(drawn[2, place]))
        for place, group in enumerate(groups)
    )
    highest = crossings(rates, odds, float(logit(np.array(target))))
    return GoodputCurve(target, groups, points, spread, highest, rates_at_edge(fit, target))


def _point(group: RunsAtRate, share: float, lower: float, upper: float) -> CurvePoint:
    low, high, rate, n = min(lower, share), max(upper, share), group.rate_per_s, group.requests
    return CurvePoint(
        rate,
        Interval(share, low, high, CONFIDENCE, n, "runs"),
        Interval(rate * share, rate * low, rate * high, CONFIDENCE, n, "runs"),
        group.seeds,
        group.share,
    )


def crossings(rates: Floats, odds: Floats, target: float) -> Floats:
    """Return for each row of `odds`, which never increase, the largest rate at which they are at least `target`.

    0 if all are below it, infinity if none is.
    """
    meets = (odds >= target).sum(axis=1)
    highest = np.where(meets == 0, 0.0, np.inf)
    rows = np.flatnonzero((meets > 0) & (meets < len(rates)))
    below = meets[rows] - 1
    here, further = odds[rows, below], odds[rows, below + 1]
    part = (here - target) / (here - further)
    highest[rows] = rates[below] * (rates[below + 1] / rates[below]) ** part
    return highest


def point_document(point: CurvePoint) -> dict[str, Any]:
    """Return a point as a JSON-able mapping."""
    keys = ("value", "lower", "upper")
    return {
        "rate_per_s": point.rate_per_s,
        "seeds": point.seeds,
        "n": point.share.n,
        "measured_share": point.measured_share,
        "good_share": {key: getattr(point.share, key) for key in keys},
        "goodput_per_s": {key: getattr(point.goodput_per_s, key) for key in keys},
    }
