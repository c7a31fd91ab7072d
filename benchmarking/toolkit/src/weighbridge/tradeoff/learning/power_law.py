"""The power law of learning: the error at n training rows is e(n) = a + b n^-c, with a, b >= 0.

Fitted by least squares with the weights of Hoiem et al. 2021 (Learning curves for analysis of deep networks): the
variance of one measurement at n is smoothed as v0 + v1 / n, that of a mean over m disjoint parts is an m-th of it.
Their pull toward c = 1/2 is left out, because it would narrow the intervals by an opinion.

Intervals are profile likelihoods: every value that some a, b and c reach without fitting significantly worse.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.statistics.order_statistics import Interval

FURTHEST = 4
LEAST_SIZES = 4
# Exponents seen in practice lie between 0.07 and 1 (Hestness et al. 2017); the grid is wider.
EXPONENTS = np.geomspace(0.03, 2.0, 120)
CEILING_STEPS = 240
LATE_LEVEL, LEAST_GAIN = 0.01, 0.1
Numbers = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class SizePoint:
    """One size: its rows, the mean error of its `parts`, and the variance of that mean."""

    rows: int
    error: float
    parts: int
    variance: float


@dataclasses.dataclass(frozen=True)
class Curve:
    """The best a, b and c, with the data for intervals: the points, the allowed misfit, and the confidence level.

    `freedom` is the number of repeats behind the variances of the points; with 0 these are only relative.
    """

    a: float
    b: float
    c: float
    points: tuple[SizePoint, ...]
    allowed: float
    confidence: float
    freedom: int

    def error_at(self, rows: float) -> float:
        """Return the expected error at a number of rows."""
        return float(self.a + self.b * rows**-self.c)


def points_of(rows: Sequence[int], errors: Sequence[float]) -> tuple[SizePoint, ...]:
    """Average the parts of each size and smooth their variance; sizes ascending. Raises Invalid for unusable points."""
    sizes, values = np.asarray(rows, dtype=np.int64), np.asarray(errors, dtype=np.float64)
    distinct = np.unique(sizes)
    if len(distinct) < LEAST_SIZES:
        text = (
            f"A learning curve needs at least {LEAST_SIZES} sizes and has {len(distinct)}; measure N, N/2, N/4 and N/8."
        )
        raise Invalid(text, code="curve_sizes", field="rows")
    if distinct[0] < 1 or not ((values >= 0) & (values <= 1)).all():
        text = "Sizes must be positive numbers of rows, and every estimate a share between 0 and 1."
        raise Invalid(text, code="curve_range", field="rows")
    groups = [values[sizes == size] for size in distinct]
    variances = _smoothed(distinct, groups)
    return tuple(
        SizePoint(int(size), float(group.mean()), len(group), float(variance) / len(group))
        for size, group, variance in zip(distinct, groups, variances, strict=True)
    )


def _smoothed(sizes: NDArray[np.int64], groups: Sequence[Numbers]) -> Numbers:
    """Return the variance of one measurement at each size, v0 + v1 / n by non-negative least squares.

    Without repeated sizes it is 1 everywhere: then only the ratios count, and the misfit gives the scale.
    """
    from scipy.optimize import nnls

    repeated = [index for index, group in enumerate(groups) if len(group) > 1]
    if not repeated:
        return np.ones(len(sizes))
    observed = np.array([groups[index].var(ddof=1) for index in repeated])
    weight = np.sqrt([len(groups[index]) - 1 for index in repeated])
    design = np.column_stack([np.ones(len(repeated)), 1 / sizes[repeated]])
    # Columns are normalized, because v1 is thousands of times v0.
    scale = design.max(axis=0)
    (v0, v1), _ = nnls(design / scale * weight[:, np.newaxis], observed * weight)
    smoothed: Numbers = v0 / scale[0] + v1 / scale[1] / sizes
    return np.maximum(smoothed, max(1e-12, float(smoothed.max()) * 1e-3))


def freedom_of(rows: Sequence[int]) -> int:
    """Return the number of repeated measurements behind the variance; 0 if the misfit must give it."""
    return len(rows) - len(set(rows))


def fit(points: Sequence[SizePoint], *, freedom: int, confidence: float) -> Curve:
    """Fit a, b and c; `freedom` is the number of repeats behind the points' variances (0: these are only relative).

    If the fit is worse than the variances explain, every interval is widened by the ratio (Birge 1932).
    """
    from scipy.stats import f

    misfit, a, b = _best(points, EXPONENTS)
    best = int(misfit.argmin())
    spare = len(points) - 3
    if b[best] <= 0:
        text = "The estimates do not get better with more rows; no learning curve fits them."
        raise Invalid(text, code="curve_flat", field="rows")
    scale = float(misfit[best]) / spare
    if freedom:
        scale = max(1.0, scale)
    allowed = float(misfit[best]) + scale * float(f.ppf(confidence, 1, freedom or spare))
    return Curve(float(a[best]), float(b[best]), float(EXPONENTS[best]), tuple(points), allowed, confidence, freedom)


def _arrays(points: Sequence[SizePoint]) -> tuple[Numbers, Numbers, Numbers]:
    rows = np.array([point.rows for point in points], dtype=np.float64)
    errors = np.array([point.error for point in points])
    weights = np.array([1 / point.variance for point in points])
    return rows, errors, weights


def _best(points: Sequence[SizePoint], exponents: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return, for each exponent, the least weighted squared misfit with a, b >= 0, and those a and b."""
    rows, errors, weights = _arrays(points)
    x = rows ** -exponents[:, np.newaxis]
    total, mean_x = weights.sum(), (weights * x).sum(axis=1) / weights.sum()
    mean_e = float((weights * errors).sum() / total)
    spread = (weights * (x - mean_x[:, np.newaxis]) ** 2).sum(axis=1)
    b = (weights * (x - mean_x[:, np.newaxis]) * (errors - mean_e)).sum(axis=1) / spread
    a = mean_e - b * mean_x
    # At the boundary a = 0 the best b is that of the line through the origin; at b = 0 the best a is the mean.
    through = (weights * x * errors).sum(axis=1) / (weights * x * x).sum(axis=1)
    b, a = np.where(a < 0, through, b), np.maximum(a, 0.0)
    a, b = np.where(b < 0, mean_e, a), np.maximum(b, 0.0)
    misfit = (weights * (errors - a[:, np.newaxis] - b[:, np.newaxis] * x) ** 2).sum(axis=1)
    return misfit, a, b


def late_drop(curve: Curve) -> int | None:
    """Return the size from which the error falls faster than before, which no power law does; None without one.

    On a log-log scale a + b n^-c only gets flatter. The steepness of each step is compared with that of the step
    before: with repeated sizes by a one-sided test at 1 % over all steps, otherwise by a factor of two and a difference
    of 0.1.
    """
    from scipy.stats import norm

    sizes = np.log([point.rows for point in curve.points])
    errors = np.array([max(point.error, np.finfo(float).tiny) for point in curve.points])
    widths, logs = np.diff(sizes), np.log(errors)
    steepness = -np.diff(logs) / widths
    gains = np.diff(steepness)
    if curve.freedom:
        variances = np.array([point.variance for point in curve.points]) / errors**2
        inner = (1 / widths[:-1] + 1 / widths[1:]) ** 2
        noise = np.sqrt(variances[:-2] / widths[:-1] ** 2 + variances[1:-1] * inner + variances[2:] / widths[1:] ** 2)
        limits = noise * norm.ppf(1 - LATE_LEVEL / len(gains))
    else:
        limits = np.maximum(steepness[:-1], LEAST_GAIN)
    steps = np.flatnonzero(gains > limits)
    return curve.points[int(steps[-1]) + 1].rows if len(steps) else None


def interval_at(curve: Curve, rows: float) -> Interval:
    """Return the expected error at `rows` (the ceiling a at infinity) with its interval; raise Invalid beyond 4 N."""
    largest = curve.points[-1].rows
    if FURTHEST * largest < rows < np.inf:
        text = f"There is no forecast beyond {FURTHEST} times the available data ({FURTHEST * largest:,} rows)."
        raise Invalid(text, code="curve_too_far", field="rows")
    sizes, errors, weights = _arrays(curve.points)
    ceilings = np.linspace(0, errors.max(), CEILING_STEPS)[:, np.newaxis]
    x = sizes ** -EXPONENTS[:, np.newaxis, np.newaxis]
    left = errors - ceilings
    norm = (weights * x * x).sum(axis=2)
    b = np.maximum((weights * x * left).sum(axis=2) / norm, 0.0)
    misfit = (weights * (left - b[:, :, np.newaxis] * x) ** 2).sum(axis=2)
    # The misfit is a parabola in b, so its allowed range has a closed form.
    slack = np.sqrt(np.maximum(curve.allowed - misfit, 0) / norm)
    at = rows ** -EXPONENTS[:, np.newaxis]
    allowed = misfit <= curve.allowed
    low, high = (ceilings.T + np.maximum(b - slack, 0) * at)[allowed], (ceilings.T + (b + slack) * at)[allowed]
    value = curve.error_at(rows)
    lower, upper = float(low.min(initial=value)), float(high.max(initial=value))
    return Interval(value, lower, upper, curve.confidence, len(sizes))
