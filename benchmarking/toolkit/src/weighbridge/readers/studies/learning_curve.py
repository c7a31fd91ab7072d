"""A learning curve: it is fitted again to the measured points of the document."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import LARGEST_COUNT, Fields
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportStatus
from weighbridge.readers.studies.study import Study, check_same, study_of
from weighbridge.readers.study_kinds import StudyKind
from weighbridge.statistics.order_statistics import Interval
from weighbridge.tradeoff.learning.learning_curve import (
    BackTest,
    CurveForecast,
    as_document,
    describe,
    forecast_from,
    was_within,
)
from weighbridge.tradeoff.learning.power_law import LEAST_SIZES, SizePoint

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

POINTS_MAX, PARTS_MAX = 64, 1_000_000


def read_learning_curve(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.learning-curve/1`."""
    metric = document.text("metric") or "accuracy"
    confidence = document.share("confidence")
    points = _points(document, metric)
    curve = forecast_from(
        points,
        freedom=sum(each.parts - 1 for each in points),
        confidence=confidence,
        back_test=_back_test(document, points, confidence),
    )
    computed = as_document(curve, metric=metric)
    for stated, row in zip(document.entries("expected"), computed["expected"], strict=False):
        for key in ("value", "lower", "upper"):
            what = f"the {key} expected with {row['rows']:,} rows as"
            check_same(what, stated=stated.quantity(key), computed=float(row[key]), file=document.file)
    _doubt(findings, curve)
    fit = computed["fit"]
    return study_of(
        findings,
        StudyKind.LEARNING_CURVE,
        conclusions=describe(computed),
        details={
            "metric": metric,
            "sizes": f"{len(points)}, from {points[0].rows:,} to {points[-1].rows:,} rows",
            "fit": f"error = {fit['a']:.4g} + {fit['b']:.4g} * rows^-{fit['c']:.3g}",
        },
        draw=lambda: _chart(computed),
    )


def _points(document: Fields, metric: str) -> tuple[SizePoint, ...]:
    entries = document.entries("points")
    if not LEAST_SIZES <= len(entries) <= POINTS_MAX:
        text = f"{document.file} cannot be read: it has {len(entries)} sizes, and not {LEAST_SIZES} to {POINTS_MAX}."
        raise Invalid(text, code="curve_sizes", field="points")
    points = tuple(_point(each, metric) for each in entries)
    sizes = [each.rows for each in points]
    if sizes != sorted(set(sizes)):
        raise Invalid(f"{document.file} cannot be read: its sizes must rise.", code="curve_sizes", field="points")
    return points


def _point(entry: Fields, metric: str) -> SizePoint:
    deviation = entry.quantity("deviation") if entry.plain("deviation") is not None else None
    parts = entry.whole("parts", at_least=1, at_most=PARTS_MAX)
    if deviation is not None and deviation <= 0:
        raise Invalid(f"{entry.file} cannot be read: a deviation must be above zero.", field=f"{entry.path}.deviation")
    return SizePoint(
        rows=entry.whole("rows", at_least=1, at_most=LARGEST_COUNT),
        error=_error(entry.share("value"), metric),
        parts=parts,
        variance=1.0 if deviation is None else deviation**2,
    )


def _error(value: float, metric: str) -> float:
    return value if metric == "error" else 1 - value


def _back_test(document: Fields, points: tuple[SizePoint, ...], confidence: float) -> BackTest | None:
    """The forecast of the largest size, which only the single measurements give, with what was measured there."""
    if document.plain("back_test") is None:
        return None
    stated, metric, largest = document.inside("back_test"), document.text("metric") or "", points[-1]
    value, *ends = (_error(stated.share(key), metric) for key in ("value", "lower", "upper"))
    predicted = Interval(value, min(ends), max(ends), confidence, len(points))
    has_repeats = any(each.parts > 1 for each in points)
    return BackTest(
        fitted_up_to=stated.whole("fitted_up_to", at_least=1, at_most=largest.rows),
        rows=largest.rows,
        predicted=predicted,
        measured=largest.error,
        is_within=was_within(largest, predicted, has_repeats=has_repeats),
    )


def _doubt(findings: Findings, curve: CurveForecast) -> None:
    test = curve.back_test
    if curve.late_drop_from is not None:
        findings.doubt(ImportStatus.INDICATIVE, "The error falls faster at the end, so that nothing can be forecast.")
    if test is None:
        findings.doubt(ImportStatus.INDICATIVE, "No back-test says whether such a forecast can be relied on.")
    elif not test.is_within:
        findings.doubt(ImportStatus.INDICATIVE, "In the back-test, the measured value was outside the forecast.")


def _chart(computed: Mapping[str, Any]) -> "Chart":
    from weighbridge.tradeoff.charts.learning import learning_curve

    return learning_curve(computed)
