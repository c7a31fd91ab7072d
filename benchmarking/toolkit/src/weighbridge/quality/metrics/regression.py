"""Metrics of numbers: regression and forecasts."""

import math

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.metrics.prepared import OfSums, Prepared, mean_of
from weighbridge.quality.metrics.registry import ERROR_BOUNDS, SHARE, Task, Undefined, register
from weighbridge.quality.predictions.rows import Rows


def _errors(rows: Rows) -> NDArray[np.float64]:
    return np.asarray(rows["prediction"] - rows["truth"], dtype=np.float64)


@register("mae", task=Task.NUMBERS, unit="1", is_higher_better=False, bounds=ERROR_BOUNDS)
def mae(rows: Rows) -> Prepared:
    """Return the mean absolute error, in the unit of the truth."""
    return mean_of(np.abs(_errors(rows)))


@register("rmse", task=Task.NUMBERS, unit="1", is_higher_better=False, bounds=ERROR_BOUNDS)
def rmse(rows: Rows) -> Prepared:
    """Return the root of the mean squared error, in the unit of the truth."""
    squares = np.column_stack([_errors(rows) ** 2, np.ones(len(rows))])
    return OfSums(squares, lambda sums: np.sqrt(sums[..., 0] / sums[..., 1]))


@register("r2", task=Task.NUMBERS, unit="1", bounds=(-math.inf, 1.0))
def r2(rows: Rows) -> Prepared:
    """Return the share of the variance of the truth that is explained; 0 for its mean, negative for worse."""
    truth = rows["truth"]
    if np.all(truth == truth[0]):
        raise Undefined("R2 is not defined, because all true values are equal.")
    centered = truth - truth.mean()
    parts = np.column_stack([_errors(rows) ** 2, centered, centered**2, np.ones(len(truth))])
    return OfSums(parts, _r2)


def _r2(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    squared, centered, centered_squared, n = np.moveaxis(sums, -1, 0)
    return np.asarray(1 - squared / (centered_squared - centered**2 / n))


@register("mape", task=Task.NUMBERS, is_higher_better=False, bounds=ERROR_BOUNDS)
def mape(rows: Rows) -> Prepared:
    """Return the mean of |error| / |truth|."""
    zeros = int(np.sum(rows["truth"] == 0))
    if zeros:
        raise Undefined(f"MAPE is not defined, because the truth is 0 in {zeros:,} rows.")
    return mean_of(np.abs(_errors(rows)) / np.abs(rows["truth"]))


@register("mase", task=Task.NUMBERS, is_higher_better=False, bounds=ERROR_BOUNDS)
def mase(rows: Rows) -> Prepared:
    """Return the mean of |error| / scale (Hyndman and Koehler 2006, International Journal of Forecasting 22:679).

    The scale of a series is the mean absolute error of its naive forecast on the training part; below 1, the model is
    better than that forecast.
    """
    if "scale" not in rows.fields:
        raise Invalid(
            "MASE needs a column with the scale of each row (--scale): the mean absolute error of the naive forecast "
            "of its series on the training part.",
            code="predictions_columns",
            field="scale",
        )
    if not (rows["scale"] > 0).all():
        raise Invalid("The scale of MASE must be above 0 in every row.", code="predictions_values", field="scale")
    return mean_of(np.abs(_errors(rows)) / rows["scale"])


@register(
    "pinball@k", task=Task.NUMBERS, unit="1", is_higher_better=False, bounds=ERROR_BOUNDS, parameter=0.5, domain=SHARE
)
def pinball(rows: Rows, level: float) -> Prepared:
    """Return the mean pinball loss of forecasts of the quantile `level` (Koenker and Bassett 1978)."""
    low = -_errors(rows)
    return mean_of(np.maximum(level * low, (level - 1) * low))
