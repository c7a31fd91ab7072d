"""Paired drops: the loss of quality of a variant against its baseline, on the same examples.

A drop is baseline minus variant: above zero, the variant is worse. Both models answer the same rows, so only rows with
different answers count; overlapping intervals of the two models say nothing about that.
"""

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid

# Replaces a variance of zero at the ends of the scale, where the score is infinite.
TINY = 1e-12


@dataclasses.dataclass(frozen=True)
class QualityDrop:
    """Baseline minus variant in the unit of the metric, with two-sided bounds, level, and the number of examples."""

    value: float
    lower: float
    upper: float
    confidence: float
    n: int


@dataclasses.dataclass(frozen=True)
class AccuracyDrop(QualityDrop):
    """A drop of accuracy: `b` rows only the baseline got right, `c` rows only the variant; exact McNemar `p_value`."""

    b: int
    c: int
    p_value: float


def accuracy_drop(
    truth: NDArray[np.int64], baseline: NDArray[np.int64], variant: NDArray[np.int64], *, confidence: float = 0.95
) -> AccuracyDrop:
    """Compare class numbers of shape (rows,) with Tango's score interval; raise Invalid for other shapes or no rows.

    The score interval (Tango 1998, Statistics in Medicine 17:891) is also valid if hardly any answer differs, where
    Wald's interval has no width. The p-value is McNemar's exact test: b of b + c at one half.
    """
    _check_shapes(truth, baseline, variant)
    b = int(np.sum((baseline == truth) & (variant != truth)))
    c = int(np.sum((baseline != truth) & (variant == truth)))
    n = len(truth)
    lower, upper = score_bounds(b, c, n, confidence=confidence)
    return AccuracyDrop((b - c) / n, lower, upper, confidence, n, b, c, mcnemar_p(b, c))


def is_non_inferior(drop: QualityDrop, margin: float) -> bool:
    """Return whether the upper bound of the drop is below `margin`; raise Invalid for margin <= 0."""
    if not margin > 0:
        raise Invalid("The margin must be above zero: it is the acceptable loss.", field="margin")
    return drop.upper < margin


def score_bounds(b: float, c: float, n: int, *, confidence: float) -> tuple[float, float]:
    """Return Tango's bounds of (b - c) / n: the differences not rejected by a score test at 1 - confidence."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    z = float(norm.ppf((1 + confidence) / 2))
    value = (b - c) / n

    def excess(difference: float) -> float:
        return abs(_score(b, c, n, difference)) - z

    lower = float(brentq(excess, -1.0, value)) if value > -1 else -1.0
    upper = float(brentq(excess, value, 1.0)) if value < 1 else 1.0
    return lower, upper


def _score(b: float, c: float, n: int, difference: float) -> float:
    """Return the score statistic (approximately standard normal) for a true drop of `difference`."""
    excess = b - c - n * difference
    if excess == 0:
        return 0.0
    # Maximum-likelihood share of c rows given the difference: the larger root of 2n q^2 + linear q + constant = 0.
    linear = 2 * n * difference - (b + c) - (b - c) * difference
    constant = -c * difference * (1 - difference)
    share = (math.sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    return excess / math.sqrt(max(variance, TINY))


def mcnemar_p(b: int, c: int) -> float:
    """Return McNemar's exact two-sided p-value for equal models; 1 if they never differ."""
    from scipy.stats import binomtest

    return float(binomtest(b, b + c).pvalue) if b + c else 1.0


def _check_shapes(truth: NDArray[Any], baseline: NDArray[Any], variant: NDArray[Any]) -> None:
    if truth.ndim != 1 or not truth.shape == baseline.shape == variant.shape:
        shapes = ", ".join(str(array.shape) for array in (truth, baseline, variant))
        raise Invalid(f"Truth and both models' answers must have one shape (rows,), not {shapes}.", code="data_shape")
    if len(truth) == 0:
        raise Invalid("The data set has no rows.", code="data_empty", field="data")
