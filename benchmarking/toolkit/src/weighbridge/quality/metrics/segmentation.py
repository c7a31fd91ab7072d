"""Metrics of segmentation: a class for each pixel of a picture."""

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality.metrics.prepared import OfSums, Prepared
from weighbridge.quality.metrics.registry import LABEL, Task, Undefined, register
from weighbridge.quality.predictions.rows import Rows

IGNORED = 255


@register("miou", task=Task.SEGMENTATION)
def miou(rows: Rows) -> Prepared:
    """Return the intersection over union of each class over all pictures, averaged over the classes that occur."""
    return _miou(rows, None)


@register("miou@k", task=Task.SEGMENTATION, parameter=IGNORED, domain=LABEL)
def miou_without(rows: Rows, label: float) -> Prepared:
    """Return the same without the pixels whose true class has the number k, which often is 255."""
    return _miou(rows, int(label))


def _miou(rows: Rows, ignored: int | None) -> Prepared:
    pairs = [_kept(*pair, ignored) for pair in zip(rows["truth"], rows["prediction"], strict=True)]
    classes = np.unique(np.concatenate([np.concatenate(pair) for pair in pairs]))
    if not len(classes):
        raise Undefined("All pixels are ignored.")
    parts = np.array([_overlaps(*pair, classes) for pair in pairs], dtype=np.float64)
    pixels, kept = sum(map(np.size, rows["truth"])), sum(len(truth) for truth, _ in pairs)
    left_out = f"{pixels - kept:,} of {pixels:,} pixels have the true class {ignored} and are left out."
    return OfSums(parts.reshape(len(pairs), -1), _mean, left_out if kept < pixels else "")


def _kept(
    truth: NDArray[np.int64], answers: NDArray[np.int64], ignored: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    is_kept = np.ones(len(truth), dtype=np.bool_) if ignored is None else truth != ignored
    return truth[is_kept], answers[is_kept]


def _overlaps(
    truth: NDArray[np.int64], answers: NDArray[np.int64], classes: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Return the pixels of each class in both, and in either."""
    size = len(classes)
    real, predicted = np.searchsorted(classes, truth), np.searchsorted(classes, answers)
    both = np.bincount(real[real == predicted], minlength=size)
    return [both, np.bincount(real, minlength=size) + np.bincount(predicted, minlength=size) - both]


def _mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    both, either = np.split(sums, 2, axis=-1)
    return np.asarray(np.where(either > 0, both / either, 0).sum(axis=-1) / (either > 0).sum(axis=-1))
