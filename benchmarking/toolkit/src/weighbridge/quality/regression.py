"""How far a model that answers numbers is off."""

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import Interval


def regression_intervals(
    truth: NDArray[np.float64], answers: NDArray[np.float64], *, resamples: int, seed: int, confidence: float = 0.95
) -> dict[str, Interval]:
    """Return `mae` and `rmse` in the unit of the truth, `r2`, and `mape` as a ratio, with bootstrap intervals over
    rows.

    MAPE is left out where a truth is zero, R2 where all truths are the same: they have no value there. An interval is
    widened to hold the point. Empty without rows. Both arrays have shape (rows,).
    """
    n = len(truth)
    if n == 0:
        return {}
    errors, centered = answers - truth, truth - truth.mean()
    relative = np.abs(errors) / np.abs(truth) if np.all(truth) else np.full(n, np.nan)
    # Every metric is made of these means, so a resample needs no more than them.
    parts = np.column_stack([np.abs(errors), errors**2, centered, centered**2, relative])
    rng = np.random.default_rng(seed)
    point = _metrics(parts.mean(axis=0)[None])
    drawn = _metrics(np.array([parts[rng.integers(0, n, n)].mean(axis=0) for _ in range(resamples)]))
    found = {}
    for name, (value,) in point.items():
        if np.isfinite(value):
            usable = drawn[name][np.isfinite(drawn[name])]
            low, high = (
                np.quantile(usable, [(1 - confidence) / 2, (1 + confidence) / 2]) if len(usable) else (value, value)
            )
            found[name] = Interval(float(value), float(min(value, low)), float(max(value, high)), confidence, n)
    return found


def _metrics(means: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Turn means of shape (resamples, 5) into metrics, NaN or infinite where they have no value."""
    absolute, squared, centered, centered_squared, relative = means.T
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1 - squared / (centered_squared - centered**2)
    return {"mae": absolute, "rmse": np.sqrt(squared), "r2": r2, "mape": relative}
