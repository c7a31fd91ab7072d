"""`score`: the quality of given answers."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weighbridge.api.documents import PathLike
from weighbridge.api.results import Result, metric_rows
from weighbridge.cli.tables.terminal import scores_parts
from weighbridge.core.errors import Invalid
from weighbridge.measure import metrics
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.quality.scores import measure_quality

SCHEMA = "weighbridge.scores/1"
DEFAULTS = ProfileSettings()


def score(
    answers: ArrayLike | PathLike,
    truth: ArrayLike | None = None,
    *,
    confidence: float = DEFAULTS.quality_confidence,
    resamples: int = DEFAULTS.bootstraps,
    seed: int = DEFAULTS.scenario.seed,
) -> Result:
    """Score answers against the truth, in the same way as `profile` scores a model on a data set.

    `answers` are class scores (rows, classes), class numbers (rows,), or numbers (rows,); `truth` (rows,) has integers
    for classes, and other numbers for regression. Or `answers` is an `.npz` file with both, `answers` and `y`. Classes
    give accuracy (Wilson's interval), macro precision, recall and F1 (bootstrap over rows, `resamples` from `seed`),
    and with scores ROC AUC (DeLong); numbers give MAE, RMSE, R2 and MAPE in the unit of y.

    The result is a `weighbridge.scores/1` document with `metrics`, `confusion` (truth in rows) and `per_class`.
    `to_pandas()` has a row for each metric. Raises Invalid for shapes that do not match, and classes out of range.
    """
    given, wanted = _read(answers, truth)
    if given.shape[:1] != wanted.shape or not len(wanted):
        text = f"There are {given.shape[0] if given.ndim else 0} answers for {wanted.size} rows; give one per row."
        raise Invalid(text, code="data_shape", field="answers")
    quality = measure_quality(
        lambda start, stop: given[start:stop],
        wanted,
        batch=len(wanted),
        confidence=confidence,
        resamples=resamples,
        seed=seed,
        on_tick=lambda _: None,
    )
    found = metrics.quality_metrics(quality)
    document = {
        "schema": SCHEMA,
        "metrics": found,
        "confusion": quality.confusion.tolist() if quality.confusion is not None else None,
        "per_class": metrics.class_metrics(quality),
    }
    return Result(document, tuple(metric_rows(found)), lambda: scores_parts(document))


def _read(answers: ArrayLike | PathLike, truth: ArrayLike | None) -> tuple[NDArray[Any], NDArray[Any]]:
    if truth is not None:
        return np.asarray(answers), np.asarray(truth)
    if not isinstance(answers, str | os.PathLike):
        raise Invalid("Give the truth too, or a file that contains both.", field="truth")
    file = Path(answers)
    try:
        with np.load(file, allow_pickle=False) as archive:
            return archive["answers"], archive["y"]
    except (OSError, ValueError, KeyError) as error:
        text = f"{file} is not an .npz file with `answers` and `y`."
        raise Invalid(text, code="data_form", field="answers") from error
