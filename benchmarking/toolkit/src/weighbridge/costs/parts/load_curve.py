"""Load curves: the request rates (per second) over the hours of a year."""

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
    """`rates_per_s` (n,) in chronological order; each lasts `hours` of a year, and n · `hours` is 8,760."""

    rates_per_s: NDArray[np.float64]
    hours: float

    @property
    def requests_per_year(self) -> float:
        """Return the number of requests in the year."""
        return float(self.rates_per_s.sum()) * self.hours * SECONDS_PER_HOUR

    @property
    def peak_per_s(self) -> float:
        """Return the rate of the busiest hour."""
        return float(self.rates_per_s.max())


def weekly_shape(*, day_swing: float = 0.75, weekend: float = 0.6, peak_hour: int = 14) -> NDArray[np.float64]:
    """Return 168 weights with mean 1, from Monday: a cosine of ± `day_swing` around noon, scaled on weekends.

    `weekend` is the traffic of a weekend day as a share of that of a working day.
    """
    if not 0 <= day_swing <= 1:
        raise Invalid("The daily swing must be between 0 (flat) and 1 (no traffic at night).", field="day_swing")
    if weekend <= 0:
        raise Invalid("The weekend's share of traffic must be positive.", field="weekend")
    hours = np.arange(HOURS_PER_WEEK)
    day = 1 + day_swing * np.cos(2 * np.pi * (hours % HOURS_PER_DAY - peak_hour) / HOURS_PER_DAY)
    shape = day * np.where(hours // HOURS_PER_DAY >= 5, weekend, 1.0)
    return np.asarray(shape / shape.mean())


def curve_of_year(
    requests_per_year: float, *, shape: NDArray[np.float64] | None = None, monthly_growth: float = 0.0
) -> LoadCurve:
    """Return the curve of a year: `shape` (168,) in each of 12 months, growing by `monthly_growth` (0.02: 2 %).

    The year has `requests_per_year` requests at any growth; growth only shifts requests toward the end.
    """
    if requests_per_year <= 0:
        raise Invalid("The requests per year must be a positive number.", field="requests_per_year")
    if monthly_growth <= -1:
        raise Invalid("Monthly growth must be above -1 (-100 %).", field="monthly_growth")
    week = weekly_shape() if shape is None else shape / shape.mean()
    growth = (1 + monthly_growth) ** np.arange(MONTHS)
    weights = np.outer(growth / growth.mean(), week).ravel()
    return LoadCurve(requests_per_year / (HOURS_PER_YEAR * SECONDS_PER_HOUR) * weights, HOURS_PER_YEAR / len(weights))


def curve_of_counts(counts: Sequence[float]) -> LoadCurve:
    """Return the curve of observed requests per hour (one day or more), as typical of the year."""
    observed = np.asarray(counts, dtype=np.float64)
    if len(observed) < HOURS_PER_DAY:
        text = f"A load curve needs at least {HOURS_PER_DAY} hourly counts, not {len(observed)}"
        raise Invalid(f"{text}; better a week ({HOURS_PER_WEEK}).", field="counts")
    if not np.isfinite(observed).all() or (observed < 0).any():
        raise Invalid("Requests per hour must be zero or more.", field="counts")
    if not observed.any():
        raise Invalid("All hourly counts are zero.", field="counts")
    return LoadCurve(observed / SECONDS_PER_HOUR, HOURS_PER_YEAR / len(observed))
