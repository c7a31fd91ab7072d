"""Equivalence of two runs: their ratio must lie within a margin (TOST).

Two one-sided tests (Schuirmann 1987) reverse the burden of proof: finding no difference in few samples proves nothing,
so equivalence must be shown. Otherwise the answer is `cannot_tell`.
"""

import dataclasses
import math
from enum import StrEnum

from weighbridge.core.errors import Invalid
from weighbridge.statistics.order_statistics import Interval


class EquivalenceAnswer(StrEnum):
    """The result of the two tests."""

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot_tell"


@dataclasses.dataclass(frozen=True)
class Equivalence:
    """A ratio with the interval at 1 - 2 alpha used by the tests, the larger of their p-values, and the answer.

    Equivalent: the interval lies within 1 / (1 + margin) to 1 + margin. Different: it lies completely outside.
    """

    answer: EquivalenceAnswer
    ratio: float
    lower: float
    upper: float
    confidence: float
    margin: float
    p_value: float


def tost(log_ratio: float, error: float, *, margin: float, alpha: float = 0.05) -> Equivalence:
    """Run both one-sided tests on the logarithm of a ratio with its standard error, assuming a normal distribution.

    `margin` is a share of the ratio (0.1 is 10 %), the same on both sides of the logarithm. The p-value is the larger
    of the two. Raises Invalid for a margin of zero or less, or an alpha outside 0 to 0.5.
    """
    from scipy.stats import norm

    if not margin > 0 or not 0 < alpha < 0.5:
        raise Invalid("The margin must be above zero, and alpha between 0 and one half.", field="margin")
    edge = math.log1p(margin)
    half = float(norm.ppf(1 - alpha)) * error
    lower, upper = log_ratio - half, log_ratio + half
    answer = EquivalenceAnswer.CANNOT_TELL
    if -edge < lower and upper < edge:
        answer = EquivalenceAnswer.EQUIVALENT
    elif upper < -edge or lower > edge:
        answer = EquivalenceAnswer.DIFFERENT
    distance = edge - abs(log_ratio)
    p_value = float(norm.sf(distance / error)) if error > 0 else float(distance <= 0)
    return Equivalence(answer, math.exp(log_ratio), math.exp(lower), math.exp(upper), 1 - 2 * alpha, margin, p_value)


def ratio_equivalence(first: Interval, second: Interval, *, margin: float, alpha: float = 0.05) -> Equivalence:
    """Test whether two independent values are equivalent, by the ratio of the second to the first.

    The standard error is the width of the interval on the log scale, over twice the normal quantile of its level.
    Raises Invalid for values that are not above zero: they have no ratio.
    """
    if min(first.lower, second.lower) <= 0:
        raise Invalid("Only values above zero have a ratio.", code="data_form")
    error = math.hypot(_log_error(first), _log_error(second))
    return tost(math.log(second.value / first.value), error, margin=margin, alpha=alpha)


def _log_error(interval: Interval) -> float:
    from scipy.stats import norm

    return math.log(interval.upper / interval.lower) / (2 * float(norm.ppf((1 + interval.confidence) / 2)))
