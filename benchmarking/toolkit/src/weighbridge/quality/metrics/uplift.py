"""Metrics of uplift models, which order units by the effect that a treatment has on them."""

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality.metrics.prepared import OfWeights, Prepared
from weighbridge.quality.metrics.registry import Task, register
from weighbridge.quality.predictions.rows import Rows


@register("qini", task=Task.UPLIFT, unit="1", is_share=False)
def qini(rows: Rows) -> Prepared:
    """Return the area between the Qini curve and the line to its end (Radcliffe 2007), per treated unit.

    At the share k of units with the highest scores, the curve is the outcome of the treated among them minus that of
    the controls, scaled to the number of treated, over all treated. A random order gives 0.
    """
    curve = _curve_of(rows)

    def area(weights: NDArray[np.float64]) -> float:
        share, treated, controls, of_treated, of_controls = curve(weights)
        ratio = np.divide(treated, controls, out=np.zeros_like(treated), where=controls > 0)
        heights = (of_treated - of_controls * ratio) / treated[-1]
        return float(np.trapezoid(heights, share) - heights[-1] / 2)

    return OfWeights(area)


@register("auuc", task=Task.UPLIFT, unit="1", is_share=False)
def auuc(rows: Rows) -> Prepared:
    """Return the area under the uplift curve (Gutierrez and Gérardy 2017): difference of means times share of units.

    A random order gives half of the average effect.
    """
    curve = _curve_of(rows)

    def area(weights: NDArray[np.float64]) -> float:
        share, treated, controls, of_treated, of_controls = curve(weights)
        has_both = (treated > 0) & (controls > 0)
        means = np.where(has_both, of_treated / np.maximum(treated, 1e-300), 0)
        others = np.where(has_both, of_controls / np.maximum(controls, 1e-300), 0)
        return float(np.trapezoid((means - others) * share, share))

    return OfWeights(area)


class _Curve:
    """Sums over the units with the highest scores, at each place where the score changes; units are sorted once."""

    def __init__(self, rows: Rows) -> None:
        order = np.argsort(-rows["scores"], kind="stable")
        ordered = rows["scores"][order]
        self.order, self.ends = order, np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        self.is_treated = rows["treatment"][order].astype(np.float64)
        self.outcome = rows["truth"][order]

    def __call__(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Return share of units, treated, controls, and the outcomes of both, each with a leading 0."""
        weight = weights[self.order]
        treated, controls = weight * self.is_treated, weight * (1 - self.is_treated)
        columns = (weight, treated, controls, treated * self.outcome, controls * self.outcome)
        sums = [np.append(0.0, np.cumsum(column)[self.ends]) for column in columns]
        if not (sums[1][-1] and sums[2][-1]):
            return tuple(np.full_like(each, np.nan) for each in sums)
        return sums[0] / sums[0][-1], *sums[1:]


def _curve_of(rows: Rows) -> _Curve:
    return _Curve(rows)
