"""Metrics of classes: answers, and scores of classes whose rows can be compared."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality.classification import averages
from weighbridge.quality.metrics.prepared import (
    OfSums,
    OfWeights,
    Prepared,
    cells_of,
    mean_defined,
    mean_of,
    ratio_of,
)
from weighbridge.quality.metrics.ranked import RankedRows, rarest_of
from weighbridge.quality.metrics.registry import Task, Undefined, register
from weighbridge.quality.metrics.shares import Shares
from weighbridge.quality.predictions.rows import Rows


@register("accuracy", task=Task.CLASSES)
def accuracy(rows: Rows) -> Prepared:
    """Return the share of right answers."""
    return mean_of(rows["truth"] == rows["prediction"])


@register("precision_macro", task=Task.CLASSES)
def precision_macro(rows: Rows) -> Prepared:
    """Return precision, averaged over the classes that occur as truth or answer."""
    return _macro(rows, 0)


@register("recall_macro", task=Task.CLASSES)
def recall_macro(rows: Rows) -> Prepared:
    """Return recall, averaged over the classes that occur as truth or answer."""
    return _macro(rows, 1)


@register("f1_macro", task=Task.CLASSES)
def f1_macro(rows: Rows) -> Prepared:
    """Return F1, averaged over the classes that occur as truth or answer."""
    return _macro(rows, 2)


@register("precision", task=Task.CLASSES)
def precision(rows: Rows) -> Prepared:
    """Return the share of right answers among the answers "class 1" of two classes."""
    return _of_positive(rows, 0)


@register("recall", task=Task.CLASSES)
def recall(rows: Rows) -> Prepared:
    """Return the share of the rows of class 1 that are answered so, of two classes."""
    return _of_positive(rows, 1)


@register("f1", task=Task.CLASSES)
def f1(rows: Rows) -> Prepared:
    """Return F1 of class 1, of two classes."""
    return _of_positive(rows, 2)


@register("roc_auc", task=Task.CLASSES)
def roc_auc(rows: Rows) -> Prepared:
    """Return ROC AUC, one class against the rest, averaged over classes."""
    return _areas(rows, lambda ranked, weights: ranked.roc_auc(weights))


@register("pr_auc", task=Task.CLASSES)
def pr_auc(rows: Rows) -> Prepared:
    """Return the area under the precision-recall curve (average precision); one class against the rest, averaged."""
    return _areas(rows, lambda ranked, weights: ranked.average_precision(weights))


def _macro(rows: Rows, place: int) -> Prepared:
    truth, answers = rows["truth"], rows["prediction"]
    classes = 1 + int(max(truth.max(), answers.max()))
    ones, is_right = np.ones(len(truth)), truth == answers
    codes = [truth, classes + answers, 2 * classes + truth]
    parts = cells_of(codes, [ones, ones, is_right], 3 * classes)
    real, answered, hits = (parts[:, start : start + classes] for start in range(0, 3 * classes, classes))
    used = (answered, real, real + answered - hits)[place]
    occurs = np.unique(np.concatenate([truth, answers]))
    shares = Shares(hits[:, occurs], used[:, occurs], is_f1=place == 2)

    def combine(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        real, predicted, hits = np.split(sums, 3, axis=-1)
        return averages(hits, real, predicted)[..., place]

    return OfSums(parts, combine, shares=shares)


def _of_positive(rows: Rows, place: int) -> Prepared:
    """Return precision, recall or F1 of class 1, of two classes; raise Undefined if no row decides it."""
    truth, answers = rows["truth"], rows["prediction"]
    classes = max(len(rows.classes), 1 + int(max(truth.max(), answers.max())))
    if classes > 2:
        raise Undefined(f"This metric needs two classes, but there are {classes}; use its average, like f1_macro.")
    is_real, is_answered = truth == 1, answers == 1
    hits, used = is_real & is_answered, (is_answered, is_real, is_real | is_answered)[place]
    if not used.any():
        name = rows.classes[1] if len(rows.classes) > 1 else "1"
        what = ("is answered with", "has", "has, or is answered with,")[place]
        raise Undefined(f"No row {what} the class {name}.")
    shares = Shares(hits[:, None], used[:, None], is_f1=place == 2)
    if place == 2:
        return ratio_of(2 * hits, is_real.astype(np.int64) + is_answered, used=used, shares=shares)
    return ratio_of(hits, used, used=used, shares=shares)


def scores_of(rows: Rows) -> NDArray[np.float64]:
    """Return comparable scores of classes, (rows, classes); raise Undefined if there are none."""
    if "scores" not in rows.fields:
        raise Undefined(rows.reading or "This metric needs scores of classes (--scores).")
    return rows["scores"]


def _areas(rows: Rows, area: Callable[[RankedRows, NDArray[np.float64]], NDArray[np.float64]]) -> Prepared:
    truth, scores = rows["truth"], scores_of(rows)
    columns = [scores[:, 1] - scores[:, 0]] if scores.shape[1] == 2 else list(scores.T)
    first = 1 if scores.shape[1] == 2 else 0
    sides = [(truth == first + place, column) for place, column in enumerate(columns)]
    sides = [(is_real, column) for is_real, column in sides if 0 < is_real.sum() < len(truth)]
    ranked = [RankedRows(is_real, column) for is_real, column in sides]
    if not ranked:
        raise Undefined("An area under a curve needs rows of at least two classes.")

    rarest = rarest_of([is_real for is_real, _ in sides])
    return OfWeights(
        # A resample may lack the rows of a class, which is then left out as it is from the value itself.
        lambda weights: mean_defined([area(each, weights) for each in ranked]),
        len(ranked),
        # Of two classes, the rarer one decides how well the area is known.
        used=rarest if len(ranked) == 1 else None,
        rarest=rarest,
    )
