"""Drops: how much worse predictions are than those of a baseline on the same rows, and whether that is acceptable."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.metrics.prepared import Units
from weighbridge.quality.metrics.registry import NO_BOUNDS, SHARE_BOUNDS, Metric
from weighbridge.quality.metrics.shares import Shares
from weighbridge.quality.paired import QualityDrop, accuracy_drop, is_non_inferior, score_bounds
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.scoring.intervals import bootstrap_interval, resampled
from weighbridge.quality.scoring.measuring import ScoreSettings, prepare

Margins = Mapping[str, float]


def margins_from(margin: float | Mapping[str, float] | None, names: Sequence[str]) -> dict[str, float]:
    """Return the margin of each metric that has one, in the unit of the metric; raise Invalid for others."""
    if margin is None:
        return {}
    given = margin if isinstance(margin, Mapping) else dict.fromkeys(names, margin)
    unknown = ", ".join(sorted(set(given) - set(names)))
    if unknown:
        raise Invalid(f"There is a margin for {unknown}, which is not scored.", field="margin")
    if not all(value > 0 and math.isfinite(value) for value in given.values()):
        raise Invalid("The margin must be above zero: it is the acceptable loss.", field="margin")
    return dict(given)


def drops_of(
    metrics: Sequence[Metric],
    pair: tuple[Rows, Rows],
    units: Units,
    settings: ScoreSettings,
    *,
    margins: Margins,
    confidence: float,
) -> list[dict[str, Any]]:
    """Return the drop of each metric from the second rows, the baseline, to the first; above 0 is worse.

    Both are resampled together. Accuracy and recall of independent rows have Tango's interval. So have the shares of
    each class, and the drop of their mean is widened to it. Metrics that are not defined for either are omitted.
    """
    (own, _), (other, _) = (prepare(metrics, rows) for rows in pair)
    names = [metric.name for metric in metrics if metric.name in own and metric.name in other]
    both = [*(other[name][1] for name in names), *(own[name][1] for name in names)]
    drawn = resampled(both, units, resamples=settings.resamples, seed=settings.seed)
    found = []
    for place, name in enumerate(names):
        metric = own[name][0]
        sign = 1 if metric.is_higher_better else -1
        # Adding zero turns a negative zero into zero.
        value = sign * (other[name][1].value(units) - own[name][1].value(units)) + 0.0
        drop = _closed(metric, pair, units, confidence)
        if drop is None and math.isfinite(value):
            differences = sign * (drawn[place] - drawn[place + len(names)]) + 0.0
            drop = _resampled(metric, value, differences, units.using(own[name][1].used), confidence)
            drop = _widened(drop, own[name][1].shares, pair, units, confidence)
        if drop is not None:
            found.append(_document(name, drop, margins.get(name)))
    return found


def _resampled(
    metric: Metric, value: float, differences: NDArray[np.float64], units: Units, confidence: float
) -> QualityDrop | None:
    """Return a drop with the interval of its resamples.

    If all resamples of a share are equal, the bounds are those of Tango for pairs of which none differs.
    """
    interval = bootstrap_interval(dataclasses.replace(metric, bounds=NO_BOUNDS), value, differences, units, confidence)
    if interval is None:
        return None
    lower, upper = interval.lower, interval.upper
    if metric.bounds == SHARE_BOUNDS and lower == upper:
        below, above = score_bounds(0, 0, units.n, confidence=confidence)
        lower, upper = value + below, value + above
    return QualityDrop(value, lower, upper, confidence, units.n)


def _widened(
    drop: QualityDrop | None, shares: Shares | None, pair: tuple[Rows, Rows], units: Units, confidence: float
) -> QualityDrop | None:
    """Return a drop of a mean of shares, as uncertain as the few rows of some share leave it."""
    if drop is None or shares is None or pair[0]["truth"].ndim > 1:
        return drop
    is_hit, was_hit = map(_hits, pair)
    below, above = shares.drop_distances(was_hit, is_hit, units, confidence)
    lower, upper = min(drop.lower, drop.value - below), max(drop.upper, drop.value + above)
    return dataclasses.replace(drop, lower=max(lower, -1.0), upper=min(upper, 1.0))


def _closed(metric: Metric, pair: tuple[Rows, Rows], units: Units, confidence: float) -> QualityDrop | None:
    if metric.name not in ("accuracy", "recall") or not units.are_plain:
        return None
    own, other = pair
    # Each file numbers its classes in its own way, so only right and wrong are compared.
    used = own["truth"] == 1 if metric.name == "recall" else np.ones(len(own), dtype=np.bool_)
    hits = [_hits(rows)[used].astype(np.int64) for rows in (other, own)]
    return accuracy_drop(np.ones(len(hits[0]), dtype=np.int64), *hits, confidence=confidence)


def _hits(rows: Rows) -> NDArray[np.bool_]:
    return np.asarray(rows["truth"] == rows["prediction"])


def _document(name: str, drop: QualityDrop, margin: float | None) -> dict[str, Any]:
    judged = None if margin is None else is_non_inferior(drop, margin)
    counts = {"b": None, "c": None, "p_value": None}
    return {"metric": name, "margin": margin, "is_non_inferior": judged, **counts, **dataclasses.asdict(drop)}
