"""Quality of classifiers: macro averages, metrics per class and ROC AUC, each with its interval."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.statistics.order_statistics import Interval, wilson_interval

CHUNK_CELLS = 1_000_000


def macro_scores(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """Return macro precision, recall and F1 of confusion matrices of shape (..., classes, classes), as (..., 3).

    Rows are the truth, columns the answers. Averages include the classes that occur as truth or answer; 0 / 0 counts as
    0 (as in scikit-learn). F1 = 2 TP / (2 TP + FP + FN).
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    real, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    occurs = (real + predicted > 0).sum(axis=-1)
    scores = [hits / np.maximum(predicted, 1), hits / np.maximum(real, 1), 2 * hits / np.maximum(real + predicted, 1)]
    return np.stack([score.sum(axis=-1) / np.maximum(occurs, 1) for score in scores], axis=-1)


def macro_intervals(
    confusion: NDArray[np.int64], *, resamples: int, seed: int, confidence: float = 0.95
) -> dict[str, Interval]:
    """Return `precision_macro`, `recall_macro` and `f1_macro` with percentile intervals of a bootstrap over examples.

    Resampling n examples is a multinomial draw of the cells of their confusion matrix. An interval is widened to
    contain the point estimate if the bias of the bootstrap leaves it outside. Empty without examples.
    """
    n = int(confusion.sum())
    if n == 0:
        return {}
    rng = np.random.default_rng(seed)
    cells = np.flatnonzero(confusion)
    shares = confusion.ravel()[cells] / n
    chunk = max(1, CHUNK_CELLS // confusion.size)
    drawn = []
    for start in range(0, resamples, chunk):
        count = min(chunk, resamples - start)
        resampled = np.zeros((count, confusion.size), dtype=np.int64)
        resampled[:, cells] = rng.multinomial(n, shares, size=count)
        drawn.append(macro_scores(resampled.reshape(count, *confusion.shape)))
    values = macro_scores(confusion)
    lows, highs = np.quantile(np.concatenate(drawn), [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return {
        name: Interval(float(value), float(min(value, low)), float(max(value, high)), confidence, n)
        for name, value, low, high in zip(
            ("precision_macro", "recall_macro", "f1_macro"), values, lows, highs, strict=True
        )
    }


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
