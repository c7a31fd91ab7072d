"""What an accepted answer of an option costs, and what it saves, with the uncertainty of the test and of prices.

The pass rate and the cost of a request are drawn together, by a Bayesian bootstrap over clusters of prompts, so that
options on the same prompts are paired. Ranges of prices are drawn beside, one draw for all options that use one.
"""

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from weighbridge.costs.spec.inputs import draw_all
from weighbridge.costs.uncertainty import Range, middle_of
from weighbridge.costs.value.accepted_answers import AnswerChecks, accepted_cost
from weighbridge.costs.value.pass_rates import cluster_draws, drawn_rate
from weighbridge.optimization.language.plan_file import AnswerComparison
from weighbridge.tradeoff.candidates import CostSaving, Estimate

USD = "USD"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrawSettings:
    """The level of intervals, the number of draws and their seed."""

    confidence: float = 0.95
    draws: int = 10_000
    seed: int = 20_260_101


@dataclasses.dataclass(frozen=True)
class StatedPart:
    """A stated amount per request of the option `name`, and how often it is paid for each prompt, shape (prompts,)."""

    name: str
    usd: float | Range
    times: NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class AnswerValues:
    """The share of passed answers and the cost by the token of each prompt, and the stated amounts; with clusters."""

    passed: NDArray[np.float64]
    usd: tuple[Fraction, ...]
    stated: tuple[StatedPart, ...]
    clusters: Sequence[str]

    @property
    def pass_rate(self) -> float:
        """The share of passed answers."""
        return float(self.passed.mean())

    @property
    def usd_per_request(self) -> float:
        """The mean cost of a request, at the medians of stated ranges."""
        by_token = float(sum(self.usd, Fraction(0)) / len(self.usd))
        return by_token + sum(middle_of(part.usd) * float(part.times.mean()) for part in self.stated)


@dataclasses.dataclass(frozen=True)
class DrawnAnswers:
    """The cost of a request and of an accepted answer: values, and draws of shape (draws,); from so many clusters."""

    usd_per_request: float
    usd_per_accepted: float
    request_draws: NDArray[np.float64]
    accepted_draws: NDArray[np.float64]
    clusters: int

    @property
    def is_finite(self) -> bool:
        """Whether an accepted answer has a cost: some answer passes, or a person answers instead."""
        return bool(np.isfinite(self.usd_per_accepted) and np.isfinite(self.accepted_draws).all())


def drawn_answers(values: AnswerValues, plan: AnswerComparison, settings: DrawSettings) -> DrawnAnswers:
    """Return the costs of an option with their draws."""
    n, seed = settings.draws, settings.seed
    columns = [values.passed, np.array([float(each) for each in values.usd]), *(part.times for part in values.stated)]
    drawn = cluster_draws(np.stack(columns, axis=1), values.clusters, n=n, seed=seed, stream="prompts")
    passed = np.clip(drawn[:, 0], 0.0, 1.0)
    if values.pass_rate in (0.0, 1.0):
        # All clusters are alike, which is no certainty.
        count = len(set(values.clusters))
        passed = drawn_rate(round(values.pass_rate) * count, count, n=n, seed=seed, stream="pass_rate")
    requests = drawn[:, 1].copy()
    for place, part in enumerate(values.stated, start=2):
        requests += drawn[:, place] * _amounts(part, settings)
    costs = [
        accepted_cost(
            AnswerChecks(pass_rate=rate, judge_usd=plan.check_usd, fallback_usd=plan.fallback_usd), usd
        ).usd_per_accepted
        for rate, usd in ((values.pass_rate, values.usd_per_request), (passed, requests))
    ]
    return DrawnAnswers(
        values.usd_per_request, float(costs[0]), requests, np.asarray(costs[1]), len(set(values.clusters))
    )


def _amounts(part: StatedPart, settings: DrawSettings) -> float | NDArray[np.float64]:
    if not isinstance(part.usd, Range):
        return part.usd
    drawn = draw_all({"usd_per_request": part.usd}, seed=settings.seed, n=settings.draws, stream=f"{part.name}/")
    return drawn["usd_per_request"]


def saving_of(baseline: DrawnAnswers, other: DrawnAnswers, settings: DrawSettings) -> CostSaving | None:
    """Return what an accepted answer of the baseline costs more than one of the other; None if one has no cost."""
    if not (baseline.is_finite and other.is_finite):
        return None
    value = baseline.usd_per_accepted - other.usd_per_accepted
    lower, upper = _ends(baseline.accepted_draws - other.accepted_draws, value, other.clusters, settings)
    return CostSaving(value, lower, upper, settings.confidence, settings.draws)


def cost_estimates(costs: DrawnAnswers, n: int, settings: DrawSettings) -> dict[str, Estimate]:
    """Return the cost of a request and, if there is one, of an accepted answer; `n` prompts."""
    found = {"cost_per_request_usd": (costs.usd_per_request, costs.request_draws)}
    if costs.is_finite:
        found["cost_per_accepted_usd"] = (costs.usd_per_accepted, costs.accepted_draws)
    return {
        name: Estimate(value, max(0.0, lower), upper, settings.confidence, n, USD)
        for name, (value, draws) in found.items()
        for lower, upper in [_ends(draws, value, costs.clusters, settings)]
    }


def _ends(draws: NDArray[np.float64], value: float, clusters: int, settings: DrawSettings) -> tuple[float, float]:
    """Return the central interval of draws, widened for few clusters; it holds the value.

    The variance of a Bayesian bootstrap is (C - 1) / (C + 1) of the cluster-robust one, and its quantiles are those of
    a normal distribution instead of Student's t with C - 1 degrees of freedom.
    """
    from scipy.stats import norm, t

    inside = (1 + settings.confidence) / 2
    lower, upper = np.quantile(draws, [1 - inside, inside])
    wider = math.sqrt((clusters + 1) / max(1, clusters - 1)) * float(
        t.ppf(inside, max(1, clusters - 1)) / norm.ppf(inside)
    )
    return value - wider * max(0.0, value - float(lower)), value + wider * max(0.0, float(upper) - value)
