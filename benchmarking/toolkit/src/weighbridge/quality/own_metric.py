"""A user's own metric: one function of truth and answers, named `package.module:function`. Its code is run."""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.metrics.prepared import Prepared, one_by_one
from weighbridge.quality.metrics.registry import NO_BOUNDS, Metric, Task, find_metric
from weighbridge.quality.predictions.rows import GIVEN_ANSWERS, GIVEN_TRUTH, Rows
from weighbridge.systems.registry import import_named

OwnFunction = Callable[[Any, Any], float]


def metric_of(name: str) -> Metric:
    """Return a metric of the registry or of a function of the user; raise Invalid if there is none."""
    return own_metric(name) if ":" in name else find_metric(name)


def own_metric(name: str) -> Metric:
    """Import `package.module:function`, also from this folder, which runs its code; raise Invalid if there is none.

    More is better, unless the function has the attribute `is_higher_better` with the value False.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute.isidentifier():
        raise Invalid(f"{name!r} is no function; write package.module:function.", field="metric")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    function = getattr(import_named(module, field="metric"), attribute, None)
    if not callable(function):
        raise Invalid(f"{module} has no function {attribute!r}.", code="module_missing", field="metric")
    return Metric(
        name=name,
        task=Task.ANY,
        prepare=lambda rows: _prepared(name, function, rows),
        unit="1",
        is_higher_better=bool(getattr(function, "is_higher_better", True)),
        bounds=NO_BOUNDS,
    )


def _prepared(name: str, function: OwnFunction, rows: Rows) -> Prepared:
    """Return the function of the rows as often as they are drawn."""
    truth, answers = rows[GIVEN_TRUTH], rows[GIVEN_ANSWERS]

    def of_drawn(weights: NDArray[np.float64]) -> float:
        counts = weights.astype(np.int64)
        if not np.array_equal(counts, weights):
            raise Invalid(f"{name} takes no weights of rows; leave out --weight.", field="weight")
        drawn = np.repeat(np.arange(len(truth)), counts)
        return _called(name, function, truth[drawn], answers[drawn])

    if math.isnan(of_drawn(np.ones(len(truth)))):
        raise Invalid(f"{name} returned NaN for all rows.", code="metric_failed", field="metric")
    return one_by_one(of_drawn)


def _called(name: str, function: OwnFunction, truth: NDArray[Any], answers: NDArray[Any]) -> float:
    try:
        return float(function(truth, answers))
    except Exception as error:
        # The code of the user may raise anything.
        text = f"{name} failed: {type(error).__name__}: {error}."
        raise Invalid(text, code="metric_failed", field="metric") from error
