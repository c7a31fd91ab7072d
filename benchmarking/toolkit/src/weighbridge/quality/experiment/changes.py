"""Changes between two arms: their estimates, and intervals for one look at the end and for any number of looks."""

import dataclasses
import math

from weighbridge.core.errors import Invalid
from weighbridge.quality.experiment.arms import Arms
from weighbridge.statistics.order_statistics import Interval

FIXED, ANYTIME = "fixed horizon", "asymptotic confidence sequence"
# With a mean of fewer standard errors, a ratio is too uncertain for the delta method.
MIN_ERRORS_FROM_ZERO = 5.0
# Above, a ratio is no number any more.
LARGEST_LOG = 700.0


@dataclasses.dataclass(frozen=True)
class Change:
    """An estimate whose error is the mean of independent terms of `n` units, with their standard deviation.

    A relative change is estimated as the logarithm of a ratio (`is_ratio`).
    """

    estimate: float
    deviation: float
    n: int
    is_ratio: bool = False

    def interval(self, errors: float, confidence: float, method: str) -> Interval:
        """Return the change with bounds of so many standard errors; raise Invalid for a ratio without an end."""
        half = errors * self.deviation / math.sqrt(self.n)
        ends = (self.estimate, self.estimate - half, self.estimate + half)
        if self.is_ratio and ends[2] > LARGEST_LOG:
            text = "The units say nothing about a relative change yet: its interval has no end. Observe more units."
            raise Invalid(text, code="experiment_units", field="planned_units")
        value, lower, upper = map(math.expm1, ends) if self.is_ratio else ends
        return Interval(value, lower, upper, confidence, self.n, method)


def absolute_change(arms: Arms) -> Change:
    """Return the mean of the treatment minus that of the control, in the unit of the outcome."""
    variance = arms.treatment.variance / arms.treatment.n + arms.control.variance / arms.control.n
    return Change(arms.treatment.mean - arms.control.mean, math.sqrt(variance * arms.n), arms.n)


def relative_change(arms: Arms) -> Change | None:
    """Return treatment / control - 1 by the delta method; None if a mean may be zero or is negative.

    It is estimated on the logarithmic scale, where the variance is the sum of those of the means over their squares
    (Katz and others 1978, Biometrics 34:469; Deng, Knoblich and Lu 2018, KDD, for the delta method of metrics). On the
    scale of the ratio, a confidence sequence of small arms raises too many false alarms.
    """
    sides = (arms.control, arms.treatment)
    if any(arm.mean <= MIN_ERRORS_FROM_ZERO * math.sqrt(arm.variance / arm.n) for arm in sides):
        return None
    variance = sum(arm.variance / arm.n / arm.mean**2 for arm in sides)
    return Change(
        math.log(arms.treatment.mean / arms.control.mean), math.sqrt(variance * arms.n), arms.n, is_ratio=True
    )


def fixed_interval(change: Change, confidence: float) -> Interval:
    """Return the interval of a single look at a size that was set before, from Student's t."""
    from scipy.stats import t

    return change.interval(float(t.ppf((1 + confidence) / 2, change.n - 2)), confidence, FIXED)


def anytime_interval(change: Change, confidence: float, planned_units: int) -> Interval:
    """Return the interval that holds at all looks together, however often and until whenever somebody looks.

    It is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, Annals of
    Statistics 52:2613, theorem 2.2): a boundary of the normal mixture (a mixture SPRT) for the mean of independent
    terms, here those of the change. It is tightest at `planned_units` of both arms together, which must be set
    before the first look: rho^2 = (-2 log alpha + log(1 - 2 log alpha)) / planned units (their best rho).
    """
    alpha = 1 - confidence
    spread = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / planned_units
    mixed = change.n * spread + 1
    errors = math.sqrt(2 * mixed / (change.n * spread) * math.log(math.sqrt(mixed) / alpha))
    return change.interval(errors, confidence, ANYTIME)
