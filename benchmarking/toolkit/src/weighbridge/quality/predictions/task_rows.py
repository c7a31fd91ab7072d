"""Rows of each task from the columns of predictions, with the checks that the task needs."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.answers import AS_GIVEN, AnswerSettings
from weighbridge.quality.metrics.registry import Task
from weighbridge.quality.predictions.class_rows import class_rows
from weighbridge.quality.predictions.columns import Predictions, rows_words
from weighbridge.quality.predictions.label_rows import label_rows
from weighbridge.quality.predictions.picture_rows import detection_rows, segmentation_rows
from weighbridge.quality.predictions.rows import GIVEN_ANSWERS, GIVEN_TRUTH, Rows

PROBABILITY = ("prediction", "scores")
# The columns that a task reads. Those that rows are grouped, weighed and paired by are read for every task.
ALWAYS = frozenset(("truth", "prediction", "group", "weight", "id"))
READ: Mapping[Task, frozenset[str]] = {
    Task.CLASSES: ALWAYS | {"scores"},
    Task.LABELS: ALWAYS | {"scores"},
    Task.NUMBERS: ALWAYS | {"scale"},
    Task.RANKING: ALWAYS | {"scores", "query", "relevance"},
    Task.DETECTION: ALWAYS | {"boxes", "labels", "predicted_boxes", "predicted_labels", "predicted_scores"},
    Task.SEGMENTATION: ALWAYS,
    Task.TEXT: ALWAYS,
    Task.UPLIFT: ALWAYS | {"scores", "treatment"},
    Task.ANY: ALWAYS | {"scores"},
}
OF_SCORES = (Task.CLASSES, Task.LABELS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReadingSettings:
    """How columns are read: scores of classes, the class of a single score, and the form of boxes.

    Boxes are `xyxy` (left, top, right, bottom) or `xywh` (left, top, width, height).
    """

    answers: AnswerSettings = AS_GIVEN
    positive: str = ""
    box_format: str = "xyxy"


def rows_of(task: Task, predictions: Predictions, settings: ReadingSettings) -> Rows:
    """Return the checked rows of a task.

    Raises Invalid for columns that are missing or have other values, and for columns and settings that the task does
    not read.
    """
    _check_read(task, predictions, settings)
    rows = _READERS[task](predictions, settings)
    given: dict[str, NDArray[Any]] = {}
    if predictions.has("truth"):
        given[GIVEN_TRUTH] = predictions.values("truth")
    answers = next((role for role in PROBABILITY if predictions.has(role)), None)
    if answers is not None:
        given[GIVEN_ANSWERS] = predictions.values(answers)
    return dataclasses.replace(rows, fields={**rows.fields, **given})


def _check_read(task: Task, predictions: Predictions, settings: ReadingSettings) -> None:
    """Raise Invalid for a column that a person maps, or a setting, which decides nothing."""
    plain = ReadingSettings()
    stated = {
        "box_format": (settings.box_format != plain.box_format, (Task.DETECTION,)),
        "positive": (settings.positive != plain.positive, (Task.CLASSES,)),
        "scores_are": (settings.answers.scores != plain.answers.scores, OF_SCORES),
        "threshold": (settings.answers.threshold != plain.answers.threshold, OF_SCORES),
    }
    unread = [role for role in predictions.mapped if role not in READ[task]]
    unread += [name for name, (is_stated, tasks) in stated.items() if is_stated and task not in tasks]
    for name in unread:
        text = f"--{name.replace('_', '-')} decides nothing: no metric that is scored reads it. Leave it out."
        raise Invalid(text, code="predictions_unused", field=name)


def _number_rows(predictions: Predictions, _: ReadingSettings) -> Rows:
    fields = {role: _single(predictions.numbers(role), role) for role in ("truth", "prediction")}
    if predictions.has("scale"):
        fields["scale"] = predictions.numbers("scale")
    return Rows(fields)


def _single(numbers: NDArray[np.float64], role: str) -> NDArray[np.float64]:
    if numbers.ndim > 1:
        raise Invalid(f"Several columns cannot be the {role}.", code="predictions_columns", field=role)
    return numbers


def _ranking_rows(predictions: Predictions, _: ReadingSettings) -> Rows:
    relevance = predictions.numbers("relevance" if predictions.has("relevance") else "truth")
    if (relevance < 0).any():
        text = f"The relevance is negative in {rows_words(relevance < 0)}; 0 is not relevant."
        raise Invalid(text, code="predictions_values", field="relevance")
    scores = _single(predictions.numbers("scores" if predictions.has("scores") else "prediction"), "scores")
    return Rows({"query": predictions.names_of("query"), "relevance": relevance, "scores": scores})


def _uplift_rows(predictions: Predictions, _: ReadingSettings) -> Rows:
    treatment = predictions.numbers("treatment")
    if set(np.unique(treatment)) != {0.0, 1.0}:
        text = "The treatment must be 1 for treated units and 0 for controls, and both must occur."
        raise Invalid(text, code="predictions_values", field="treatment")
    scores = predictions.numbers("scores" if predictions.has("scores") else "prediction")
    return Rows({"treatment": treatment, "truth": predictions.numbers("truth"), "scores": _single(scores, "scores")})


def _text_rows(predictions: Predictions, _: ReadingSettings) -> Rows:
    """Return texts, and their references as tuples: a text, or a list of texts, in each row."""
    given = predictions.values("truth")
    references = [(text,) if isinstance(text, str) else tuple(text) for text in given.tolist()]
    odd = np.array([not each or not all(isinstance(text, str) for text in each) for each in references])
    if odd.any():
        text = f"The truth must be a text, or a list of texts, but it is not in {rows_words(odd)}."
        raise Invalid(text, code="predictions_values", field="truth")
    truth = np.empty(len(references), dtype=object)
    truth[:] = references
    return Rows({"truth": truth, "prediction": predictions.texts("prediction")})


def _any_rows(predictions: Predictions, _: ReadingSettings) -> Rows:
    if not any(predictions.has(role) for role in PROBABILITY):
        predictions.values("prediction")
    return Rows({"truth": predictions.values("truth")})


_READERS: Mapping[Task, Callable[[Predictions, ReadingSettings], Rows]] = {
    Task.CLASSES: lambda predictions, settings: class_rows(predictions, settings.answers, settings.positive),
    Task.LABELS: lambda predictions, settings: label_rows(predictions, settings.answers),
    Task.NUMBERS: _number_rows,
    Task.RANKING: _ranking_rows,
    Task.DETECTION: lambda predictions, settings: detection_rows(predictions, settings.box_format),
    Task.SEGMENTATION: lambda predictions, _: segmentation_rows(predictions),
    Task.TEXT: _text_rows,
    Task.UPLIFT: _uplift_rows,
    Task.ANY: _any_rows,
}
