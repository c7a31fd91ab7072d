"""Planning of an experiment: the sample ratio, and the units that the next one needs."""

import math
from typing import Any

from weighbridge.quality.experiment.arms import Arm, Arms

# Fabijan and others (2019, KDD, "Diagnosing Sample Ratio Mismatch"): rare enough for every experiment to be checked.
MAX_MISMATCH_P = 0.001


def sample_ratio_p(arms: Arms, share: float) -> float:
    """Return the p-value of the chi-square test that a unit is treated with the probability `share`."""
    from scipy.stats import chisquare

    expected = [(1 - share) * arms.n, share * arms.n]
    return float(chisquare([arms.control.n, arms.treatment.n], expected).pvalue)


def next_test(arms: Arms, *, confidence: float, power: float, detect: float | None) -> dict[str, Any]:
    """Return the relative change that so many units find with probability `power`, and the units that `detect` needs.

    Both are for one look at the end and two arms of one size, with the variance of the control in both.
    """
    control = arms.control
    smallest = min(arms.control.n, arms.treatment.n)
    found = _factor(confidence, power) * math.sqrt(2 * control.variance / smallest)
    relative = found / control.mean if control.mean > 0 else None
    needed = units_needed(control, detect, confidence=confidence, power=power) if detect and control.mean > 0 else None
    return {
        "power": power,
        "detectable": found,
        "detectable_relative": relative,
        "detect": detect,
        "units_per_arm": needed,
    }


def units_needed(control: Arm, detect: float, *, confidence: float, power: float) -> int:
    """Return the units of each arm that find a relative change of `detect` with probability `power`."""
    difference = abs(detect) * control.mean
    return math.ceil(2 * control.variance * (_factor(confidence, power) / difference) ** 2)


def _factor(confidence: float, power: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf((1 + confidence) / 2) + norm.ppf(power))
