"""Metrics of uplift models, which order units by the effect that a treatment has on them."""

import numpy as np
from numpy.typing import NDArray

from weighbridge.quality.metrics.prepared import OfWeights, Prepared
from weighbridge.quality.metrics.registry import NO_BOUNDS, Task, register
from weighbridge.quality.predictions.rows import Rows


@register("qini", task=Task.UPLIFT, unit="1", bounds=NO_BOUNDS)
def qini(rows: Rows) -> Prepared:
    """Return the area between the Qini curve and the line to its end (Radcliffe 2007), per treated unit.

    At the share k of units with the highest scores, the curve is the outcome of the treated among them minus that of
    the controls, scaled to the number of treated, over all treated. A random order gives 0.
    """
    curve = _Curve(rows)

    def area(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        share, treated, controls, of_treated, of_controls = curve(weights)
        ratio = np.divide(treated, controls, out=np.zeros_like(treated), where=controls > 0)
        heights = (of_treated - of_controls * ratio) / treated[:, -1:]
        return np.asarray(np.trapezoid(heights, share, axis=1) - heights[:, -1] / 2)

    return OfWeights(area)


@register("auuc", task=Task.UPLIFT, unit="1", bounds=NO_BOUNDS)
def auuc(rows: Rows) -> Prepared:
    """Return the area under the uplift curve (Gutierrez and Gérardy 2017): difference of means times share of units.

    A random order gives half of the average effect.
    """
    curve = _Curve(rows)

    def area(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        share, treated, controls, of_treated, of_controls = curve(weights)
        gains = np.where((treated > 0) & (controls > 0), of_treated / treated - of_controls / controls, 0)
        return np.asarray(np.trapezoid(gains * share, share, axis=1))

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
        """Return share of units, treated, controls, and the outcomes of both, (resamples, steps), each from 0.

        They are NaN in a resample without treated units or without controls.
        """
        weight = weights[:, self.order]
        treated, controls = weight * self.is_treated, weight * (1 - self.is_treated)
        columns = (weight, treated, controls, treated * self.outcome, controls * self.outcome)
        sums = [np.pad(np.cumsum(column, axis=1)[:, self.ends], ((0, 0), (1, 0))) for column in columns]
        has_both = (sums[1][:, -1:] > 0) & (sums[2][:, -1:] > 0)
        return np.where(has_both, sums[0] / sums[0][:, -1:], np.nan), *sums[1:]
