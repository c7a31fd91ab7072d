"""The highest rate that meets a latency limit: doubling, narrowing, then a monotone curve through replicated trials.

A pure search over `trial(rate) -> latency`: what is asked, a model in this process or an endpoint, is the caller's. As
in AIPerf's planner, noise is met with isotonic regression over replicates and the crossing is read from a monotone
cubic (PCHIP); the interval is a bootstrap over trials, and the reason at the edge is part of the answer.
"""

import dataclasses
import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.deadline import OutOfTime

# Margins are log(latency / limit), cut here: how far beyond a factor of 20 a queue grew only says how long it was let.
FARTHEST = math.log(20.0)
CLIFF = math.log(4.0)
# Rates closer than 5 % to each other are not told apart any further, which is AIPerf's limit too.
CLOSEST = 1.05
MOST_REFINEMENTS = 8

Trial = Callable[[float], float | None]


class Edge(StrEnum):
    """How the search ended."""

    BRACKETED = "bracketed"
    CLIFF = "cliff"
    NO_FAILURE = "no_failure_in_range"
    NO_PASS = "no_pass_in_range"  # noqa: S105 -- a reason, no password
    OUT_OF_TIME = "out_of_time"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """The range searched (1/s), where it starts, how close the bracket is narrowed, and the trials within it.

    `closeness` is the ratio of the failing to the passing rate at which narrowing ends; then `points` rates from a
    little below to a little above the bracket are tried `replicates` times each, in random order.
    """

    lowest: float
    highest: float
    start: float
    closeness: float = 1.3
    points: int = 5
    replicates: int = 3
    resamples: int = 400
    confidence: float = 0.95
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Refuse a search that cannot end or has no interval."""
        if not 0 < self.lowest <= self.start <= self.highest:
            raise Invalid("The search starts between the lowest and the highest rate, all above 0.", field="start")
        if self.closeness <= 1 or self.points < 2 or self.replicates < 2:
            raise Invalid("Ask for a closeness above 1, and at least 2 points and 2 replicates.", field="points")
        if not 0 < self.confidence < 1 or self.resamples < 100:
            raise Invalid("An interval needs a level between 0 and 1 and at least 100 resamples.", field="resamples")


@dataclasses.dataclass(frozen=True)
class HighestRate:
    """The rate (1/s) with its interval, how the search ended, and every trial as (rate, latency in ms or None).

    Without a failure in the range, `value` is the highest rate tried and there is no upper bound; without a pass there
    is no value, and the lowest rate tried is the upper bound. Out of time, `lower` is the rate up to which every trial
    passed (the value too), `upper` the one from which every trial failed; they are no interval, `confidence` is None.
    """

    value: float | None
    lower: float | None
    upper: float | None
    confidence: float | None
    reason: Edge
    trials: tuple[tuple[float, float | None], ...]


def find_highest_rate(
    trial: Trial, *, limit_ms: float, settings: SearchSettings, on_tick: Callable[[float], None] = lambda _: None
) -> HighestRate:
    """Search the highest rate at which `trial` answers a latency of at most `limit_ms`; None counts as far above it.

    `on_tick` gets a rough share of the work done before every trial. A `trial` that raises OutOfTime ends the search
    with what is known; whatever else it raises passes through.
    """
    search = _Search(trial, limit_ms, settings, on_tick)
    try:
        return _found(search, settings)
    except OutOfTime:
        return search.so_far()


def _found(search: "_Search", settings: SearchSettings) -> HighestRate:
    passing, failing = search.bracket()
    if failing is None:
        return search.edge(Edge.NO_FAILURE, value=passing, lower=passing, upper=None)
    if passing is None:
        return search.edge(Edge.NO_PASS, value=None, lower=None, upper=failing)
    passing, failing = search.narrow(passing, failing)
    search.replicate(passing, failing)
    search.refine()
    rates, margins = search.margins()
    lower, upper = interval(rates, margins, settings)
    value, is_cliff = crossing(rates, margins)
    reason = Edge.CLIFF if is_cliff else Edge.BRACKETED
    return search.edge(reason, value=value, lower=min(lower, value), upper=max(upper, value))


class _Search:
    """The trials so far."""

    def __init__(
        self, trial: Trial, limit_ms: float, settings: SearchSettings, on_tick: Callable[[float], None]
    ) -> None:
        self._ask, self._limit_ms, self._settings, self._on_tick = trial, limit_ms, settings, on_tick
        self.trials: list[tuple[float, float | None]] = []

    def passes(self, rate: float) -> bool:
        most = 8 + self._settings.points * self._settings.replicates
        self._on_tick(min(0.99, len(self.trials) / most))
        latency_ms = self._ask(rate)
        self.trials.append((rate, latency_ms))
        return self._is_met(latency_ms)

    def _is_met(self, latency_ms: float | None) -> bool:
        return latency_ms is not None and latency_ms <= self._limit_ms

    def bracket(self) -> tuple[float | None, float | None]:
        """Double, or halve, from the start until the answer changes or the range ends; return (passing, failing)."""
        rate, settings = self._settings.start, self._settings
        goes_up = self.passes(rate)
        while True:
            beyond = min(rate * 2, settings.highest) if goes_up else max(rate / 2, settings.lowest)
            if beyond == rate:
                return (rate, None) if goes_up else (None, rate)
            if self.passes(beyond) is not goes_up:
                return (rate, beyond) if goes_up else (beyond, rate)
            rate = beyond

    def narrow(self, passing: float, failing: float) -> tuple[float, float]:
        """Halve the bracket on the logarithm until it is close."""
        while failing / passing > self._settings.closeness:
            middle = math.sqrt(passing * failing)
            passing, failing = (middle, failing) if self.passes(middle) else (passing, middle)
        return passing, failing

    def replicate(self, passing: float, failing: float) -> None:
        """Try rates in and around the bracket several times: a single verdict there may have been luck."""
        slack = math.sqrt(self._settings.closeness)
        low, high = max(passing / slack, self._settings.lowest), min(failing * slack, self._settings.highest)
        grid = np.tile(np.geomspace(low, high, self._settings.points), self._settings.replicates)
        for rate in np.random.default_rng(self._settings.seed).permutation(grid):
            self.passes(float(rate))

    def refine(self) -> None:
        """Go between the rates on both sides of the limit while they lie far apart, or the curve leaps from one to the
        other.
        """
        for _ in range(MOST_REFINEMENTS):
            places, fitted = monotone(*self.margins())
            above = int(np.searchsorted(fitted, 0.0, side="right"))
            if above in (0, len(places)):
                return
            is_leap = fitted[above] - fitted[above - 1] > CLIFF
            if places[above] / places[above - 1] <= (CLOSEST if is_leap else self._settings.closeness):
                return
            for _ in range(self._settings.replicates):
                self.passes(float(math.sqrt(places[above] * places[above - 1])))

    def margins(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the rates in order and log(latency / limit) of each trial, cut at a factor of 20 either way."""
        ordered = sorted(self.trials, key=lambda trial: trial[0])
        found = [math.inf if latency is None else latency for _, latency in ordered]
        with np.errstate(divide="ignore"):
            margins = np.log(np.array(found) / self._limit_ms)
        return np.array([rate for rate, _ in ordered]), np.clip(margins, -FARTHEST, FARTHEST)

    def so_far(self) -> HighestRate:
        """Return what the trials agree on: up to one rate all of them passed, from another on all failed."""
        passed = [rate for rate, latency_ms in self.trials if self._is_met(latency_ms)]
        failed = [rate for rate, latency_ms in self.trials if not self._is_met(latency_ms)]
        lower = max((rate for rate in passed if rate < min(failed, default=math.inf)), default=None)
        upper = min((rate for rate in failed if rate > max(passed, default=0.0)), default=None)
        return self.edge(Edge.OUT_OF_TIME, value=lower, lower=lower, upper=upper, confidence=None)

    def edge(self, reason: Edge, **figures: Any) -> HighestRate:
        known = {"confidence": self._settings.confidence, **figures}
        return HighestRate(**known, reason=reason, trials=tuple(self.trials))


def crossing(rates: NDArray[np.float64], margins: NDArray[np.float64]) -> tuple[float, bool]:
    """Return the rate at which the monotone curve through the trials meets 0, and whether it is a cliff there.

    `rates` in order, equal ones beside each other; `margins` rise with them but for noise. A curve that never meets 0
    meets it at its end. At a cliff (a factor of 4 from one rate to the next) nothing between the two is known, and the
    rate below it is the answer.
    """
    from scipy.interpolate import PchipInterpolator

    places, fitted = monotone(rates, margins)
    above = int(np.searchsorted(fitted, 0.0, side="right"))
    if above in (0, len(places)):
        return float(places[min(above, len(places) - 1)]), False
    if fitted[above] - fitted[above - 1] > CLIFF:
        return float(places[above - 1]), True
    roots = PchipInterpolator(places, fitted).roots(extrapolate=False)
    within = [float(root) for root in roots if places[above - 1] <= root <= places[above]]
    return max(within, default=float(places[above - 1])), False


def monotone(
    rates: NDArray[np.float64], margins: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the different rates in order and the isotonic regression of the mean margins on them."""
    from scipy.optimize import isotonic_regression

    places, where = np.unique(rates, return_inverse=True)
    weights = np.bincount(where).astype(np.float64)
    return places, isotonic_regression(np.bincount(where, weights=margins) / weights, weights=weights).x


def interval(rates: NDArray[np.float64], margins: NDArray[np.float64], settings: SearchSettings) -> tuple[float, float]:
    """Return the percentile interval of the crossing over resampled trials (pairs of rate and margin)."""
    rng = np.random.default_rng(settings.seed)
    found = np.empty(settings.resamples)
    for index in range(settings.resamples):
        drawn = np.sort(rng.integers(0, len(rates), len(rates)))
        found[index] = crossing(rates[drawn], margins[drawn])[0]
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)


def as_document(found: HighestRate, *, limit_ms: float) -> dict[str, Any]:
    """Return the answer as a JSON-able mapping: `highest_rate_per_s` in the form of a figure, the reason,
    the trials.
    """
    return {
        "limit_ms": limit_ms,
        "reason": found.reason.value,
        "highest_rate_per_s": {
            "value": found.value,
            "lower": found.lower,
            "upper": found.upper,
            "confidence": found.confidence,
            "n": len(found.trials),
            "unit": "1/s",
        },
        "trials": [{"rate_per_s": rate, "latency_ms": latency_ms} for rate, latency_ms in found.trials],
    }
