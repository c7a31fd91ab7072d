"""Rows of several labels: arrays of 0 and 1, from such arrays or from lists of names."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.answers import INDEPENDENT, LOGITS, AnswerSettings
from weighbridge.quality.predictions.class_rows import check_used
from weighbridge.quality.predictions.columns import Predictions, rows_words
from weighbridge.quality.predictions.rows import Rows


def label_rows(predictions: Predictions, settings: AnswerSettings) -> Rows:
    """Return `truth` and `prediction` as 0 and 1, (rows, labels), and `scores` of that shape if there are any.

    Without a prediction, a label is answered if its probability reaches the threshold. Raises Invalid.
    """
    has_answers, has_scores = predictions.has("prediction"), predictions.has("scores")
    check_used(settings, has_answers=has_answers, has_scores=has_scores)
    truth, names = _marks(predictions, "truth", ())
    scores = _scores(predictions, settings)
    if scores is not None and scores.shape != truth.shape:
        text = f"The scores have the shape {scores.shape}, but the labels {truth.shape}; give a score for each label."
        raise Invalid(text, code="predictions_columns", field="scores")
    if has_answers:
        answers, names = _marks(predictions, "prediction", names)
        truth = _widened(truth, answers.shape[1], names)
    elif scores is None:
        answers = predictions.values("prediction")
    else:
        answers = (scores >= settings.threshold).astype(np.int64)
    if not truth.shape[1]:
        raise _odd("truth", "at least one label in some row")
    if answers.shape != truth.shape:
        text = f"The prediction has {answers.shape[1]} labels in each row, but the truth {truth.shape[1]}."
        raise Invalid(text, code="predictions_columns", field="prediction")
    fields = {"truth": truth, "prediction": answers}
    return Rows(fields if scores is None else {**fields, "scores": scores}, names)


def _marks(predictions: Predictions, role: str, names: tuple[str, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return 0 and 1 for each label, and the names of the labels: those given, and others that occur."""
    values = predictions.values(role)
    if values.dtype.kind in "biuf" and values.ndim == 2:
        if not np.isin(values, (0, 1)).all():
            odd = np.asarray(~np.isin(values, (0, 1)).all(axis=1))
            raise _odd(role, f"0 or 1 for each label, but it has not in {rows_words(odd)}")
        return values.astype(np.int64), names
    lists = [[labels] if isinstance(labels, str) else list(labels) for labels in values.tolist()]
    if not all(isinstance(label, str) for labels in lists for label in labels):
        raise _odd(role, "as many 0 and 1 as there are labels, or a list of names, in each row")
    known = (*names, *sorted({label for labels in lists for label in labels} - set(names)))
    places = {name: place for place, name in enumerate(known)}
    marks = np.zeros((len(lists), len(known)), dtype=np.int64)
    for row, labels in enumerate(lists):
        marks[row, [places[label] for label in labels]] = 1
    return marks, known


def _widened(truth: NDArray[np.int64], labels: int, names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the truth with the labels that only a prediction has, which are named and come last."""
    missing = labels - truth.shape[1]
    return np.pad(truth, ((0, 0), (0, missing))) if names and missing > 0 else truth


def _scores(predictions: Predictions, settings: AnswerSettings) -> NDArray[np.float64] | None:
    from scipy.special import expit

    if not predictions.has("scores"):
        return None
    values: NDArray[Any] = predictions.values("scores")
    if values.dtype.kind not in "biuf" or values.ndim != 2 or not np.isfinite(values).all():
        raise _odd("scores", "a finite number for each label in each row")
    scores = values.astype(np.float64)
    if settings.scores == LOGITS:
        return np.asarray(expit(scores))
    is_probability = scores.min() >= 0 and scores.max() <= 1
    if not is_probability and settings.scores != INDEPENDENT and not predictions.has("prediction"):
        text = "The scores of labels are no probabilities; state --scores-are logits if a sigmoid turns them into some."
        raise Invalid(text, code="output_scores", field="scores")
    return scores


def _odd(role: str, words: str) -> Invalid:
    return Invalid(f"The {role} must have {words}.", code="predictions_values", field=role)
