"""The learning curve: the expected gain from more rows of data, and its uncertainty.

Protocol of Hoiem et al. 2021: sizes N, N/2, N/4 ..., the smaller ones measured on several disjoint parts of the data.
The forecast has the expected error at N, 2 N and 4 N, never beyond; the error with endless data only if the points rule
out that there is no ceiling; and the error of a forecast from the smaller half.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.statistics.order_statistics import Interval
from weighbridge.tradeoff.learning.power_law import (
    FURTHEST,
    LEAST_SIZES,
    Curve,
    SizePoint,
    fit,
    freedom_of,
    interval_at,
    late_drop,
    points_of,
)

SCHEMA = "weighbridge.learning-curve/1"


@dataclasses.dataclass(frozen=True)
class BackTest:
    """A forecast of the largest size from the sizes up to half of it: predicted with its interval, and measured."""

    fitted_up_to: int
    rows: int
    predicted: Interval
    measured: float
    is_within: bool


@dataclasses.dataclass(frozen=True)
class CurveForecast:
    """A fitted curve with the expected error at N, 2 N and 4 N, the ceiling if identifiable, and the back-test.

    From `late_drop_from` rows on the error falls faster than before: then no power law fits, and nothing is forecast.
    """

    curve: Curve
    expected: tuple[tuple[int, Interval], ...]
    ceiling: Interval
    is_ceiling_identifiable: bool
    late_drop_from: int | None
    back_test: BackTest | None


def forecast(rows: Sequence[int], errors: Sequence[float], *, confidence: float = 0.95) -> CurveForecast:
    """Fit measured errors (0 to 1) at sizes of training data; several errors at one size are from disjoint parts.

    Raises Invalid for fewer than four sizes, for values out of range, and if errors do not fall.
    """
    return forecast_from(
        points_of(rows, errors),
        freedom=freedom_of(rows),
        confidence=confidence,
        back_test=back_test(rows, errors, confidence=confidence),
    )


def forecast_from(
    points: Sequence[SizePoint], *, freedom: int, confidence: float, back_test: BackTest | None = None
) -> CurveForecast:
    """Fit points whose variances are known; `freedom` is the number of repeats behind them.

    Raises Invalid if errors do not fall.
    """
    curve = fit(points, freedom=freedom, confidence=confidence)
    largest = points[-1].rows
    ceiling = interval_at(curve, np.inf)
    return CurveForecast(
        curve=curve,
        expected=tuple((factor * largest, interval_at(curve, factor * largest)) for factor in (1, 2, FURTHEST)),
        ceiling=ceiling,
        is_ceiling_identifiable=ceiling.lower > 0,
        late_drop_from=late_drop(curve),
        back_test=back_test,
    )


def back_test(rows: Sequence[int], errors: Sequence[float], *, confidence: float = 0.95) -> BackTest | None:
    """Fit the sizes up to half the largest, predict the largest, and compare; None if those sizes give no curve.

    The measured error counts as within the interval after the interval is widened by the noise of that measurement.
    """
    largest = max(rows)
    smaller = [(size, error) for size, error in zip(rows, errors, strict=True) if 2 * size <= largest]
    sizes, known = [size for size, _ in smaller], [error for _, error in smaller]
    if largest > FURTHEST * max(sizes, default=0):
        return None
    try:
        curve = fit(points_of(sizes, known), freedom=freedom_of(sizes), confidence=confidence)
    except Invalid:
        return None
    measured, predicted = points_of(rows, errors)[-1], interval_at(curve, largest)
    is_within = was_within(measured, predicted, has_repeats=bool(freedom_of(rows)))
    return BackTest(max(sizes), largest, predicted, measured.error, is_within)


def was_within(measured: SizePoint, predicted: Interval, *, has_repeats: bool) -> bool:
    """Whether a measured error is within a predicted interval, which the noise of the measurement widens."""
    from scipy.stats import norm

    level = float(norm.ppf((1 + predicted.confidence) / 2))
    noise = level * math.sqrt(measured.variance) if has_repeats else 0.0
    low = predicted.value - math.hypot(predicted.value - predicted.lower, noise)
    high = predicted.value + math.hypot(predicted.upper - predicted.value, noise)
    return low <= measured.error <= high


def describe(document: Mapping[str, Any]) -> list[str]:
    """Describe a `weighbridge.learning-curve/1` in sentences: the forecast, the ceiling, the back-test."""
    metric, level = document["metric"], document["confidence"]
    late = document["late_drop_from"]
    if late is not None:
        text = (
            f"No forecast: from {late:,} rows on the error falls faster than before, which a power law cannot. Measure "
            "larger sizes until it flattens, and give only those."
        )
        return [text]
    sentences = [
        f"With {row['rows']:,} rows, expect {metric} {row['value']:.4f} ({level:.0%}: {row['lower']:.4f} to "
        f"{row['upper']:.4f})."
        for row in document["expected"]
    ]
    ceiling, test = document["ceiling"], document["back_test"]
    if ceiling is None:
        sentences.append("Ceiling: not identifiable; the points fit as well without one.")
    else:
        sentences.append(
            f"Ceiling with endless data: {metric} {ceiling['value']:.4f} ({level:.0%}: {ceiling['lower']:.4f} to "
            f"{ceiling['upper']:.4f})."
        )
    if test is None:
        sentences.append(f"No back-test: it needs {LEAST_SIZES} sizes up to half of the largest.")
    else:
        where = "within" if test["is_within"] else "outside"
        sentences.append(
            f"Back-test: fitted on up to {test['fitted_up_to']:,} rows, the forecast for {test['rows']:,} missed by "
            f"{test['missed_by']:+.4f}; the measured {metric} lay {where} its interval."
        )
    return sentences


def as_document(found: CurveForecast, *, metric: str) -> dict[str, Any]:
    """Return the forecast as `weighbridge.learning-curve/1`, in terms of `metric` (`error`, or 1 - error)."""
    tell = _teller(metric)
    curve, test = found.curve, found.back_test
    is_late = found.late_drop_from is not None
    return {
        "schema": SCHEMA,
        "metric": metric,
        "confidence": curve.confidence,
        "points": [
            {
                "rows": point.rows,
                "value": tell(point.error),
                "parts": point.parts,
                "deviation": _deviation(curve, point),
            }
            for point in curve.points
        ],
        "fit": {"form": "error = a + b * rows^-c", "a": curve.a, "b": curve.b, "c": curve.c},
        "late_drop_from": found.late_drop_from,
        "expected": [] if is_late else [{"rows": rows, **_bounds(each, metric)} for rows, each in found.expected],
        "ceiling": _bounds(found.ceiling, metric) if found.is_ceiling_identifiable and not is_late else None,
        "back_test": None
        if test is None
        else {
            "fitted_up_to": test.fitted_up_to,
            "rows": test.rows,
            **_bounds(test.predicted, metric),
            "measured": tell(test.measured),
            "missed_by": tell(test.measured) - tell(test.predicted.value),
            "is_within": test.is_within,
        },
    }


def _deviation(curve: Curve, point: SizePoint) -> float | None:
    """Return the standard deviation of a point; None if its variance is only relative."""
    return math.sqrt(point.variance) if curve.freedom else None


def _teller(metric: str) -> Callable[[float], float]:
    return (lambda error: error) if metric == "error" else (lambda error: 1 - error)


def _bounds(interval: Interval, metric: str) -> dict[str, float]:
    ends = sorted(_teller(metric)(end) for end in (interval.lower, interval.upper))
    return {"value": _teller(metric)(interval.value), "lower": ends[0], "upper": ends[1]}
