"""Quality of classifiers: macro averages, metrics per class, and ROC AUC with its interval."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import Interval, wilson_interval


def rates(hits: NDArray[Any], real: NDArray[Any], predicted: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return precision, recall and F1 = 2 TP / (2 TP + FP + FN) from counts of one shape; 0 / 0 is 0 (scikit-learn)."""
    bottoms = (predicted, real, real + predicted)
    tops = (hits, hits, 2 * hits)
    return tuple(
        np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1), 0.0)
        for top, bottom in zip(tops, bottoms, strict=True)
    )


def averages(hits: NDArray[Any], real: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
    """Return precision, recall and F1 averaged over the classes that occur as truth or answer, (..., 3).

    The counts have shape (..., classes).
    """
    occurs = np.maximum((real + predicted > 0).sum(axis=-1), 1)
    return np.stack([rate.sum(axis=-1) / occurs for rate in rates(hits, real, predicted)], axis=-1)


def class_metrics(confusion: NDArray[np.int64], confidence: float, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return precision and recall of each class that occurs, with Wilson intervals (None without cases), and F1.

    `support` counts the examples of the class. Without `names`, classes are called by their numbers.
    """
    metrics = []
    for place, (real, predicted) in enumerate(zip(confusion.sum(axis=1), confusion.sum(axis=0), strict=True)):
        hits = int(confusion[place, place])
        if real + predicted:
            metrics.append(
                {
                    "class": names[place] if names else place,
                    "support": int(real),
                    "precision": wilson_interval(hits, int(predicted), confidence),
                    "recall": wilson_interval(hits, int(real), confidence),
                    "f1": 2 * hits / int(real + predicted),
                }
            )
    return metrics


def roc_auc(truth: NDArray[np.int64], scores: NDArray[Any], *, confidence: float = 0.95) -> Interval | None:
    """Return ROC AUC, one-vs-rest and averaged over classes, from scores of shape (rows, classes).

    Scores are used as given, so those of different rows must be comparable; of two classes, their difference counts.
    The variance is DeLong's (1988), as the sum of squared influences of the rows, which also covers the average over
    classes; the interval is on the logit scale. If all pairs are ordered, that variance is 0, and the interval is
    Wilson's with as many trials as the rarer class has rows. Classes without positive or negative examples are omitted;
    None if no class is left.
    """
    columns = [scores[:, 1] - scores[:, 0]] if scores.shape[1] == 2 else list(scores.T)
    first = 1 if scores.shape[1] == 2 else 0
    sides = [(truth == first + place, column) for place, column in enumerate(columns)]
    sides = [(is_real, column) for is_real, column in sides if 0 < is_real.sum() < len(truth)]
    if not sides:
        return None
    values, influences = zip(*(_auc_and_influences(is_real, column) for is_real, column in sides), strict=True)
    fewest = min(min(int(is_real.sum()), int((~is_real).sum())) for is_real, _ in sides)
    return _auc_interval(float(np.mean(values)), np.mean(influences, axis=0), fewest, confidence)


def _auc_and_influences(is_real: NDArray[np.bool_], scores: NDArray[Any]) -> tuple[float, NDArray[np.float64]]:
    """Return the AUC of one class and the influence of each row: its placement in the other class, minus the AUC."""
    from scipy.stats import rankdata

    real, rest = int(is_real.sum()), int((~is_real).sum())
    placements = rankdata(scores)
    placements[is_real] = (placements[is_real] - rankdata(scores[is_real])) / rest
    placements[~is_real] = 1 - (placements[~is_real] - rankdata(scores[~is_real])) / real
    auc = float(placements[is_real].mean())
    return auc, (placements - auc) / np.where(is_real, real, rest)


def _auc_interval(value: float, influences: NDArray[np.float64], fewest: int, confidence: float) -> Interval | None:
    from scipy.special import expit, logit
    from scipy.stats import norm

    n = len(influences)
    error = math.sqrt(float(np.sum(influences**2)))
    if error < 1e-12 or not 0 < value < 1:
        bounds = wilson_interval(round(value * fewest), fewest, confidence)
        return Interval(value, min(value, bounds.lower), max(value, bounds.upper), confidence, n) if bounds else None
    half = float(norm.ppf((1 + confidence) / 2)) * error / (value * (1 - value))
    low, high = (float(expit(logit(value) + side * half)) for side in (-1, 1))
    return Interval(value, low, high, confidence, n)
