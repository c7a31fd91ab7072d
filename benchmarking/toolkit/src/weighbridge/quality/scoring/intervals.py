"""Intervals of quality metrics from resamples, and the closed forms of independent rows."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality import classification
from weighbridge.quality.metrics.prepared import Prepared, Units
from weighbridge.quality.metrics.registry import SHARE_BOUNDS, Metric
from weighbridge.quality.predictions.rows import Rows
from weighbridge.statistics.order_statistics import Interval, wilson_interval

# A percentile of fewer resamples than this beyond it is not used; the interval is then that of the standard error.
MIN_BEYOND = 10
BOOTSTRAP, STANDARD_ERROR, WILSON, DELONG = "bootstrap", "bootstrap standard error", "Wilson", "DeLong"


def resampled(prepared: Sequence[Prepared], units: Units, *, resamples: int, seed: int) -> list[NDArray[np.float64]]:
    """Return each metric of each resample of whole units; all metrics see the same resamples, or the first of them."""
    rows = len(units.of_row)
    left = [each.affordable(resamples, rows) for each in prepared]
    parts: list[list[NDArray[np.float64]]] = [[] for _ in prepared]
    for draws in units.draws(resamples, seed):
        for place, each in enumerate(prepared):
            some = draws[: left[place]]
            parts[place].append(each.values(units, some) if len(some) else np.empty(0))
            left[place] -= len(some)
    return [np.concatenate(each) for each in parts]


def bootstrap_interval(
    metric: Metric,
    value: float,
    drawn: NDArray[np.float64],
    units: Units,
    confidence: float,
    prepared: Prepared | None = None,
) -> Interval | None:
    """Return the interval of resampled values; None for a single unit, or if most resamples have no value.

    The percentiles are those of the expanded percentile bootstrap (Hesterberg 2015, The American Statistician 69:371),
    which is wider by Student's t for few units. If so many intervals hold together that hardly any resample lies beyond
    a percentile, the bounds are Student's t times the standard error of the resamples. A share of 0 or 1 whose
    resamples do not vary has Wilson's interval, of the rows of the rarest class if there are classes. Bounds are
    widened to contain the value, and for a mean of shares (`prepared.shares`) to the interval of these, because
    resamples of few rows hardly vary.
    """
    usable = drawn[np.isfinite(drawn)]
    has_resamples = units.n > 1 and len(usable) > len(drawn) / 2
    shares, rarest = (prepared.shares, prepared.rarest) if prepared is not None else (None, None)
    if shares is None and not has_resamples:
        return None
    if shares is None and metric.bounds == SHARE_BOUNDS and value in SHARE_BOUNDS and np.all(usable == value):
        trials = units.using(rarest).n
        return _named(wilson_interval(round(value * trials), trials, confidence), WILSON)
    low, high, method = _ends(value, usable, units.n, confidence) if has_resamples else (value, value, "")
    if shares is not None:
        below, above = shares.distances(units, confidence)
        low, high = min(low, value - below), max(high, value + above)
        method = f"{method} and {WILSON}" if method else WILSON
    low, high = max(low, metric.bounds[0]), min(high, metric.bounds[1])
    return Interval(value, min(value, low), max(value, high), confidence, units.n, method)


def _ends(value: float, drawn: NDArray[np.float64], n: int, confidence: float) -> tuple[float, float, str]:
    from scipy.stats import norm, t

    factor = float(t.ppf((1 + confidence) / 2, n - 1)) * math.sqrt(n / (n - 1))
    tail = float(norm.cdf(-factor))
    if tail * len(drawn) < MIN_BEYOND:
        half = factor * float(drawn.std(ddof=1))
        return value - half, value + half, STANDARD_ERROR
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high), BOOTSTRAP


def closed_interval(metric: Metric, rows: Rows, value: float, confidence: float) -> Interval | None:
    """Return the interval of a metric that has a closed form for independent rows of one weight; None without one."""
    form = _CLOSED.get(metric.name)
    return form(rows, value, confidence) if form is not None else None


def _of_share(rows: Rows, value: float, confidence: float) -> Interval | None:
    return _named(wilson_interval(round(value * len(rows)), len(rows), confidence), WILSON)


def _of_answered(rows: Rows, _: float, confidence: float) -> Interval | None:
    return _of_hits(rows, rows["prediction"] == 1, confidence)


def _of_real(rows: Rows, _: float, confidence: float) -> Interval | None:
    return _of_hits(rows, rows["truth"] == 1, confidence)


def _of_hits(rows: Rows, used: NDArray[np.bool_], confidence: float) -> Interval | None:
    hits = int((used & (rows["truth"] == rows["prediction"])).sum())
    return _named(wilson_interval(hits, int(used.sum()), confidence), WILSON)


def _of_auc(rows: Rows, _: float, confidence: float) -> Interval | None:
    return _named(classification.roc_auc(rows["truth"], rows["scores"], confidence=confidence), DELONG)


def _named(interval: Interval | None, method: str) -> Interval | None:
    return dataclasses.replace(interval, method=method) if interval is not None else None


_CLOSED: Mapping[str, Callable[[Rows, float, float], Interval | None]] = {
    **dict.fromkeys(("accuracy", "exact_match", "subset_accuracy"), _of_share),
    "precision": _of_answered,
    "recall": _of_real,
    "roc_auc": _of_auc,
}
