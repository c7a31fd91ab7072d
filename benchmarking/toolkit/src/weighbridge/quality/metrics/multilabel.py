"""Metrics of several labels for each row: arrays of 0 and 1, (rows, labels)."""

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality.classification import averages, rates
from weighbridge.quality.metrics.prepared import OfSums, OfWeights, Prepared, mean_defined, mean_of
from weighbridge.quality.metrics.ranked import RankedRows
from weighbridge.quality.metrics.registry import Task, Undefined, register
from weighbridge.quality.predictions.rows import Rows


@register("subset_accuracy", task=Task.LABELS)
def subset_accuracy(rows: Rows) -> Prepared:
    """Return the share of rows whose labels are all right."""
    return mean_of((rows["truth"] == rows["prediction"]).all(axis=1))


@register("hamming_loss", task=Task.LABELS, is_higher_better=False)
def hamming_loss(rows: Rows) -> Prepared:
    """Return the share of labels that are wrong."""
    return mean_of((rows["truth"] != rows["prediction"]).mean(axis=1))


@register("labels_f1_micro", task=Task.LABELS)
def labels_f1_micro(rows: Rows) -> Prepared:
    """Return F1 over all labels of all rows together."""
    hits, real, predicted = (each.sum(axis=1) for each in _counts(rows))
    parts = np.column_stack([hits, real, predicted]).astype(np.float64)
    return OfSums(parts, lambda sums: rates(sums[..., 0], sums[..., 1], sums[..., 2])[2])


@register("labels_f1_macro", task=Task.LABELS)
def labels_f1_macro(rows: Rows) -> Prepared:
    """Return F1, averaged over the labels that occur as truth or answer."""
    parts = np.column_stack(_counts(rows)).astype(np.float64)
    return OfSums(parts, lambda sums: averages(*np.split(sums, 3, axis=-1))[..., 2])


@register("labels_pr_auc", task=Task.LABELS)
def labels_pr_auc(rows: Rows) -> Prepared:
    """Return the average precision of each label, averaged over the labels that occur."""
    if "scores" not in rows.fields:
        raise Undefined("The area under a curve needs scores of labels (--scores).")
    columns = zip(rows["truth"].T == 1, rows["scores"].T, strict=True)
    ranked = [RankedRows(is_real, column) for is_real, column in columns if 0 < is_real.sum() < len(rows)]
    if not ranked:
        raise Undefined("An area under a curve needs a label that some rows have and others do not have.")

    return OfWeights(lambda weights: mean_defined([each.average_precision(weights) for each in ranked]), len(ranked))


def _counts(rows: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    real, predicted = rows["truth"] == 1, rows["prediction"] == 1
    return real & predicted, real, predicted
