"""Metrics of several labels for each row: arrays of 0 and 1, (rows, labels)."""

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality.classification import averages
from weighbridge.quality.metrics.prepared import OfSums, OfWeights, Prepared, mean_defined, mean_of, ratio_of
from weighbridge.quality.metrics.ranked import RankedRows, rarest_of
from weighbridge.quality.metrics.registry import Task, Undefined, register
from weighbridge.quality.metrics.shares import Shares
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
    return ratio_of(2 * hits, real + predicted, used=real + predicted > 0)


@register("labels_f1_macro", task=Task.LABELS)
def labels_f1_macro(rows: Rows) -> Prepared:
    """Return F1, averaged over the labels that occur as truth or answer."""
    hits, real, predicted = _counts(rows)
    used = real | predicted
    occurs = used.any(axis=0)
    parts = np.column_stack([hits, real, predicted]).astype(np.float64)
    return OfSums(
        parts,
        lambda sums: averages(*np.split(sums, 3, axis=-1))[..., 2],
        shares=Shares(hits[:, occurs], used[:, occurs], is_f1=True),
    )


@register("labels_pr_auc", task=Task.LABELS)
def labels_pr_auc(rows: Rows) -> Prepared:
    """Return the average precision of each label, averaged over the labels that occur."""
    if "scores" not in rows.fields:
        raise Undefined("The area under a curve needs scores of labels (--scores).")
    columns = zip(rows["truth"].T == 1, rows["scores"].T, strict=True)
    sides = [(is_real, column) for is_real, column in columns if 0 < is_real.sum() < len(rows)]
    ranked = [RankedRows(is_real, column) for is_real, column in sides]
    if not ranked:
        raise Undefined("An area under a curve needs a label that some rows have and others do not have.")

    return OfWeights(
        lambda weights: mean_defined([each.average_precision(weights) for each in ranked]),
        len(ranked),
        rarest=rarest_of([is_real for is_real, _ in sides]),
    )


def _counts(rows: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    real, predicted = rows["truth"] == 1, rows["prediction"] == 1
    return real & predicted, real, predicted
