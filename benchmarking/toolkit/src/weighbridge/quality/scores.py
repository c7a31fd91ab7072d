"""Quality: how often a classifier is right, or how far a model of numbers is off, and how sure that is."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.classification import class_metrics, macro_intervals, roc_auc, stacked
from weighbridge.quality.regression import regression_intervals
from weighbridge.statistics.order_statistics import Interval, wilson_interval

MAX_CLASSES = 4_096
# ROC AUC sorts every class's scores; beyond this many numbers they are not kept.
MOST_SCORES = 20_000_000


@dataclasses.dataclass(frozen=True)
class Quality:
    """The metrics by name, and what is behind those of a classifier: the confusion matrix and the metrics of each
    class.

    The matrix has truth in rows and answers in columns; a model of numbers has none.
    """

    metrics: Mapping[str, Interval]
    confusion: NDArray[np.int64] | None = None
    per_class: Sequence[Mapping[str, Any]] = ()


def labels_of(output: NDArray[Any], *, rows: int) -> NDArray[np.int64]:
    """Turn a model's first output into class numbers: argmax of (rows, classes) scores, or (rows,) whole numbers."""
    if output.ndim >= 1 and output.shape[0] == rows:
        if output.ndim == 2 and output.shape[1] > 1:
            return np.asarray(output.argmax(axis=1), dtype=np.int64)
        if output.ndim == 1 and np.issubdtype(output.dtype, np.integer):
            return output.astype(np.int64)
    raise Invalid(
        f"The model's first output has shape {output.shape} and type {output.dtype} for {rows} rows; accuracy needs "
        "class "
        "scores of shape (rows, classes) or class numbers of shape (rows,). Leave --data out to measure speed alone.",
        code="output_shape",
        field="data",
    )


def confusion_of(truth: NDArray[np.int64], answers: NDArray[np.int64], *, classes: int) -> NDArray[np.int64]:
    """Count (truth, answer) pairs into a square matrix of `classes`."""
    return (
        np.bincount(truth * classes + answers, minlength=classes * classes).reshape(classes, classes).astype(np.int64)
    )


def numbers_of(output: NDArray[Any], *, rows: int) -> NDArray[np.float64]:
    """Turn a model's first output of shape (rows,) or (rows, 1) into numbers; raise Invalid for other shapes, NaN and
    inf.
    """
    if output.shape not in ((rows,), (rows, 1)) or not np.issubdtype(output.dtype, np.number):
        raise Invalid(
            f"The model's first output has shape {output.shape} and type {output.dtype} for {rows} rows; y holds "
            "numbers, so "
            "one number per row is needed. Leave --data out to measure speed alone.",
            code="output_shape",
            field="data",
        )
    numbers = output.reshape(rows).astype(np.float64)
    if not np.isfinite(numbers).all():
        raise Invalid("The model answers what is no number (NaN or infinite).", code="output_shape", field="model")
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
    """Ask `predict(start, stop)` for the first output of every row, in batches, and compare with the truth.

    Whole numbers in `truth` are classes, others are numbers to be met. Raises Invalid when the output is of another
    kind, when truth holds classes the model cannot answer, or without rows.
    """
    outputs = _outputs(predict, len(truth), batch, on_tick)
    if np.issubdtype(truth.dtype, np.floating):
        answers = np.concatenate([np.empty(0), *(numbers_of(output, rows=size) for output, size in outputs)])
        found = regression_intervals(truth, answers, resamples=resamples, seed=seed, confidence=confidence)
        if not found:
            raise Invalid("The data set has no rows.", code="data_empty", field="data")
        return Quality(found)
    labels: list[NDArray[np.int64]] = []
    scores: list[NDArray[Any]] = []
    for output, size in outputs:
        labels.append(labels_of(output, rows=size))
        if output.ndim == 2:
            scores.append(output)
    width = scores[0].shape[1] if scores else 0
    quality = score(truth, labels, scores=width, confidence=confidence, resamples=resamples, seed=seed)
    matrix = stacked(scores, most=MOST_SCORES)
    auc = roc_auc(truth, matrix, confidence=confidence) if matrix is not None else None
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
    """Compare answers with the truth; `scores` is the width of the model's score vector, 0 if it answers numbers."""
    given = np.concatenate(answers) if answers else np.empty(0, dtype=np.int64)
    classes = max(scores, int(truth.max(initial=0)) + 1, int(given.max(initial=0)) + 1)
    if min(int(truth.min(initial=0)), int(given.min(initial=0))) < 0 or classes > MAX_CLASSES:
        raise Invalid(f"Class numbers must lie between 0 and {MAX_CLASSES - 1}.", code="data_labels", field="data")
    if scores and int(truth.max(initial=0)) >= scores:
        raise Invalid(
            f"y names class {int(truth.max())}, but the model scores {scores} classes (0 to {scores - 1}).",
            code="data_labels",
            field="data",
        )
    confusion = confusion_of(truth, given, classes=classes)
    accuracy = wilson_interval(int(np.trace(confusion)), len(truth), confidence)
    if accuracy is None:
        raise Invalid("The data set has no rows.", code="data_empty", field="data")
    macros = macro_intervals(confusion, resamples=resamples, seed=seed, confidence=confidence)
    return Quality({"accuracy": accuracy, **macros}, confusion, class_metrics(confusion, confidence))
