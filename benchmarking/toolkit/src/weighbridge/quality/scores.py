"""Quality of a model on a data set: accuracy of classifiers, errors of regression models, with intervals."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.classification import class_metrics, macro_intervals, roc_auc
from weighbridge.quality.regression import regression_intervals
from weighbridge.statistics.order_statistics import Interval, wilson_interval

MAX_CLASSES = 4_096
# ROC AUC sorts the scores of every class; above this size, the scores are not stored.
MAX_SCORES = 20_000_000


@dataclasses.dataclass(frozen=True)
class Quality:
    """The metrics by name, and for a classifier the confusion matrix and the metrics of each class.

    Rows of the matrix are the truth, columns the answers; a regression model has none.
    """

    metrics: Mapping[str, Interval]
    confusion: NDArray[np.int64] | None = None
    per_class: Sequence[Mapping[str, Any]] = ()


def labels_of(output: NDArray[Any], *, rows: int) -> NDArray[np.int64]:
    """Convert the first output to class numbers: argmax of (rows, classes) scores, or (rows,) whole numbers."""
    if output.ndim >= 1 and output.shape[0] == rows:
        if output.ndim == 2 and output.shape[1] > 1:
            return np.asarray(output.argmax(axis=1), dtype=np.int64)
        if output.ndim == 1 and np.issubdtype(output.dtype, np.integer):
            return output.astype(np.int64)
    raise Invalid(
        f"The model's first output has shape {output.shape} and type {output.dtype} for {rows} rows; accuracy needs "
        "class scores of shape (rows, classes) or class numbers of shape (rows,). Omit --data to measure only speed.",
        code="output_shape",
        field="data",
    )


def confusion_of(truth: NDArray[np.int64], answers: NDArray[np.int64], *, classes: int) -> NDArray[np.int64]:
    """Count (truth, answer) pairs into a square confusion matrix of `classes`."""
    return (
        np.bincount(truth * classes + answers, minlength=classes * classes).reshape(classes, classes).astype(np.int64)
    )


def numbers_of(output: NDArray[Any], *, rows: int) -> NDArray[np.float64]:
    """Convert the first output, of shape (rows,) or (rows, 1), to numbers; raise Invalid for other shapes, NaN, inf."""
    if output.shape not in ((rows,), (rows, 1)) or not np.issubdtype(output.dtype, np.number):
        raise Invalid(
            f"The model's first output has shape {output.shape} and type {output.dtype} for {rows} rows; y contains "
            "numbers, so the model must return one number per row. Omit --data to measure only speed.",
            code="output_shape",
            field="data",
        )
    numbers = output.reshape(rows).astype(np.float64)
    if not np.isfinite(numbers).all():
        raise Invalid("The model returned NaN or an infinite number.", code="output_shape", field="model")
    return numbers


def measure_quality(
    predict: Callable[[int, int], NDArray[Any]],
    truth: NDArray[Any],
    *,
    batch: int,
    confidence: float,
    resamples: int,
    seed: int,
    on_tick: Callable[[float], None],
) -> Quality:
    """Call `predict(start, stop)` for the first output of every row, in batches, and compare it with the truth.

    Integers in `truth` are classes, floats are regression targets. Raises Invalid if the output has another form, if
    `truth` contains classes that the model does not have, or without rows.
    """
    outputs = _outputs(predict, len(truth), batch, on_tick)
    if np.issubdtype(truth.dtype, np.floating):
        answers = np.concatenate([np.empty(0), *(numbers_of(output, rows=size) for output, size in outputs)])
        intervals = regression_intervals(truth, answers, resamples=resamples, seed=seed, confidence=confidence)
        if not intervals:
            raise Invalid("The data set has no rows.", code="data_empty", field="data")
        return Quality(intervals)
    labels: list[NDArray[np.int64]] = []
    scores: list[NDArray[Any]] = []
    for output, size in outputs:
        labels.append(labels_of(output, rows=size))
        if output.ndim == 2:
            scores.append(output)
    width = scores[0].shape[1] if scores else 0
    quality = score(truth, labels, scores=width, confidence=confidence, resamples=resamples, seed=seed)
    is_stored = 0 < sum(batch.size for batch in scores) <= MAX_SCORES
    auc = roc_auc(truth, np.concatenate(scores), confidence=confidence) if is_stored else None
    return dataclasses.replace(quality, metrics={**quality.metrics, "roc_auc": auc}) if auc is not None else quality


def _outputs(
    predict: Callable[[int, int], NDArray[Any]], rows: int, batch: int, on_tick: Callable[[float], None]
) -> Iterator[tuple[NDArray[Any], int]]:
    for start in range(0, rows, batch):
        stop = min(start + batch, rows)
        yield predict(start, stop), stop - start
        on_tick(stop / rows)


def score(
    truth: NDArray[np.int64],
    answers: Sequence[NDArray[np.int64]],
    *,
    scores: int,
    confidence: float,
    resamples: int,
    seed: int,
) -> Quality:
    """Compare answers with the truth; `scores` is the number of scores of the model, 0 if it returns class numbers."""
    predicted = np.concatenate(answers) if answers else np.empty(0, dtype=np.int64)
    classes = max(scores, int(truth.max(initial=0)) + 1, int(predicted.max(initial=0)) + 1)
    if min(int(truth.min(initial=0)), int(predicted.min(initial=0))) < 0 or classes > MAX_CLASSES:
        raise Invalid(f"Class numbers must be between 0 and {MAX_CLASSES - 1}.", code="data_labels", field="data")
    if scores and int(truth.max(initial=0)) >= scores:
        text = f"y contains class {int(truth.max())}, but the model has {scores} classes (0 to {scores - 1})."
        raise Invalid(text, code="data_labels", field="data")
    confusion = confusion_of(truth, predicted, classes=classes)
    accuracy = wilson_interval(int(np.trace(confusion)), len(truth), confidence)
    if accuracy is None:
        raise Invalid("The data set has no rows.", code="data_empty", field="data")
    macros = macro_intervals(confusion, resamples=resamples, seed=seed, confidence=confidence)
    return Quality({"accuracy": accuracy, **macros}, confusion, class_metrics(confusion, confidence))
