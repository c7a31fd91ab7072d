"""The `weighbridge.experiment/1` document: the change of a business metric, with its verdict."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.metrics import interval_metric
from weighbridge.measure.verdict import Status, ValidityReason, Verdict
from weighbridge.quality.experiment.arms import Arms
from weighbridge.quality.experiment.changes import (
    Change,
    absolute_change,
    anytime_interval,
    fixed_interval,
    relative_change,
)
from weighbridge.quality.experiment.planning import MAX_MISMATCH_P, next_test, sample_ratio_p
from weighbridge.statistics.order_statistics import Interval

SCHEMA = "weighbridge.experiment/1"
KPI = "business_kpi_delta"
# Below this, the mean of an arm is not close enough to normal; shares also need so many successes and failures.
MIN_UNITS, MIN_COUNTS = 100, 10
# A unit that makes more of the variance decides the interval: as much as one of ten successes.
MAX_LARGEST = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentSettings:
    """The level, the intended share of treated units, the planned units of both arms, and what the next test detects.

    `planned_units` tunes the interval for any number of looks and must be set before the first look. `detect` is a
    relative change.
    """

    confidence: float = 0.95
    share: float = 0.5
    planned_units: int = 10_000
    power: float = 0.8
    detect: float | None = None

    def __post_init__(self) -> None:
        """Raise Invalid for shares and probabilities out of range."""
        for name in ("confidence", "share", "power"):
            if not 0 < getattr(self, name) < 1:
                raise Invalid(f"The {name} must be between 0 and 1.", field=name)
        if self.planned_units < 1:
            raise Invalid("The planned units must be at least 1.", field="planned_units")
        if self.detect is not None and not abs(self.detect) > 0:
            raise Invalid("The change to detect must not be zero.", field="detect")


def experiment_document(arms: Arms, settings: ExperimentSettings) -> dict[str, Any]:
    """Return the change of the metric with both intervals; a sample ratio mismatch voids it."""
    p_value = sample_ratio_p(arms, settings.share)
    verdict = Verdict(tuple(_reasons(arms, settings.share, p_value)))
    relative = relative_change(arms)
    missing = {} if relative else {KPI: _no_ratio(arms)}
    if verdict.status is Status.INVALID:
        void = next(reason for reason in verdict.reasons if reason.status is Status.INVALID)
        missing = {KPI: f"Void: {void.message}"}
    changes = {} if verdict.status is Status.INVALID else _changes(arms, relative, settings)
    metrics = {KPI: changes["relative"]["anytime"]} if KPI not in missing else {}
    return {
        "schema": SCHEMA,
        "settings": dataclasses.asdict(settings),
        "arms": {
            name: {"units": arm.n, "mean": arm.mean, "variance": arm.variance, "total": arm.total}
            for name, arm in (("control", arms.control), ("treatment", arms.treatment))
        },
        "metrics": metrics,
        "missing": [{"metric": name, "message": reason} for name, reason in missing.items()],
        "changes": changes,
        "sample_ratio": {"share": settings.share, "found": arms.treatment.n / arms.n, "p_value": p_value},
        "next_test": next_test(arms, confidence=settings.confidence, power=settings.power, detect=settings.detect),
        "verdict": verdict.as_document(),
        "notes": [{"message": note} for note in arms.notes],
    }


def _changes(arms: Arms, relative: Change | None, settings: ExperimentSettings) -> dict[str, Any]:
    unit = "ratio" if arms.is_share else "1"
    changes = {"absolute": (absolute_change(arms), unit), **({"relative": (relative, "ratio")} if relative else {})}
    bounds = {"absolute": (-1.0, 1.0)} if arms.is_share else {}
    return {
        name: {
            kind: interval_metric(_within(interval, bounds.get(name)), its_unit)
            for kind, interval in (
                ("anytime", anytime_interval(change, settings.confidence, settings.planned_units)),
                ("fixed", fixed_interval(change, settings.confidence)),
            )
        }
        for name, (change, its_unit) in changes.items()
    }


def _within(interval: Interval, bounds: tuple[float, float] | None) -> Interval:
    """Return an interval cut off at the ends of what is possible."""
    if bounds is None:
        return interval
    return dataclasses.replace(interval, lower=max(interval.lower, bounds[0]), upper=min(interval.upper, bounds[1]))


def _reasons(arms: Arms, share: float, p_value: float) -> Iterator[ValidityReason]:
    if p_value < MAX_MISMATCH_P:
        text = (
            f"{arms.treatment.n / arms.n:.2%} of {arms.n:,} units are treated, where {share:.2%} were intended "
            f"(chi-square, p = {p_value:.1e}): units are lost or counted in one arm only, so that the arms cannot be "
            "compared. Find out which."
        )
        yield ValidityReason("experiment.sample_ratio", Status.INVALID, text)
    for name, arm in (("control", arms.control), ("treatment", arms.treatment)):
        if arm.n < MIN_UNITS or (arms.is_share and min(arm.total, arm.n - arm.total) < MIN_COUNTS):
            text = (
                f"The {name} has few units, successes or failures ({arm.total:,.0f} of {arm.n:,}): below {MIN_UNITS} "
                f"units, or {MIN_COUNTS} successes and failures, the intervals are not reliable."
            )
            yield ValidityReason("experiment.few_units", Status.INDICATIVE, text)
        elif arm.largest > MAX_LARGEST:
            text = (
                f"A single unit makes {arm.largest:.0%} of the variance of the {name}: the intervals are not reliable. "
                "Look at the largest outcomes, or cap them at a value that you set before."
            )
            yield ValidityReason("experiment.large_units", Status.INDICATIVE, text)
    if arms.covariate_p is not None and arms.covariate_p < MAX_MISMATCH_P:
        text = (
            f"The covariate differs between the arms (Welch's test, p = {arms.covariate_p:.1e}): it was measured after "
            "the experiment began, or units were not assigned at random."
        )
        yield ValidityReason("experiment.covariate", Status.INVALID, text)
    if not arms.control.variance and not arms.treatment.variance:
        text = "The outcomes of each arm are all equal, so that nothing is known about their variance."
        yield ValidityReason("experiment.no_variance", Status.INVALID, text)


def _no_ratio(arms: Arms) -> str:
    means = f"The mean of an arm ({arms.control.mean:.4g} and {arms.treatment.mean:.4g})"
    return f"{means} is negative or too close to zero for a relative change; use the absolute one."
