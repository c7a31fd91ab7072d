"""Draws of the share of good requests at each measured rate, which account for the differences between runs.

Near the highest rate, requests are good or bad together, and one run can have far fewer good requests than the next: at
one rate, five simulated runs of 1,100 requests had shares from 0.74 to 0.96. A binomial interval is therefore far too
narrow. The draws use what simulations of continuous batching showed:

- The odds of a bad request, (1 - share) / share, differ between runs by a factor. Its variance, in a run of n requests,
  is `spread / n`, about the same at every rate near the highest one; the binomial variance is added.
- A run has by chance more or less work than its rate says, and the odds change steeply with the load. The spread is
  therefore expected to be about 3 times the square of the slope of the log odds against the logarithm of the rate.
- The factor is skewed to bad runs, as a gamma distribution is. A few runs often miss the bad ones, and then differ less
  than runs do.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.capacity.measured_runs import RunsAtRate

Floats = NDArray[np.float64]
# The spread of simulated servers over the square of their slope, and the number of further runs that this is worth.
SPREAD_PER_SLOPE, EXPECTED_RUNS = 3.0, 2
SLOPE_MIN = 2.0
# A variance from skewed runs is less certain, as if the runs were fewer by 1 + this / shape. If the odds had a gamma
# distribution, it would be 3, but simulated runs are more skewed.
SKEW = 6.0
# The variance of the draws is that of the runs times this. Set so that the 90 % interval of replicas held the truth in
# 90 % of 600 simulated servers.
WIDENING = 1.15
# The median of a gamma distribution is about its shape minus this: half of the draws are on each side of the fit.
MEDIAN_SHIFT = 1 / 3
FARTHEST = 25.0


@dataclasses.dataclass(frozen=True)
class Spread:
    """How much runs differ: `requests` is the variance of a run's log odds times its requests, as about `runs` show."""

    requests: float
    runs: float


def logit(share: Floats) -> Floats:
    """Return the log odds of shares strictly between 0 and 1."""
    return np.log(share / (1 - share))


def non_increasing(values: Floats, weights: Floats) -> Floats:
    """Return the weighted least-squares fit that never increases along the last axis, for each row of (draws, rates).

    The max-min formula of isotonic regression (Robertson, Wright and Dykstra 1988, section 1.4).
    """
    fit = np.full(values.shape, np.inf)
    for start in range(values.shape[1]):
        total = np.cumsum(weights[start:])
        means = np.cumsum(values[:, start:] * weights[start:], axis=1) / total
        highest = np.maximum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        fit[:, start:] = np.minimum(fit[:, start:], highest)
    return fit


def fitted_shares(groups: Sequence[RunsAtRate]) -> Floats:
    """Return the share of good requests at each rate, fitted so that it never increases, strictly within 0 and 1."""
    requests = np.array([float(group.requests) for group in groups])
    shares = np.array([group.share for group in groups])
    return np.ravel(non_increasing(((shares * requests + 0.5) / (requests + 1))[None, :], requests))


def rates_at_edge(fit: Floats, target: float) -> tuple[int, int]:
    """Return the places of the highest rate that meets the target and the next one; both are the same at an end."""
    meets = int((fit >= target).sum())
    return max(meets - 1, 0), min(meets, len(fit) - 1)


def spread_of(groups: Sequence[RunsAtRate], fit: Floats, target: float) -> Spread:
    """Return how much runs differ at the rates around the highest one, one more on each side.

    What their seeds show beyond binomial variance is weighed with what the slope of the fit lets expect.
    """
    below, above = rates_at_edge(fit, target)
    near = range(max(below - 1, 0), min(above + 2, len(groups)))
    excess = expected = 0.0
    for place in near:
        shares = np.array([run.share for run in groups[place].runs])
        requests = np.array([run.n for run in groups[place].runs])
        slope, freedom = fit[place] * (1 - fit[place]), len(shares) - 1
        excess += float((requests * (shares - shares.mean()) ** 2).sum()) / slope - freedom
        expected += freedom * slope
    prior = SPREAD_PER_SLOPE * slope_of([groups[place] for place in near], fit[near.start : near.stop]) ** 2
    freedom = sum(groups[place].seeds - 1 for place in near)
    shown = max(excess, 0.0) / expected if freedom else prior
    rough = (prior * EXPECTED_RUNS + shown * freedom) / (EXPECTED_RUNS + freedom)
    per_run = float(np.mean([groups[place].requests / groups[place].seeds for place in near]))
    runs = freedom / (1 + SKEW * rough / per_run)
    return Spread((prior * EXPECTED_RUNS + shown * runs) / (EXPECTED_RUNS + runs), EXPECTED_RUNS + runs)


def slope_of(groups: Sequence[RunsAtRate], fit: Floats) -> float:
    """Return by how much the log odds fall per unit of the logarithm of the rate: a weighted line, at least 2."""
    rates = np.log([group.rate_per_s for group in groups])
    weights = np.sqrt(fit * (1 - fit) * np.array([group.requests for group in groups]))
    centered = rates - np.average(rates, weights=weights)
    squares = float((weights * centered**2).sum())
    return max(-float((weights * centered * logit(fit)).sum()) / squares, SLOPE_MIN) if squares > 0 else SLOPE_MIN


def draw_shares(
    groups: Sequence[RunsAtRate], fit: Floats, spread: Spread, *, draws: int, rng: np.random.Generator
) -> Floats:
    """Return log odds of the share of good requests, shape (draws, rates), that never increase with the rate.

    A run varies at least as much as its blocks say.
    """
    seeds = np.array([group.seeds for group in groups])
    per_run = np.array([group.requests for group in groups]) / seeds
    slope = fit * (1 - fit)
    drawn = spread.requests * spread.runs / rng.chisquare(spread.runs, draws)
    of_runs = (slope + drawn[:, None] * slope**2) / per_run
    variance = np.maximum(of_runs, [_within_runs(group) for group in groups]) / seeds * WIDENING
    shape = slope**2 / variance
    factor = rng.gamma(shape + MEDIAN_SHIFT) / shape
    odds = np.clip(logit(fit) + np.log(np.maximum(factor, np.finfo(np.float64).tiny)), -FARTHEST, FARTHEST)
    return non_increasing(odds, np.median(shape, axis=0))


def _within_runs(group: RunsAtRate) -> float:
    """Return the variance of the share of a run that its blocks show, averaged over the runs; 0 without blocks."""
    variances = [float(np.var(run.blocks, ddof=1)) / len(run.blocks) for run in group.runs if len(run.blocks) > 1]
    return float(np.mean(variances)) if variances else 0.0
