"""The task of predictions by the kind of their columns, and the metrics of each task if nobody names any."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.answers import OF_PROBABILITIES
from weighbridge.quality.metrics.registry import Task
from weighbridge.quality.predictions.columns import Predictions
from weighbridge.quality.predictions.rows import Rows

DEFAULTS: Mapping[Task, tuple[str, ...]] = {
    Task.CLASSES: ("accuracy", "precision_macro", "recall_macro", "f1_macro"),
    Task.LABELS: ("subset_accuracy", "hamming_loss", "labels_f1_micro", "labels_f1_macro"),
    Task.NUMBERS: ("mae", "rmse", "r2", "mape"),
    Task.RANKING: ("ndcg@10", "recall@10", "mrr"),
    Task.DETECTION: ("map", "map_50", "map_75"),
    Task.SEGMENTATION: ("miou",),
    Task.TEXT: ("exact_match", "token_f1", "chrf"),
    Task.UPLIFT: ("qini", "auuc"),
}
# Metrics that are added if the scores of classes can be compared, or are probabilities.
RANKED, CALIBRATED = ("roc_auc", "pr_auc"), ("log_loss", "brier", "ece")
# Curves of many classes take minutes, so that somebody must ask for them.
MAX_CURVES = 20


def task_by_columns(predictions: Predictions) -> tuple[Task, str]:
    """Return the task that columns suggest, and the reason in words; raise Invalid if they suggest none."""
    for role, task in (
        ("treatment", Task.UPLIFT),
        ("predicted_boxes", Task.DETECTION),
        ("query", Task.RANKING),
    ):
        if predictions.has(role):
            return task, f"there is a column {predictions.names(role)[0]}"
    truth = predictions.values("truth")
    name = predictions.names("truth")[0]
    match truth.dtype.kind:
        case "U" if truth.ndim == 1:
            return _of_texts(predictions)
        case "b" | "i" | "u" | "f" if truth.ndim == 1:
            return _of_numbers(predictions, truth, name)
        case "b" | "i" | "u" if truth.ndim == 2 and set(np.unique(truth)) <= {0, 1}:
            return Task.LABELS, f"{name} has 0 and 1 for each label"
        case "O" if isinstance(truth[0], str):
            pass
        case _ if _has_names(truth):
            return Task.LABELS, f"{name} has a list of labels in each row"
    text = f"The columns do not show what {name} is; name a metric with --metric."
    raise Invalid(text, code="predictions_task", field="metric")


def _of_numbers(predictions: Predictions, truth: NDArray[Any], name: str) -> tuple[Task, str]:
    """Whole numbers are classes, unless they or the answers to them have decimals; some tables store 0 and 1 as 0.0."""
    is_whole = truth.dtype.kind != "f" or set(np.unique(truth)) <= {0.0, 1.0}
    if not is_whole:
        return Task.NUMBERS, f"{name} has decimal numbers"
    if predictions.has("prediction") and not predictions.has("scores"):
        answers = predictions.values("prediction")
        if answers.ndim == 1 and answers.dtype.kind == "f" and not _may_be_classes(answers):
            return Task.NUMBERS, f"{predictions.names('prediction')[0]} has decimal numbers that are no probabilities"
    return Task.CLASSES, f"{name} has whole numbers"


def _may_be_classes(answers: NDArray[Any]) -> bool:
    """Whether numbers are those of classes, or probabilities of a class."""
    return bool(np.array_equal(answers, np.floor(answers)) or (answers.min() >= 0 and answers.max() <= 1))


def _of_texts(predictions: Predictions) -> tuple[Task, str]:
    """Texts with spaces, most of them different, are sentences; others are names of classes."""
    truth, name = predictions.texts("truth"), predictions.names("truth")[0]
    spaced = np.mean(np.char.find(np.char.strip(truth), " ") >= 0)
    if spaced > 1 / 2 and len(np.unique(truth)) > len(truth) / 2 and not predictions.has("scores"):
        return Task.TEXT, f"{name} has texts of several words"
    return Task.CLASSES, f"{name} has the names of classes"


def _has_names(truth: NDArray[Any]) -> bool:
    return truth.ndim <= 2 and all(
        isinstance(labels, list | np.ndarray) and all(isinstance(label, str) for label in labels) for labels in truth
    )


def default_names(task: Task, rows: Rows) -> tuple[str, ...]:
    """Return the metrics of a task that these rows can have."""
    names = DEFAULTS[task]
    if task is Task.LABELS and "scores" in rows.fields:
        return (*names, "labels_pr_auc")
    if task is not Task.CLASSES or "scores" not in rows.fields:
        return names
    ranked = RANKED if rows["scores"].shape[1] <= MAX_CURVES else RANKED[:1]
    return (*names, *ranked, *(CALIBRATED if rows.reading in OF_PROBABILITIES else ()))
