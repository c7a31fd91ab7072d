"""Quality of regression models."""

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import Interval


def regression_intervals(
    truth: NDArray[np.float64], answers: NDArray[np.float64], *, resamples: int, seed: int, confidence: float = 0.95
) -> dict[str, Interval]:
    """Return `mae` and `rmse` in the unit of the truth, `r2`, and `mape` as a ratio, with bootstrap intervals.

    MAPE is omitted if a true value is zero, R2 if all true values are equal, because they are undefined. Intervals are
    widened to contain the point estimate. Empty without rows. Both arrays have shape (rows,).
    """
    n = len(truth)
    if n == 0:
        return {}
    errors, centered = answers - truth, truth - truth.mean()
    relative = np.abs(errors) / np.abs(truth) if np.all(truth) else np.full(n, np.nan)
    # Every metric is a function of these means, so a resample needs only them.
    parts = np.column_stack([np.abs(errors), errors**2, centered, centered**2, relative])
    rng = np.random.default_rng(seed)
    point = _metrics(parts.mean(axis=0)[None])
    drawn = _metrics(np.array([parts[rng.integers(0, n, n)].mean(axis=0) for _ in range(resamples)]))
    intervals = {}
    for name, (value,) in point.items():
        if np.isfinite(value):
            usable = drawn[name][np.isfinite(drawn[name])]
            low, high = (
                np.quantile(usable, [(1 - confidence) / 2, (1 + confidence) / 2]) if len(usable) else (value, value)
            )
            intervals[name] = Interval(float(value), float(min(value, low)), float(max(value, high)), confidence, n)
    return intervals


def _metrics(means: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Turn means of shape (resamples, 5) into metrics, NaN or infinite if undefined."""
    absolute, squared, centered, centered_squared, relative = means.T
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1 - squared / (centered_squared - centered**2)
    return {"mae": absolute, "rmse": np.sqrt(squared), "r2": r2, "mape": relative}
