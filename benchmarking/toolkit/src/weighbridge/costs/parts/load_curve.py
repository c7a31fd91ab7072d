"""Load curves: how a year's requests spread over the hours. A curve is rates per second and the hours each
one lasts.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid

HOURS_PER_YEAR = 8_760
HOURS_PER_WEEK = 168
HOURS_PER_DAY = 24
MONTHS = 12
SECONDS_PER_HOUR = 3_600


@dataclasses.dataclass(frozen=True)
class LoadCurve:
    """`rates_per_s` (n,) in order of time, each lasting `hours` of a year; n times `hours` is 8,760."""

    rates_per_s: NDArray[np.float64]
    hours: float

    @property
    def requests_per_year(self) -> float:
        """Return all requests of the year."""
        return float(self.rates_per_s.sum()) * self.hours * SECONDS_PER_HOUR

    @property
    def peak_per_s(self) -> float:
        """Return the rate of the busiest hour."""
        return float(self.rates_per_s.max())


def weekly_shape(*, day_swing: float = 0.75, weekend: float = 0.6, peak_hour: int = 14) -> NDArray[np.float64]:
    """Return 168 weights with mean 1, Monday first: a cosine of ± `day_swing` around noon, Saturdays and Sundays
    scaled.

    `weekend` is the share of a working day's traffic that a weekend day has.
    """
    if not 0 <= day_swing <= 1:
        raise Invalid("The daily swing lies between 0 (flat) and 1 (silent at night).", field="day_swing")
    if weekend <= 0:
        raise Invalid("The weekend's share of traffic must be positive.", field="weekend")
    hours = np.arange(HOURS_PER_WEEK)
    day = 1 + day_swing * np.cos(2 * np.pi * (hours % HOURS_PER_DAY - peak_hour) / HOURS_PER_DAY)
    shape = day * np.where(hours // HOURS_PER_DAY >= 5, weekend, 1.0)
    return np.asarray(shape / shape.mean())


def curve_of_year(
    requests_per_year: float, *, shape: NDArray[np.float64] | None = None, monthly_growth: float = 0.0
) -> LoadCurve:
    """Return the curve of a year: `shape` (168,) repeated in each of 12 months, growing by `monthly_growth` (0.02: 2
    %).

    The year's requests are `requests_per_year` whatever the growth; it only moves them toward the end.
    """
    if requests_per_year <= 0:
        raise Invalid("The requests of a year must be a positive number.", field="requests_per_year")
    if monthly_growth <= -1:
        raise Invalid("Traffic cannot shrink by all of it or more in a month.", field="monthly_growth")
    week = weekly_shape() if shape is None else shape / shape.mean()
    growth = (1 + monthly_growth) ** np.arange(MONTHS)
    weights = np.outer(growth / growth.mean(), week).ravel()
    return LoadCurve(requests_per_year / (HOURS_PER_YEAR * SECONDS_PER_HOUR) * weights, HOURS_PER_YEAR / len(weights))


def curve_of_counts(counts: Sequence[float]) -> LoadCurve:
    """Return the curve of observed requests per hour, at least a day of them, taken as typical of the year."""
    observed = np.asarray(counts, dtype=np.float64)
    if len(observed) < HOURS_PER_DAY:
        text = (
            f"{len(observed)} hours are too few for a curve; give at least {HOURS_PER_DAY}, better a week "
            f"({HOURS_PER_WEEK})."
        )
        raise Invalid(text, field="counts")
    if not np.isfinite(observed).all() or (observed < 0).any():
        raise Invalid("Requests per hour are numbers of zero or more.", field="counts")
    if not observed.any():
        raise Invalid("All hours are without requests; there is nothing to size.", field="counts")
    return LoadCurve(observed / SECONDS_PER_HOUR, HOURS_PER_YEAR / len(observed))
