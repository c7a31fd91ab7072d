"""Outliers: counted and reported, never removed, because users wait for slow inferences too."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def tukey_counts(samples: NDArray[Any]) -> dict[str, int]:
    """Count samples beyond 1.5 (`low`, `high`) and 3 (`far_low`, `far_high`) interquartile ranges (Tukey).

    The near counts exclude the far ones. Without samples, all counts are zero.
    """
    if len(samples) == 0:
        return {"far_low": 0, "low": 0, "high": 0, "far_high": 0}
    q1, q3 = np.quantile(samples, [0.25, 0.75])
    limits = [q1 - 3 * (q3 - q1), q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1), q3 + 3 * (q3 - q1)]
    far_low, low = (int(np.sum(samples < limit)) for limit in limits[:2])
    high, far_high = (int(np.sum(samples > limit)) for limit in limits[2:])
    return {"far_low": far_low, "low": low - far_low, "high": high - far_high, "far_high": far_high}
