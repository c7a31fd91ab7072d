"""Metrics of checked rows, each with its interval."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.quality.metrics.prepared import OfSums, Prepared, Units
from weighbridge.quality.metrics.registry import Metric, Undefined
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.scoring.calibration import calibration_interval
from weighbridge.quality.scoring.intervals import bootstrap_interval, closed_interval, resampled
from weighbridge.statistics.order_statistics import Interval

MIN_RESAMPLES, MAX_RESAMPLES = 100, 100_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """The level of all intervals, the resamples and their seed, and the rows below which a slice has no metrics."""

    confidence: float = 0.95
    resamples: int = 1_000
    seed: int = 20_260_101
    min_rows: int = 30

    def __post_init__(self) -> None:
        """Raise Invalid for another level, too few resamples, and a negative seed."""
        if not 0 < self.confidence < 1:
            raise Invalid("The confidence level must be between 0 and 1.", field="confidence")
        if not MIN_RESAMPLES <= self.resamples <= MAX_RESAMPLES:
            text = f"A bootstrap interval needs {MIN_RESAMPLES} to {MAX_RESAMPLES:,} resamples, not {self.resamples:,}."
            raise Invalid(text, field="resamples")
        if self.seed < 0:
            raise Invalid("The seed must not be negative.", field="seed")
        if self.min_rows < 2:
            raise Invalid("A slice needs at least 2 rows.", field="min_rows")


@dataclasses.dataclass(frozen=True)
class Measured:
    """Metrics with intervals, metrics of a single unit without, why others are missing, and why rows are left out."""

    intervals: Mapping[str, Interval]
    points: Mapping[str, float]
    missing: Mapping[str, str]
    left_out: Mapping[str, str]


def measure(
    metrics: Sequence[Metric], rows: Rows, units: Units, settings: ScoreSettings, *, confidence: float
) -> Measured:
    """Return metrics of rows; closed forms where they exist, otherwise by resampling units."""
    prepared, missing = prepare(metrics, rows)
    values = {name: each.value(units) for name, (_, each) in prepared.items()}
    missing |= {name: "It has no value for these rows." for name, value in values.items() if not math.isfinite(value)}
    kept = {name: pair for name, pair in prepared.items() if name not in missing}
    intervals = {
        name: _closed(metric, each, rows, units, values[name], settings, confidence)
        for name, (metric, each) in kept.items()
    }
    left = {name: pair for name, pair in kept.items() if intervals.get(name) is None}
    if left:
        drawn = resampled([each for _, each in left.values()], units, resamples=settings.resamples, seed=settings.seed)
        for (name, (metric, each)), draws in zip(left.items(), drawn, strict=True):
            intervals[name] = bootstrap_interval(metric, values[name], draws, units.using(each.used), confidence, each)
    complete = {name: found for name in kept if (found := intervals.get(name)) is not None}
    points = {name: values[name] for name in kept if name not in complete}
    left_out = {name: each.left_out for name, (_, each) in kept.items() if each.left_out}
    return Measured(complete, points, missing, left_out)


def prepare(metrics: Sequence[Metric], rows: Rows) -> tuple[dict[str, tuple[Metric, Prepared]], dict[str, str]]:
    """Return metrics ready for resampling, and the reasons of those that are not defined for these rows."""
    prepared, missing = {}, {}
    for metric in metrics:
        try:
            # Numbers beyond the range of the machine give a metric without a value.
            with np.errstate(all="ignore"):
                prepared[metric.name] = (metric, metric.prepare(rows))
        except Undefined as reason:
            missing[metric.name] = str(reason)
    return prepared, missing


def _closed(
    metric: Metric,
    prepared: Prepared,
    rows: Rows,
    units: Units,
    value: float,
    settings: ScoreSettings,
    confidence: float,
) -> Interval | None:
    """Return the interval of a metric that needs no resamples; None for others."""
    if metric.name.startswith("ece@") and isinstance(prepared, OfSums):
        return calibration_interval(
            prepared, rows, units, value, confidence=confidence, resamples=settings.resamples, seed=settings.seed
        )
    return closed_interval(metric, rows, value, confidence) if units.are_plain else None
