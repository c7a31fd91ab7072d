"""Accuracy of past estimates of a team or an estimator: bias, error, coverage of the P90, and the widening for the next
estimate.

The widening factor is what the distance from the median to the P90 must be multiplied by so that the next bill stays
below with at least nine chances in ten, whatever the distribution, if past and next months are alike: the k-th smallest
of the n past ratios (A - P50) / (P90 - P50), with k = ceil(0.9 (n + 1)) (split conformal prediction; Lei, G'Sell,
Rinaldo, Tibshirani and Wasserman, "Distribution-free predictive inference for regression", JASA 113, 2018). With fewer
than nine cases there is no such k, and nothing is claimed.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from weighbridge.core.errors import Invalid

TARGET = Decimal("0.9")
MATURE_WITHIN = Decimal("0.12")
ZERO = Decimal(0)
FACTOR_STEP = Decimal("0.0001")


@dataclass(frozen=True)
class PastMonth:
    """One month of one authorization: the projected P50 and P90 and the billed amount, in dollars.

    `widened_by` is the factor by which the filed P90 was already widened. Calibration uses the ranges before widening,
    because otherwise each widening would undo the one before.
    """

    median: Decimal
    p90: Decimal
    billed: Decimal
    widened_by: Decimal = Decimal(1)


@dataclass(frozen=True)
class Widening:
    """The widening factor, at least 1, and the number of past cases behind it."""

    factor: Decimal
    cases: int


@dataclass(frozen=True)
class ForecastCalibration:
    """The accuracy of past cases.

    `widening` is None with too few cases and never below 1, because ranges are never narrowed. `bias` is the billed
    amount for each projected dollar, `wape` the mean absolute error as a share of the projected amount, and `coverage`
    the share of cases at or below their P90, which should be 0.9.
    """

    cases: int
    bias: Decimal
    wape: Decimal
    coverage: Decimal
    widening: Decimal | None

    @property
    def is_mature(self) -> bool:
        """Whether the error is within 12 %, the FinOps maturity model's limit for forecasts at its highest level."""
        return self.wape <= MATURE_WITHIN


def calibrate(cases: Sequence[PastMonth]) -> ForecastCalibration | None:
    """The calibration of past cases, or None without cases. Raises Invalid for a projection that is not a range."""
    for number, case in enumerate(cases):
        if not ZERO < case.median <= case.p90:
            raise Invalid(
                "The P50 of a projection must be above zero, and the P90 must not be below the P50.",
                field=f"cases[{number}]",
            )
    if not cases:
        return None
    projected = sum((case.median for case in cases), ZERO)
    return ForecastCalibration(
        cases=len(cases),
        bias=sum((case.billed for case in cases), ZERO) / projected,
        wape=sum((abs(case.billed - case.median) for case in cases), ZERO) / projected,
        coverage=Decimal(sum(case.billed <= case.p90 for case in cases)) / len(cases),
        widening=_widening(cases),
    )


def widened(median: Decimal, p90: Decimal, calibration: ForecastCalibration | None) -> Decimal:
    """The widened P90, or the P90 itself if there is no calibration."""
    if calibration is None or calibration.widening is None:
        return p90
    return widen_by(calibration.widening, median=median, quantile=p90)


def widen_by(factor: Decimal, *, median: Decimal, quantile: Decimal) -> Decimal:
    """A quantile moved away from the median to `factor` times its distance, in the unit of both; `median` is the P50.

        q' = m + k (q - m), and for a quantile below the median no lower than zero, unless it was

    Nothing is narrowed: q' is never nearer to the median than q. With the factor of `Calibration.widening` and the P90
    this is the bound of split conformal prediction; the other quantiles move alike, so that no side looks surer than
    the other. Raises Invalid for a factor below 1.
    """
    if factor < 1:
        raise Invalid("The widening factor must be 1 or more.", field="factor")
    moved = median + (quantile - median) * factor
    return moved if quantile >= median else min(quantile, max(ZERO, moved))


def widest(calibrations: Iterable[ForecastCalibration]) -> Widening | None:
    """The largest widening of the calibrations, its factor rounded up to four digits; None if none has a widening."""
    widened_ones = [each for each in calibrations if each.widening is not None]
    widest_one = max(widened_ones, key=lambda each: each.widening or ZERO, default=None)
    if widest_one is None or widest_one.widening is None:
        return None
    return Widening(widest_one.widening.quantize(FACTOR_STEP, rounding=ROUND_CEILING), widest_one.cases)


def _widening(cases: Sequence[PastMonth]) -> Decimal | None:
    """The widening from all cases with a range."""
    ratios = sorted(
        (case.billed - case.median) * case.widened_by / (case.p90 - case.median)
        for case in cases
        if case.p90 > case.median
    )
    place = math.ceil(TARGET * (len(ratios) + 1))
    return max(Decimal(1), ratios[place - 1]) if place <= len(ratios) else None
