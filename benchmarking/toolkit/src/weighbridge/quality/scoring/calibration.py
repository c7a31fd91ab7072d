"""The interval of a calibration error, which is a sum of absolute differences and so on average too high."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality.metrics.prepared import OfSums, Units
from weighbridge.quality.metrics.probabilities import bins_of, stated_of
from weighbridge.quality.predictions.rows import Rows
from weighbridge.statistics.order_statistics import Interval

CORRECTED = "bias-corrected"
POINTS = 41


def calibration_interval(
    prepared: OfSums, rows: Rows, units: Units, value: float, *, confidence: float, resamples: int, seed: int
) -> Interval | None:
    """Return the interval of a calibration error; None for a single unit.

    The difference of each bin is taken for normal, with the standard error that units of rows give it. The mean of the
    absolute value of such a difference is known, and so are the bias of the error and, by quadrature, the variance of
    what is left without it; bins that units have in common add their covariance. The interval is Student's t around the
    corrected error, widened to contain the value. Its lower bound is 0 if perfect calibration is not refuted, which is
    only looked at for independent rows of one weight.
    """
    from scipy.stats import t

    if units.n < 2:
        return None
    center, error = _corrected(prepared.parts, units)
    half = float(t.ppf((1 + confidence) / 2, units.n - 1)) * error
    low, high = max(center - half, 0.0), min(center + half, 1.0)
    bins = prepared.parts.shape[1] - 1
    if units.are_plain and is_calibrated(rows, bins, level=(1 + confidence) / 2, seed=seed, resamples=resamples):
        low = 0.0
    return Interval(value, min(value, low), max(value, high), confidence, units.n, CORRECTED)


def _corrected(parts: Any, units: Units) -> tuple[float, float]:
    """Return the error without its bias, and its standard error."""
    sums = (units.matrix @ parts).toarray()
    total = sums[:, -1].sum()
    gaps = sums[:, :-1].sum(axis=0) / total
    # What each unit adds to the error of the ratio of two sums.
    terms = (sums[:, :-1] - gaps * sums[:, -1:]) / total
    errors = np.sqrt((terms**2).sum(axis=0))
    varies = errors > 0
    scaled, errors = gaps[varies] / errors[varies], errors[varies]
    center = float(np.abs(gaps[~varies]).sum() + (errors * _without_bias(scaled)).sum())
    points, weights = np.polynomial.hermite_e.hermegauss(POINTS)
    near = _without_bias(scaled[:, None] + points)
    weights = weights / weights.sum()
    own = errors**2 * ((near - (near @ weights)[:, None]) ** 2 @ weights)
    shared = float(((terms @ np.sign(gaps)) ** 2).sum() - (errors**2).sum())
    return center, math.sqrt(float(own.sum()) + max(shared, 0.0))


def _without_bias(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return |x| minus the bias of |x| as an estimate, for x with a standard error of 1 (the folded normal)."""
    from scipy.stats import norm

    folded = 2 * norm.pdf(scaled) + scaled * (2 * norm.cdf(scaled) - 1)
    return np.asarray(2 * np.abs(scaled) - folded)


def is_calibrated(rows: Rows, bins: int, *, level: float, seed: int, resamples: int) -> bool:
    """Whether the calibration error is within what perfectly calibrated probabilities give with probability `level`.

    Consistency resampling (Bröcker and Smith 2007, Weather and Forecasting 22:651): each row is right with its own
    stated probability.
    """
    stated, is_hit = stated_of(rows)
    places, rng = bins_of(stated, bins), np.random.default_rng(seed)

    def error(hits: NDArray[Any]) -> float:
        return float(np.abs(np.bincount(places, hits - stated, minlength=bins)).sum())

    drawn = [error(rng.random(len(stated)) < stated) for _ in range(resamples)]
    return error(is_hit) <= float(np.quantile(drawn, level))
