"""A job of scoring: what is asked of predictions, and the checked rows that answer it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.metrics.prepared import Units, units_of
from weighbridge.quality.metrics.registry import Metric, Task, task_of
from weighbridge.quality.own_metric import metric_of
from weighbridge.quality.predictions.columns import Predictions, rows_words
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.predictions.task_rows import ReadingSettings, rows_of
from weighbridge.quality.predictions.tasks import default_names, task_by_columns
from weighbridge.quality.scoring.drops import drops_of, margins_from
from weighbridge.quality.scoring.measuring import ScoreSettings
from weighbridge.quality.scoring.pairing import paired


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of predictions: metrics (chosen by the columns if empty), slices, and a baseline with margins."""

    metrics: Sequence[str] = ()
    slices: Sequence[str] = ()
    baseline: Predictions | None = None
    margin: float | Mapping[str, float] | None = None
    reading: ReadingSettings = ReadingSettings()  # noqa: RUF009 -- frozen, as everything in it
    score: ScoreSettings = ScoreSettings()  # noqa: RUF009 -- frozen

    def __post_init__(self) -> None:
        """Raise Invalid for a margin without a baseline."""
        if self.margin is not None and self.baseline is None:
            raise Invalid(
                "A margin is the acceptable loss against a baseline; name it with --baseline.", field="margin"
            )


@dataclasses.dataclass(frozen=True)
class Job:
    """Checked rows with those of the baseline, and the metrics. `chosen` says why, if nobody named any."""

    predictions: Predictions
    task: Task
    metrics: Sequence[Metric]
    chosen: str
    rows: Rows
    baseline: Rows | None
    margins: Mapping[str, float]
    score: ScoreSettings

    def units(self, mask: NDArray[np.bool_]) -> Units:
        """Return the units of some rows: groups, or queries of a ranking, or single rows."""
        role = "group" if self.predictions.has("group") else "query" if self.task is Task.RANKING else None
        groups = self.predictions.names_of(role)[mask] if role else None
        weights = self.predictions.numbers("weight")[mask] if self.predictions.has("weight") else None
        return units_of(int(mask.sum()), seed=self.score.seed, groups=groups, weights=weights)

    def drops(self, mask: NDArray[np.bool_], units: Units, confidence: float) -> list[dict[str, Any]]:
        """Return the drops of some rows against the baseline, empty without one."""
        if self.baseline is None:
            return []
        pair = (self.rows.take(mask), self.baseline.take(mask))
        return drops_of(self.metrics, pair, units, self.score, margins=self.margins, confidence=confidence)


def job_of(predictions: Predictions, wanted: Wanted) -> Job:
    """Return checked rows and metrics; raise Invalid for columns, values, metrics and margins that do not fit."""
    # `ndcg` and `ndcg@10` are the same metric.
    metrics, chosen = list({metric.name: metric for metric in map(metric_of, wanted.metrics)}.values()), ""
    task = task_of(metrics)
    if task is None:
        task, why = (Task.ANY, "") if metrics else task_by_columns(predictions)
    rows = rows_of(task, predictions, wanted.reading)
    if not metrics:
        metrics = [metric_of(name) for name in default_names(task, rows)]
        chosen = f"No metric was named; those of {task.value} were chosen, because {why}."
    other = None if wanted.baseline is None else rows_of(task, paired(predictions, wanted.baseline), wanted.reading)
    margins = margins_from(wanted.margin, [metric.name for metric in metrics])
    _check_weights(predictions)
    job = Job(predictions, task, metrics, chosen, rows, other, margins, wanted.score)
    if task is Task.RANKING:
        of_slices = [name.strip() for text in wanted.slices for name in text.split(",")]
        for name in (*predictions.names("group"), *predictions.names("weight"), *of_slices):
            _check_queries(job, name)
    return job


def _check_weights(predictions: Predictions) -> None:
    if not predictions.has("weight"):
        return
    weights = predictions.numbers("weight")
    if (weights < 0).any():
        text = f"The weight is negative in {rows_words(weights < 0)}; a weight says how many rows a row stands for."
        raise Invalid(text, code="predictions_values", field="weight")
    if not weights.any():
        raise Invalid("All weights are 0.", code="predictions_values", field="weight")


def _check_queries(job: Job, name: str) -> None:
    """Raise Invalid for a column that differs within a query, whose rows belong together."""
    seen: dict[Any, Any] = {}
    values = job.predictions.column(name, field="slice").tolist()
    for query, value in zip(job.rows["query"].tolist(), values, strict=True):
        if seen.setdefault(query, value) != value:
            text = f"The column {name} differs within the query {query}, whose rows belong together."
            raise Invalid(text, code="predictions_values", field=name)
