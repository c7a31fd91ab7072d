"""An A/B test: its intervals are computed again from the units, the mean and the variance of each arm."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.core.errors import Invalid
from weighbridge.quality.experiment.arms import MIN_UNITS, Arm, Arms
from weighbridge.quality.experiment.document import KPI, ExperimentSettings, experiment_document
from weighbridge.readers.fields import LARGEST_COUNT, Fields
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportStatus
from weighbridge.readers.studies.study import Study, check_same, study_of
from weighbridge.readers.study_kinds import StudyKind

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

LOOKS = {"anytime": "any number of looks", "fixed": "one look at the end"}
SHARE_TOLERANCE = 1e-3


def read_experiment(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.experiment/1`."""
    stated = document.inside("settings")
    arms = _arms(document)
    settings = ExperimentSettings(
        confidence=stated.share("confidence"),
        share=stated.share("share"),
        planned_units=stated.whole("planned_units", at_least=1, at_most=LARGEST_COUNT),
    )
    computed = experiment_document(arms, settings)
    _check_metric(document, computed)
    for reason in computed["verdict"]["reasons"]:
        findings.doubt(ImportStatus(reason["status"]), reason["message"])
    changes = computed["changes"]
    shown = changes.get("relative") or changes.get("absolute") or {}
    return study_of(
        findings,
        StudyKind.EXPERIMENT,
        conclusions=tuple(_conclusions(shown, is_relative="relative" in changes)),
        details={
            **{name: f"{arm.n:,} units, mean {arm.mean:.6g}" for name, arm in _named(arms)},
            "units treated": f"{arms.treatment.n / arms.n:.2%} of {settings.share:.2%} intended",
            "planned units": f"{settings.planned_units:,}",
        },
        draw=lambda: _chart(shown, is_relative="relative" in changes),
    )


def _named(arms: Arms) -> tuple[tuple[str, Arm], ...]:
    return ("control", arms.control), ("treatment", arms.treatment)


def _arms(document: Fields) -> Arms:
    control, treatment = (_arm(document.inside("arms", name)) for name in ("control", "treatment"))
    return Arms(control, treatment, is_share=_is_share(control) and _is_share(treatment))


def _arm(stated: Fields) -> Arm:
    units = stated.whole("units", at_least=MIN_UNITS, at_most=LARGEST_COUNT)
    mean, variance = stated.quantity("mean"), stated.quantity("variance")
    if variance < 0:
        raise Invalid(f"{stated.file} cannot be read: a variance is below zero.", field=f"{stated.path}.variance")
    return Arm(units, mean, variance)


def _is_share(arm: Arm) -> bool:
    """Whether the variance is that of outcomes which are 0 or 1, or nearly so; the document does not say so itself.

    A variance that is off by less than the tolerance does not escape the check for few successes.
    """
    if not 0 <= arm.mean <= 1:
        return False
    expected = arm.mean * (1 - arm.mean) * arm.n / (arm.n - 1)
    return math.isclose(arm.variance, expected, rel_tol=SHARE_TOLERANCE, abs_tol=SHARE_TOLERANCE)


def _check_metric(document: Fields, computed: Mapping[str, Any]) -> None:
    """Raise Invalid unless the change that is stated, if any, is the one that the arms give."""
    stated, known = document.inside("metrics"), computed["metrics"].get(KPI)
    if KPI in stated.names and known is not None:
        for key, value in zip(("value", "lower", "upper"), stated.interval(KPI), strict=True):
            check_same(f"the {key} of the change as", stated=value, computed=float(known[key]), file=document.file)
    elif KPI in stated.names:
        check_same("the change", stated="a value", computed="none", file=document.file)


def _conclusions(shown: Mapping[str, Any], *, is_relative: bool) -> Iterator[str]:
    for look, words in LOOKS.items():
        if look in shown:
            each = shown[look]
            value, lower, upper = (_words(each[key], is_relative=is_relative) for key in ("value", "lower", "upper"))
            is_clear = each["lower"] > 0 or each["upper"] < 0
            effect = "a difference is shown" if is_clear else "no difference is shown"
            yield f"With {words}, {effect}: {value} ({each['confidence']:.0%}: {lower} to {upper})."


def _words(number: float, *, is_relative: bool) -> str:
    return f"{number:+.2%}" if is_relative else f"{number:+.4g}"


def _chart(shown: Mapping[str, Any], *, is_relative: bool) -> "Chart":
    from weighbridge.charts.bars import Bar, bars

    scale = 100.0 if is_relative else 1.0
    rows = [
        Bar(
            words,
            shown[look]["value"] * scale,
            lower=shown[look]["lower"] * scale,
            upper=shown[look]["upper"] * scale,
            words=_words(shown[look]["value"], is_relative=is_relative),
        )
        for look, words in LOOKS.items()
        if look in shown
    ]
    unit = "relative change in percent" if is_relative else "change of the mean outcome"
    alt = "Treatment against control. " + " ".join(_conclusions(shown, is_relative=is_relative))
    return bars(rows, title="Treatment against control", unit=unit, alt=alt)
