"""Metrics of the probabilities of classes, and reliability: what share of the rows with a probability is right."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality.answers import OF_PROBABILITIES
from weighbridge.quality.metrics.classification import scores_of
from weighbridge.quality.metrics.prepared import OfSums, Prepared, cells_of, mean_of
from weighbridge.quality.metrics.registry import ERROR_BOUNDS, Task, Undefined, register
from weighbridge.quality.predictions.rows import Rows
from weighbridge.statistics.order_statistics import wilson_interval

BINS = 15
# As in scikit-learn: a probability of 0 counts as the smallest difference of two numbers near 1.
SMALLEST = float(np.finfo(np.float64).eps)


@register("log_loss", task=Task.CLASSES, unit="nats", is_higher_better=False, bounds=ERROR_BOUNDS)
def log_loss(rows: Rows) -> Prepared:
    """Return the mean of -log of the probability of the true class, in nats."""
    given = _probabilities(rows)[np.arange(len(rows)), rows["truth"]]
    return mean_of(-np.log(np.clip(given, SMALLEST, 1 - SMALLEST)))


@register("brier", task=Task.CLASSES, unit="1", is_higher_better=False, bounds=ERROR_BOUNDS)
def brier(rows: Rows) -> Prepared:
    """Return the mean squared error of the probability of class 1; of more than two classes, summed over classes."""
    scores = _probabilities(rows)
    squares = ((scores - np.eye(scores.shape[1])[rows["truth"]]) ** 2).sum(axis=1)
    return mean_of(squares / 2 if scores.shape[1] == 2 else squares)


@register("ece@k", task=Task.CLASSES, is_higher_better=False, parameter=BINS)
def ece(rows: Rows, bins: float) -> Prepared:
    """Return the expected calibration error over k bins of equal width (Naeini 2015, Guo 2017).

    It compares the probability of class 1 of two classes with its share, and that of the answer of more with accuracy.
    """
    stated, is_hit = stated_of(rows)
    count = int(bins)
    places = bins_of(stated, count)
    parts = cells_of([places, np.full(len(rows), count)], [is_hit - stated, np.ones(len(rows))], count + 1)
    return OfSums(parts, lambda sums: np.abs(sums[..., :-1]).sum(axis=-1) / sums[..., -1])


def reliability(rows: Rows, confidence: float, bins: int = BINS) -> list[dict[str, Any]]:
    """Return for each bin with rows: limits, mean probability, number of rows, share that is right (Wilson)."""
    stated, is_hit = stated_of(rows)
    places = bins_of(stated, bins)
    found = []
    for place in np.unique(places):
        inside = places == place
        entry = {"from": place / bins, "to": (place + 1) / bins, "stated": float(stated[inside].mean())}
        share = wilson_interval(int(is_hit[inside].sum()), int(inside.sum()), confidence)
        known = {"share": share.value, "lower": share.lower, "upper": share.upper, "n": share.n} if share else {}
        found.append({**entry, **known})
    return found


def bins_of(stated: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return the bin of each probability, of `count` bins of equal width."""
    return np.minimum((stated * count).astype(np.int64), count - 1)


def stated_of(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the stated probability of each row, and whether what it is stated for is true."""
    scores = _probabilities(rows)
    if scores.shape[1] == 2:
        return np.clip(scores[:, 1], 0, 1), rows["truth"] == 1
    return np.clip(scores.max(axis=1), 0, 1), rows["truth"] == scores.argmax(axis=1)


def _probabilities(rows: Rows) -> NDArray[np.float64]:
    scores = scores_of(rows)
    if rows.reading not in OF_PROBABILITIES:
        raise Undefined(
            "It needs probabilities, which add up to 1 in each row; state --scores logits (`score`: "
            "--scores-are logits) if a softmax turns the scores into some."
        )
    return scores
