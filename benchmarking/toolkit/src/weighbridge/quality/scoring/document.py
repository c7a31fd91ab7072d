"""The `weighbridge.scores/1` document: predictions made anywhere, scored against their truth."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.measure.metrics import class_metrics, quality_metrics
from weighbridge.quality.metrics.prepared import Units
from weighbridge.quality.metrics.probabilities import SMALLEST, reliability
from weighbridge.quality.metrics.registry import Task, Undefined
from weighbridge.quality.predictions.columns import ROLES, Predictions
from weighbridge.quality.scores import quality_of
from weighbridge.quality.scoring.job import Job, Wanted, job_of
from weighbridge.quality.scoring.measuring import Measured, measure
from weighbridge.quality.scoring.slices import Slice, slices_of

SCHEMA = "weighbridge.scores/1"
# With this number of slices and metrics, each interval has a level at which all of them hold together.
BONFERRONI = "Bonferroni"


def scores_document(predictions: Predictions, wanted: Wanted) -> dict[str, Any]:
    """Score predictions and return a `weighbridge.scores/1` mapping; raise Invalid for what cannot be scored."""
    job = job_of(predictions, wanted)
    slices = slices_of(predictions, wanted.slices)
    everything = np.ones(len(job.rows), dtype=np.bool_)
    units = job.units(everything)
    quality = quality_of(job.rows, job.metrics, units, job.score)
    measured, drops = quality.measured, job.drops(everything, units, job.score.confidence)
    _check_defined(measured)
    return {
        "schema": SCHEMA,
        "task": job.task.value,
        "chosen": job.chosen or None,
        "rows": len(job.rows),
        "units": units.n,
        "columns": {role: list(predictions.names(role)) for role in ROLES if predictions.has(role)},
        "settings": {**dataclasses.asdict(wanted.reading), **dataclasses.asdict(job.score)},
        "metrics": quality_metrics(measured, job.metrics),
        "missing": _messages(measured.missing),
        "left_out": _messages(measured.left_out),
        "scores": job.rows.reading or None,
        "classes": list(job.rows.classes) or None,
        "confusion": quality.confusion.tolist() if quality.confusion is not None else None,
        "per_class": class_metrics(quality),
        "reliability": _reliability(job),
        "drops": drops,
        **_sliced(job, slices),
        "notes": [{"message": text} for text in (*_notes(job, units), *_width_notes(measured, drops))],
    }


def _check_defined(measured: Measured) -> None:
    """Raise Invalid if no metric has a value."""
    if not measured.intervals and not measured.points:
        reasons = " ".join(f"{name}: {reason}" for name, reason in measured.missing.items())
        raise Invalid(reasons, code="metric_undefined", field="metric")


def _messages(reasons: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"metric": name, "message": text} for name, text in reasons.items()]


def _reliability(job: Job) -> list[dict[str, Any]] | None:
    """Return the bins of stated probabilities, None for predictions without probabilities."""
    if job.task is not Task.CLASSES:
        return None
    try:
        return reliability(job.rows, job.score.confidence)
    except Undefined:
        return None


def _sliced(job: Job, slices: Sequence[Slice]) -> dict[str, Any]:
    """Return the metrics of each slice at a level that holds for all of them together, and that correction."""
    units = [job.units(each.rows) for each in slices]
    judged = sum(each.n >= job.score.min_rows for each in units)
    intervals = max(1, judged * len(job.metrics) * (1 if job.baseline is None else 2))
    confidence = 1 - (1 - job.score.confidence) / intervals
    entries = [_slice_entry(job, *pair, confidence) for pair in zip(slices, units, strict=True)]
    correction = {"method": BONFERRONI, "intervals": intervals, "confidence": confidence} if slices else None
    return {"slices": entries, "correction": correction}


def _slice_entry(job: Job, each: Slice, units: Units, confidence: float) -> dict[str, Any]:
    head = {"slice": each.values, "name": each.name, "rows": int(each.rows.sum()), "units": units.n}
    if units.n < job.score.min_rows:
        return {**head, "too_few": True, "metrics": {}, "missing": [], "drops": []}
    measured = measure(job.metrics, job.rows.take(each.rows), units, job.score, confidence=confidence)
    return {
        **head,
        "too_few": False,
        "metrics": quality_metrics(measured, job.metrics),
        "missing": _messages(measured.missing),
        "drops": job.drops(each.rows, units, confidence),
    }


def _width_notes(measured: Measured, drops: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence about intervals without a width, which are no certainty."""
    flat = [name for name, interval in measured.intervals.items() if interval.lower == interval.upper]
    flat += [f"drop of {drop['metric']}" for drop in drops if drop["lower"] == drop["upper"]]
    if flat:
        names = ", ".join(flat)
        yield f"All resamples have the same {names}: an interval without a width says nothing about other rows."


def _notes(job: Job, units: Units) -> Iterator[str]:
    """Yield what a reader must know besides the metrics."""
    if units.n < job.score.min_rows:
        what = "rows" if units.n == len(job.rows) else "groups of rows"
        yield f"There are only {units.n} {what}: intervals of so few are not reliable."
    if any(metric.name == "log_loss" for metric in job.metrics) and "scores" in job.rows.fields:
        given = job.rows["scores"][np.arange(len(job.rows)), job.rows["truth"]]
        zeros = int(np.sum(given < SMALLEST))
        if zeros:
            yield f"{zeros:,} rows give their true class the probability 0, which counts as {SMALLEST:.1e} in log_loss."
