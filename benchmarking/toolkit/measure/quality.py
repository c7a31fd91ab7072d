"""Quality: how often a classifier is right, and how sure that is."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarking.toolkit.measure.stats import Interval, macro_f1_interval, wilson_interval
from governance.domain.refusals import Invalid

MAX_CLASSES = 4_096


@dataclasses.dataclass(frozen=True)
class Quality:
    """Accuracy with Wilson's interval, macro-F1 with a bootstrap interval, and the confusion matrix behind both.

    The matrix has truth in rows and answers in columns.
    """

    accuracy: Interval
    f1_macro: Interval
    confusion: NDArray[np.int64]


def labels_of(output: NDArray[Any], *, rows: int) -> NDArray[np.int64]:
    """Turn a model's first output into class numbers: argmax of (rows, classes) scores, or (rows,) whole numbers."""
    if output.ndim >= 1 and output.shape[0] == rows:
        if output.ndim == 2 and output.shape[1] > 1:
            return np.asarray(output.argmax(axis=1), dtype=np.int64)
        if output.ndim == 1 and np.issubdtype(output.dtype, np.integer):
            return output.astype(np.int64)
    raise Invalid(
        f"The model's first output has shape {output.shape} and type {output.dtype} for {rows} rows; accuracy needs class "
        "scores of shape (rows, classes) or class numbers of shape (rows,). Leave --data out to measure speed alone.",
        code="output_shape",
        field="data",
    )


def confusion_of(truth: NDArray[np.int64], answers: NDArray[np.int64], *, classes: int) -> NDArray[np.int64]:
    """Count (truth, answer) pairs into a square matrix of `classes`."""
    return (
        np.bincount(truth * classes + answers, minlength=classes * classes).reshape(classes, classes).astype(np.int64)
    )


def measure_quality(
    predict: Callable[[int, int], NDArray[Any]],
    truth: NDArray[np.int64],
    *,
    batch: int,
    confidence: float,
    resamples: int,
    seed: int,
    on_tick: Callable[[float], None],
) -> Quality:
    """Ask `predict(start, stop)` for the first output of every row, in batches, and compare with the truth.

    Raises Invalid when the output is no classification, when truth holds classes the model cannot answer, or without rows.
    """
    rows = len(truth)
    answers: list[NDArray[np.int64]] = []
    scores = 0
    for start in range(0, rows, batch):
        stop = min(start + batch, rows)
        output = predict(start, stop)
        answers.append(labels_of(output, rows=stop - start))
        scores = output.shape[1] if output.ndim == 2 else 0
        on_tick(stop / rows)
    return score(truth, answers, scores=scores, confidence=confidence, resamples=resamples, seed=seed)


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
    f1 = macro_f1_interval(confusion, resamples=resamples, seed=seed, confidence=confidence)
    if accuracy is None or f1 is None:
        raise Invalid("The data set has no rows.", code="data_empty", field="data")
    return Quality(accuracy, f1, confusion)
