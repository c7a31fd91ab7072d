"""Quality of a model on a data set: accuracy of classifiers, errors of regression models, with intervals."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.answers import AS_GIVEN, AnswerSettings, ClassAnswers
from weighbridge.quality.classification import class_metrics, macro_intervals, roc_auc
from weighbridge.quality.regression import regression_intervals
from weighbridge.statistics.order_statistics import Interval, wilson_interval

MAX_CLASSES = 4_096


@dataclasses.dataclass(frozen=True)
class Quality:
    """The metrics by name, and for a classifier the confusion matrix and the metrics of each class.

    Rows of the matrix are the truth, columns the answers; a regression model has none. `missing` has the reason for
    each metric without a value, and `reading` how the scores were read.
    """

    metrics: Mapping[str, Interval]
    confusion: NDArray[np.int64] | None = None
    per_class: Sequence[Mapping[str, Any]] = ()
    missing: Mapping[str, str] = dataclasses.field(default_factory=dict)
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
    confidence: float,
    resamples: int,
    seed: int,
    on_tick: Callable[[float], None],
    settings: AnswerSettings = AS_GIVEN,
) -> Quality:
    """Call `predict(start, stop)` for the scored output of every row, in batches, and compare it with the truth.

    Integers in `truth` are classes, texts their names, floats regression targets. Raises Invalid if the output has
    another form, if `truth` contains classes that the model does not have, or without rows.
    """
    outputs = outputs_of(predict, len(truth), batch, on_tick)
    if not len(truth):
        raise Invalid("The data set has no rows.", code="data_empty", field="data")
    if np.issubdtype(truth.dtype, np.floating):
        numbers = np.concatenate([numbers_of(output, rows=size) for output, size in outputs])
        return Quality(regression_intervals(truth, numbers, resamples=resamples, seed=seed, confidence=confidence))
    answers = answers_of(outputs, truth, settings)
    labels, classes = numbered(truth, answers.classes), answers.all_labels()
    quality = score(
        labels,
        classes,
        scores=answers.width,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
        names=answers.classes,
    )
    scores = answers.all_scores()
    auc = roc_auc(labels, scores, confidence=confidence) if scores is not None else None
    return dataclasses.replace(
        quality,
        metrics=quality.metrics if auc is None else {**quality.metrics, "roc_auc": auc},
        missing={"roc_auc": answers.missing} if answers.missing else {},
        reading=answers.kind,
    )


def answers_of(outputs: Iterator[tuple[Any, int]], truth: NDArray[Any], settings: AnswerSettings) -> ClassAnswers:
    """Collect the classes that outputs, each with its number of rows, give their rows."""
    names = tuple(map(str, np.unique(truth))) if truth.dtype.kind == "U" else ()
    answers = ClassAnswers(settings, names)
    for output, size in outputs:
        answers.add(output, rows=size)
    return answers


def numbered(truth: NDArray[Any], names: Sequence[str]) -> NDArray[np.int64]:
    """Return class numbers; names become their place in `names`."""
    if truth.dtype.kind != "U":
        return truth.astype(np.int64)
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[str(name)] for name in truth], dtype=np.int64)


def outputs_of(
    predict: Callable[[int, int], Any], rows: int, batch: int, on_tick: Callable[[float], None]
) -> Iterator[tuple[Any, int]]:
    """Yield `predict(start, stop)` for all rows in batches, with the number of rows of each."""
    for start in range(0, rows, batch):
        stop = min(start + batch, rows)
        yield predict(start, stop), stop - start
        on_tick(stop / rows)


def score(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    *,
    scores: int,
    confidence: float,
    resamples: int,
    seed: int,
    names: Sequence[str] = (),
) -> Quality:
    """Compare classes with the truth; `scores` is the number of scores of the model, 0 if it returns classes."""
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
    return Quality({"accuracy": accuracy, **macros}, confusion, class_metrics(confusion, confidence, names))
