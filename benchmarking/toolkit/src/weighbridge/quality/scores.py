"""Quality of a model on a data set: metrics of classes or numbers with intervals, and the confusion of classes."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.answers import AS_GIVEN, AnswerSettings, ClassAnswers
from weighbridge.quality.classification import class_metrics
from weighbridge.quality.metrics.prepared import Units, units_of
from weighbridge.quality.metrics.registry import Metric, Task, find_metric
from weighbridge.quality.predictions.class_rows import answered_rows
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.scoring.measuring import Measured, ScoreSettings, measure

OF_MODELS = {
    Task.CLASSES: ("accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc"),
    Task.NUMBERS: ("mae", "rmse", "r2", "mape"),
}


@dataclasses.dataclass(frozen=True)
class Quality:
    """The metrics, and for a classifier the confusion matrix and the metrics of each class.

    Rows of the matrix are the truth, columns the answers; other models have none. `reading` says how scores were read.
    """

    measured: Measured
    confusion: NDArray[np.int64] | None = None
    per_class: Sequence[Mapping[str, Any]] = ()
    reading: str = ""


def confusion_of(truth: NDArray[np.int64], answers: NDArray[np.int64], *, classes: int) -> NDArray[np.int64]:
    """Count (truth, answer) pairs into a square confusion matrix of `classes`."""
    return (
        np.bincount(truth * classes + answers, minlength=classes * classes).reshape(classes, classes).astype(np.int64)
    )


def numbers_of(output: NDArray[Any], *, rows: int) -> NDArray[np.float64]:
    """Convert an output of shape (rows,) or (rows, 1) to numbers; raise Invalid for other shapes, NaN, inf."""
    array = np.asarray(output)
    if array.shape not in ((rows,), (rows, 1)) or not np.issubdtype(array.dtype, np.number):
        raise Invalid(
            f"The scored output has shape {array.shape} and type {array.dtype} for {rows} rows; y contains numbers, so "
            "it must have one number per row. Name another output with --output, or omit y to measure only speed.",
            code="output_shape",
            field="data",
        )
    numbers = array.reshape(rows).astype(np.float64)
    if not np.isfinite(numbers).all():
        raise Invalid("The model returned NaN or an infinite number.", code="output_shape", field="model")
    return numbers


def measure_quality(
    predict: Callable[[int, int], Any],
    truth: NDArray[Any],
    *,
    batch: int,
    score: ScoreSettings,
    on_tick: Callable[[float], None],
    settings: AnswerSettings = AS_GIVEN,
    names: Sequence[str] = (),
) -> Quality:
    """Call `predict(start, stop)` for the scored output of every row, in batches, and compare it with the truth.

    Integers in `truth` are classes, texts their names, floats regression targets. `names` are metrics besides those of
    every model. Raises Invalid if the output has another form, if `truth` contains classes that the model does not
    have, for metrics of another task, or without rows.
    """
    task = check_task(truth, names)
    outputs = outputs_of(predict, len(truth), batch, on_tick)
    if not len(truth):
        raise Invalid("The data set has no rows.", code="data_empty", field="data")
    if task is Task.NUMBERS:
        numbers = np.concatenate([numbers_of(output, rows=size) for output, size in outputs])
        rows = Rows({"truth": truth, "prediction": numbers})
    else:
        rows = answered_rows(truth, answers_of(outputs, truth, settings))
    usual = [name for name in OF_MODELS[task] if name != "roc_auc" or rows.reading]
    metrics = [find_metric(name) for name in dict.fromkeys((*usual, *names))]
    return quality_of(rows, metrics, units_of(len(rows), seed=score.seed), score)


def check_task(truth: NDArray[Any], names: Sequence[str]) -> Task:
    """Return the task of a data set by its truth; raise Invalid for metrics of another."""
    task = Task.NUMBERS if np.issubdtype(truth.dtype, np.floating) else Task.CLASSES
    for name in names:
        other = find_metric(name).task
        if other is not task:
            text = (
                f"{name} is a metric of {other}, but y is the truth of {task}: floats are numbers, integers and names "
                "are classes. Other metrics need columns that a data set does not have; save the answers of the model "
                "and use `weighbridge score`."
            )
            raise Invalid(text, code="metric_task", field="metric")
    return task


def quality_of(rows: Rows, metrics: Sequence[Metric], units: Units, score: ScoreSettings) -> Quality:
    """Return the metrics of checked rows, and what else a reader needs of a classifier."""
    measured = measure(metrics, rows, units, score, confidence=score.confidence)
    if metrics[0].task is not Task.CLASSES:
        return Quality(measured, reading=rows.reading)
    truth, answers = rows["truth"], rows["prediction"]
    classes = 1 + int(max(truth.max(), answers.max(), len(rows.classes) - 1, _width(rows) - 1))
    confusion = confusion_of(truth, answers, classes=classes)
    return Quality(measured, confusion, class_metrics(confusion, score.confidence, rows.classes), rows.reading)


def _width(rows: Rows) -> int:
    return int(rows["scores"].shape[1]) if "scores" in rows.fields else 0


def answers_of(outputs: Iterator[tuple[Any, int]], truth: NDArray[Any], settings: AnswerSettings) -> ClassAnswers:
    """Collect the classes that outputs, each with its number of rows, give their rows."""
    names = tuple(map(str, np.unique(truth))) if truth.dtype.kind == "U" else ()
    answers = ClassAnswers(settings, names)
    for output, size in outputs:
        answers.add(output, rows=size)
    return answers


def numbered(truth: NDArray[Any]) -> NDArray[Any]:
    """Return the classes of named rows by their place in the sorted names, as `answers_of` counts them."""
    return np.unique(truth, return_inverse=True)[1] if truth.dtype.kind == "U" else truth


def outputs_of(
    predict: Callable[[int, int], Any], rows: int, batch: int, on_tick: Callable[[float], None]
) -> Iterator[tuple[Any, int]]:
    """Yield `predict(start, stop)` for all rows in batches, with the number of rows of each."""
    for start in range(0, rows, batch):
        stop = min(start + batch, rows)
        yield predict(start, stop), stop - start
        on_tick(stop / rows)
