"""The highest rate that meets a latency limit: doubling, bisection, then a monotone fit to replicated trials.

A pure search over `trial(rate) -> latency`; the caller decides whether a trial measures a model in this process or an
endpoint. As in the planner of AIPerf, isotonic regression over replicates removes noise, and a monotone cubic (PCHIP)
gives the crossing. The interval is a bootstrap over trials. The result says how the search ended.
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

# Margins are log(latency / limit), clipped here: next_rate a factor of 20, the value only depends on the trial length.
FARTHEST = math.log(20.0)
CLIFF = math.log(4.0)
# Rates within 5 % of each other are not refined further, as in AIPerf.
CLOSEST = 1.05
MOST_REFINEMENTS = 8

Trial = Callable[[float], float | None]


class SearchEnd(StrEnum):
    """How the search ended."""

    BRACKETED = "bracketed"
    CLIFF = "cliff"
    NO_FAILURE = "no_failure_in_range"
    NO_PASS = "no_pass_in_range"  # noqa: S105 -- not a password
    OUT_OF_TIME = "out_of_time"
    CLIENT_LIMIT = "client_limit"
    TRIAL_FAILED = "trial_failed"
    STOPPED = "stopped"


# Only these ends give a highest rate; all others give what the trials bound.
FOUND = (SearchEnd.BRACKETED, SearchEnd.CLIFF)


class SearchEnded(Exception):  # noqa: N818 -- a control signal, not an error
    """A trial ends the search: it was stopped, failed, or says nothing about what is measured."""

    def __init__(self, reason: SearchEnd) -> None:
        """Store why the search ends."""
        super().__init__(reason.value)
        self.reason = reason


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """The search range (1/s), the starting rate, the precision of the bracket, and the trials within it.

    Narrowing ends when the ratio of the failing to the passing rate is at most `closeness`; then `points` rates around
    the bracket are tried `replicates` times each, in random order.
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
        """Raise Invalid for a search that cannot end or has no interval."""
        if not 0 < self.lowest <= self.start <= self.highest:
            text = "The starting rate must be between the lowest and the highest rate, and all must be above 0."
            raise Invalid(text, field="start")
        if self.closeness <= 1 or self.points < 2 or self.replicates < 2:
            raise Invalid("The closeness must be above 1, with at least 2 points and 2 replicates.", field="points")
        if not 0 < self.confidence < 1 or self.resamples < 100:
            raise Invalid("An interval needs a level between 0 and 1 and at least 100 resamples.", field="resamples")


@dataclasses.dataclass(frozen=True)
class HighestRate:
    """The rate (1/s) with its interval, how the search ended, and every trial as (rate, latency in ms or None).

    Only a search that ended as in FOUND has a value and a confidence. For any other, `lower` is the rate up to which
    all trials passed, `upper` the rate from which all trials failed, or None.
    """

    value: float | None
    lower: float | None
    upper: float | None
    confidence: float | None
    reason: SearchEnd
    trials: tuple[tuple[float, float | None], ...]


def find_highest_rate(
    trial: Trial, *, limit_ms: float, settings: SearchSettings, on_tick: Callable[[float], None] = lambda _: None
) -> HighestRate:
    """Find the highest rate at which `trial` returns a latency of at most `limit_ms`; None counts as far above it.

    `on_tick` receives the approximate share of work done before every trial. If `trial` raises OutOfTime or
    SearchEnded, the search ends with what the trials so far bound; other exceptions pass through.
    """
    search = _Search(trial, limit_ms, settings, on_tick)
    try:
        return _complete_search(search, settings)
    except OutOfTime:
        return search.so_far(SearchEnd.OUT_OF_TIME)
    except SearchEnded as ended:
        return search.so_far(ended.reason)


def _complete_search(search: "_Search", settings: SearchSettings) -> HighestRate:
    passing, failing = search.bracket()
    if failing is None or passing is None:
        return search.so_far(SearchEnd.NO_FAILURE if failing is None else SearchEnd.NO_PASS)
    passing, failing = search.narrow(passing, failing)
    search.replicate(passing, failing)
    search.refine()
    rates, margins = search.margins()
    lower, upper = crossing_interval(rates, margins, settings)
    value, is_cliff = crossing(rates, margins)
    reason = SearchEnd.CLIFF if is_cliff else SearchEnd.BRACKETED
    return search.edge(reason, value=value, lower=min(lower, value), upper=max(upper, value))


class _Search:
    """The trials so far."""

    def __init__(
        self, trial: Trial, limit_ms: float, settings: SearchSettings, on_tick: Callable[[float], None]
    ) -> None:
        self._ask, self._limit_ms, self._settings, self._on_tick = trial, limit_ms, settings, on_tick
        self.trials: list[tuple[float, float | None]] = []

    def passes(self, rate: float) -> bool:
        expected_trials = 8 + self._settings.points * self._settings.replicates
        self._on_tick(min(0.99, len(self.trials) / expected_trials))
        latency_ms = self._ask(rate)
        self.trials.append((rate, latency_ms))
        return self._is_met(latency_ms)

    def _is_met(self, latency_ms: float | None) -> bool:
        return latency_ms is not None and latency_ms <= self._limit_ms

    def bracket(self) -> tuple[float | None, float | None]:
        """Double or halve the rate until the answer changes or the range ends; return (passing, failing)."""
        rate, settings = self._settings.start, self._settings
        goes_up = self.passes(rate)
        while True:
            next_rate = min(rate * 2, settings.highest) if goes_up else max(rate / 2, settings.lowest)
            if next_rate == rate:
                return (rate, None) if goes_up else (None, rate)
            if self.passes(next_rate) is not goes_up:
                return (rate, next_rate) if goes_up else (next_rate, rate)
            rate = next_rate

    def narrow(self, passing: float, failing: float) -> tuple[float, float]:
        """Bisect the bracket on the log scale until it is narrow enough."""
        while failing / passing > self._settings.closeness:
            middle = math.sqrt(passing * failing)
            passing, failing = (middle, failing) if self.passes(middle) else (passing, middle)
        return passing, failing

    def replicate(self, passing: float, failing: float) -> None:
        """Try rates in and around the bracket several times, because a single trial may be chance."""
        slack = math.sqrt(self._settings.closeness)
        low, high = max(passing / slack, self._settings.lowest), min(failing * slack, self._settings.highest)
        grid = np.tile(np.geomspace(low, high, self._settings.points), self._settings.replicates)
        for rate in np.random.default_rng(self._settings.seed).permutation(grid):
            self.passes(float(rate))

    def refine(self) -> None:
        """Add trials between the rates on both sides of the limit while they are far apart or the curve jumps."""
        for _ in range(MOST_REFINEMENTS):
            places, fitted = monotone_fit(*self.margins())
            above = int(np.searchsorted(fitted, 0.0, side="right"))
            if above in (0, len(places)):
                return
            is_jump = fitted[above] - fitted[above - 1] > CLIFF
            if places[above] / places[above - 1] <= (CLOSEST if is_jump else self._settings.closeness):
                return
            for _ in range(self._settings.replicates):
                self.passes(float(math.sqrt(places[above] * places[above - 1])))

    def margins(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the rates in order and log(latency / limit) of each trial, clipped at a factor of 20 either way."""
        ordered = sorted(self.trials, key=lambda trial: trial[0])
        latencies = [math.inf if latency is None else latency for _, latency in ordered]
        with np.errstate(divide="ignore"):
            margins = np.log(np.array(latencies) / self._limit_ms)
        return np.array([rate for rate, _ in ordered]), np.clip(margins, -FARTHEST, FARTHEST)

    def so_far(self, reason: SearchEnd) -> HighestRate:
        """Return the rate up to which all trials passed and the rate from which all trials failed."""
        passed = [rate for rate, latency_ms in self.trials if self._is_met(latency_ms)]
        failed = [rate for rate, latency_ms in self.trials if not self._is_met(latency_ms)]
        lower = max((rate for rate in passed if rate < min(failed, default=math.inf)), default=None)
        upper = min((rate for rate in failed if rate > max(passed, default=0.0)), default=None)
        return self.edge(reason, value=None, lower=lower, upper=upper, confidence=None)

    def edge(self, reason: SearchEnd, **values: Any) -> HighestRate:
        fields = {"confidence": self._settings.confidence, **values}
        return HighestRate(**fields, reason=reason, trials=tuple(self.trials))


def crossing(rates: NDArray[np.float64], margins: NDArray[np.float64]) -> tuple[float, bool]:
    """Return the rate at which the monotone curve through the trials crosses 0, and whether there is a cliff.

    `rates` must be sorted; `margins` rise with them except for noise. A curve that never crosses 0 gives its end. At a
    cliff (a factor of 4 between adjacent rates) the rates in between are not resolved, and the result is the rate
    below.
    """
    from scipy.interpolate import PchipInterpolator

    places, fitted = monotone_fit(rates, margins)
    above = int(np.searchsorted(fitted, 0.0, side="right"))
    if above in (0, len(places)):
        return float(places[min(above, len(places) - 1)]), False
    if fitted[above] - fitted[above - 1] > CLIFF:
        return float(places[above - 1]), True
    roots = PchipInterpolator(places, fitted).roots(extrapolate=False)
    within = [float(root) for root in roots if places[above - 1] <= root <= places[above]]
    return max(within, default=float(places[above - 1])), False


def monotone_fit(
    rates: NDArray[np.float64], margins: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct rates in order and the isotonic regression of their mean margins."""
    from scipy.optimize import isotonic_regression

    places, where = np.unique(rates, return_inverse=True)
    weights = np.bincount(where).astype(np.float64)
    return places, isotonic_regression(np.bincount(where, weights=margins) / weights, weights=weights).x


def crossing_interval(
    rates: NDArray[np.float64], margins: NDArray[np.float64], settings: SearchSettings
) -> tuple[float, float]:
    """Return the percentile interval of the crossing over resampled trials (pairs of rate and margin)."""
    rng = np.random.default_rng(settings.seed)
    crossings = np.empty(settings.resamples)
    for index in range(settings.resamples):
        drawn = np.sort(rng.integers(0, len(rates), len(rates)))
        crossings[index] = crossing(rates[drawn], margins[drawn])[0]
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(crossings, [tail, 1 - tail])
    return float(low), float(high)


def as_document(result: HighestRate, *, limit_ms: float) -> dict[str, Any]:
    """Return the result as a JSON-able mapping: `highest_rate_per_s` as a metric if it was found, or else the bounds.

    `at_least_per_s` is the rate up to which all trials met the limit, `at_most_per_s` that from which all missed it.
    """
    is_found = result.reason in FOUND
    metric = {key: getattr(result, key) for key in ("value", "lower", "upper", "confidence")}
    return {
        "limit_ms": limit_ms,
        "reason": result.reason.value,
        "highest_rate_per_s": {**metric, "n": len(result.trials), "unit": "1/s"} if is_found else None,
        "at_least_per_s": None if is_found else result.lower,
        "at_most_per_s": None if is_found else result.upper,
        "trials": [{"rate_per_s": rate, "latency_ms": latency_ms} for rate, latency_ms in result.trials],
    }
