"""Changes between two arms: their estimates, and intervals for one look at the end and for any number of looks."""

import dataclasses
import math

from weighbridge.quality.experiment.arms import Arms
from weighbridge.statistics.order_statistics import Interval

FIXED, ANYTIME = "fixed horizon", "asymptotic confidence sequence"
# With a mean of the control of fewer standard errors, a ratio to it is too uncertain for the delta method.
MIN_ERRORS_FROM_ZERO = 5.0


@dataclasses.dataclass(frozen=True)
class Change:
    """An estimate whose error is the mean of independent terms of `n` units, with their standard deviation."""

    value: float
    deviation: float
    n: int

    @property
    def error(self) -> float:
        """The standard error."""
        return self.deviation / math.sqrt(self.n)


def absolute_change(arms: Arms) -> Change:
    """Return the mean of the treatment minus that of the control, in the unit of the outcome."""
    variance = arms.treatment.variance / arms.treatment.n + arms.control.variance / arms.control.n
    return Change(arms.treatment.mean - arms.control.mean, math.sqrt(variance * arms.n), arms.n)


def relative_change(arms: Arms) -> Change | None:
    """Return treatment / control - 1 by the delta method; None if the mean of the control may be zero or negative.

    The variance is that of the treatment over the squared mean of the control, plus that of the control times the
    squared ratio (Deng, Knoblich and Lu 2018, KDD, "Applying the Delta Method in Metric Analytics").
    """
    control, treatment = arms.control, arms.treatment
    if control.mean <= MIN_ERRORS_FROM_ZERO * math.sqrt(control.variance / control.n):
        return None
    ratio = treatment.mean / control.mean
    variance = (treatment.variance / treatment.n + ratio**2 * control.variance / control.n) / control.mean**2
    return Change(ratio - 1, math.sqrt(variance * arms.n), arms.n)


def fixed_interval(change: Change, confidence: float) -> Interval:
    """Return the interval of a single look at a size that was set before, from Student's t."""
    from scipy.stats import t

    half = float(t.ppf((1 + confidence) / 2, change.n - 2)) * change.error
    return Interval(change.value, change.value - half, change.value + half, confidence, change.n, FIXED)


def anytime_interval(change: Change, confidence: float, planned_units: int) -> Interval:
    """Return the interval that holds at all looks together, however often and until whenever somebody looks.

    It is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, Annals of
    Statistics 52:2613, theorem 2.2): a boundary of the normal mixture (a mixture SPRT) for the mean of independent
    terms, here those of the change. It is tightest at `planned_units` of both arms together, which must be set before
    the first look: rho^2 = (-2 log alpha + log(1 - 2 log alpha)) / planned units (their equation for the best rho).
    """
    alpha = 1 - confidence
    spread = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / planned_units
    mixed = change.n * spread + 1
    half = change.error * math.sqrt(2 * mixed / (change.n * spread) * math.log(math.sqrt(mixed) / alpha))
    return Interval(change.value, change.value - half, change.value + half, confidence, change.n, ANYTIME)
