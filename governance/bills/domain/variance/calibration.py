"""How far estimates of a team or an estimator can be trusted: bias, error, coverage of the P90, and what follows for
the next.

The widening factor is what the distance from the middle to the P90 must be multiplied by so that the next bill stays
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
    """One month of one authorization: the projected middle and P90, and what was billed, in dollars.

    `widened_by` is by how much the P90 had been moved away from the middle when it was filed: what the past asks for is
    told of ranges as they were projected, or each widening would undo the one before.
    """

    middle: Decimal
    p90: Decimal
    billed: Decimal
    widened_by: Decimal = Decimal(1)


@dataclass(frozen=True)
class Widening:
    """By how much ranges are widened, never below 1, and on how many past cases that rests."""

    factor: Decimal
    cases: int


@dataclass(frozen=True)
class ForecastCalibration:
    """What past cases say. `widening` is None with too few of them; it is never below 1: ranges are widened, not
    narrowed.

    `bias` is billed for each projected dollar, `wape` the mean absolute error as a share of what was projected,
    `coverage` the
    share of cases at or below their P90, which should be 0.9.
    """

    cases: int
    bias: Decimal
    wape: Decimal
    coverage: Decimal
    widening: Decimal | None

    @property
    def is_mature(self) -> bool:
        """Whether the error is within the 12 % that the FinOps maturity model asks of forecasts at its
        highest level.
        """
        return self.wape <= MATURE_WITHIN


def calibrate(cases: Sequence[PastMonth]) -> ForecastCalibration | None:
    """The calibration of past cases, or None without any. Raises Invalid for a projection that is no range."""
    for number, case in enumerate(cases):
        if not ZERO < case.middle <= case.p90:
            raise Invalid("A projection has a middle above zero and a P90 not below it.", field=f"cases[{number}]")
    if not cases:
        return None
    projected = sum((case.middle for case in cases), ZERO)
    return ForecastCalibration(
        cases=len(cases),
        bias=sum((case.billed for case in cases), ZERO) / projected,
        wape=sum((abs(case.billed - case.middle) for case in cases), ZERO) / projected,
        coverage=Decimal(sum(case.billed <= case.p90 for case in cases)) / len(cases),
        widening=_widening(cases),
    )


def widened(middle: Decimal, p90: Decimal, calibration: ForecastCalibration | None) -> Decimal:
    """The P90 that the past asks for; the P90 itself where the past says nothing."""
    if calibration is None or calibration.widening is None:
        return p90
    return widen_by(calibration.widening, middle=middle, quantile=p90)


def widen_by(factor: Decimal, *, middle: Decimal, quantile: Decimal) -> Decimal:
    """A quantile moved away from the middle to `factor` times its distance, in the unit of both; `middle` is the P50.

        q' = m + k (q - m), and for a quantile below the middle no lower than zero, unless it was

    Nothing is narrowed: q' is never nearer to the middle than q. With the factor of `Calibration.widening` and the P90
    this is the bound of split conformal prediction; the other quantiles move alike, so that no side looks surer than
    the other. Raises Invalid for a factor below 1.
    """
    if factor < 1:
        raise Invalid("A range is widened by a factor of 1 or more, never narrowed.", field="factor")
    moved = middle + (quantile - middle) * factor
    return moved if quantile >= middle else min(quantile, max(ZERO, moved))


def widest(calibrations: Iterable[ForecastCalibration]) -> Widening | None:
    """The widest that any of them asks for, its factor rounded up to four digits; None where none knows enough."""
    known = [each for each in calibrations if each.widening is not None]
    asked = max(known, key=lambda each: each.widening or ZERO, default=None)
    if asked is None or asked.widening is None:
        return None
    return Widening(asked.widening.quantize(FACTOR_STEP, rounding=ROUND_CEILING), asked.cases)


def _widening(cases: Sequence[PastMonth]) -> Decimal | None:
    """Cases without a range say nothing of how wide it should be."""
    ratios = sorted(
        (case.billed - case.middle) * case.widened_by / (case.p90 - case.middle)
        for case in cases
        if case.p90 > case.middle
    )
    place = math.ceil(TARGET * (len(ratios) + 1))
    return max(Decimal(1), ratios[place - 1]) if place <= len(ratios) else None
