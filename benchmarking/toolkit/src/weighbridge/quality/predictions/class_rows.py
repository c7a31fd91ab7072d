"""Rows of classes: class numbers, and the scores of classes as far as they can be compared."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.answers import AS_GIVEN, OF_PROBABILITIES, AnswerSettings, ClassAnswers
from weighbridge.quality.predictions.columns import Predictions
from weighbridge.quality.predictions.rows import Rows

MAX_CLASSES = 4_096
PREFIXES = ("score_", "scores_", "probability_", "p_")


def class_rows(predictions: Predictions, settings: AnswerSettings, positive: str) -> Rows:
    """Return rows with `truth` and `prediction` as class numbers, and `scores` (rows, classes) if they are comparable.

    Truth has integers, or texts that are the names of classes. Answers are a column of classes, or of scores: one
    column of class 1 or of the class `positive`, a column of lists, or a column for each class. Raises Invalid.
    """
    truth = _labels(predictions, "truth")
    given, scores = _answers(predictions)
    check_used(settings, has_answers=given is not None, has_scores=scores is not None)
    names = _names(predictions, truth, given, scores, positive)
    answers = ClassAnswers(settings, names)
    if scores is not None:
        _add_scores(answers, scores, names)
        if settings.threshold != AS_GIVEN.threshold:
            _cut(answers, scores, settings)
    if given is not None:
        answers.labels.clear()
        _add_given(answers, given)
    return answered_rows(truth, answers)


def check_used(settings: AnswerSettings, *, has_answers: bool, has_scores: bool) -> None:
    """Raise Invalid for a threshold beside answers, which decides nothing, and for a reading of scores without any."""
    if has_answers and settings.threshold != AS_GIVEN.threshold:
        text = "--threshold decides nothing: the prediction has the answers. Leave it out, or drop that column."
        raise Invalid(text, code="predictions_unused", field="threshold")
    if not has_scores and settings.scores != AS_GIVEN.scores:
        text = "--scores-are decides nothing: there are no scores. Leave it out, or name their column with --scores."
        raise Invalid(text, code="predictions_unused", field="scores_are")


def answered_rows(truth: NDArray[Any], answers: ClassAnswers) -> Rows:
    """Return rows of collected answers; raise Invalid for classes that do not fit together."""
    labels, predicted = _numbers(truth, answers.classes), answers.all_labels()
    _check_range(labels, predicted, answers.width)
    fields: dict[str, NDArray[Any]] = {"truth": labels, "prediction": predicted}
    comparable = answers.all_scores()
    if comparable is not None:
        fields["scores"] = comparable
    return Rows(fields, answers.classes, answers.missing or answers.kind)


def _labels(predictions: Predictions, role: str) -> NDArray[Any]:
    """Return a column of classes: texts, or whole numbers; raise Invalid for others."""
    values = predictions.values(role)
    name = predictions.names(role)[0]
    if values.ndim == 1 and (values.dtype.kind in "biu" or _is_whole(values)):
        return values.astype(np.int64)
    if values.ndim == 1 and values.dtype.kind == "U":
        return values
    text = f"The column {name} must have the number or the name of a class in each row."
    raise Invalid(text, code="predictions_columns", field=role)


def _is_whole(values: NDArray[Any]) -> bool:
    return values.ndim == 1 and values.dtype.kind == "f" and np.array_equal(values, np.floor(values))


def _answers(predictions: Predictions) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    """Return the answered classes and the scores; a prediction of numbers that are no classes is scores."""
    scores = predictions.values("scores") if predictions.has("scores") else None
    if scores is not None and scores.dtype.kind not in "biuf":
        text = f"The column {predictions.names('scores')[0]} must have a number, or as many numbers, in each row."
        raise Invalid(text, code="predictions_columns", field="scores")
    if scores is not None:
        scores = scores.astype(np.float64)
    if not predictions.has("prediction"):
        return None, scores if scores is not None else predictions.values("prediction")
    given = predictions.values("prediction")
    if scores is None and given.dtype.kind == "f" and not _is_whole(given):
        return None, given
    return _labels(predictions, "prediction"), scores


def _names(
    predictions: Predictions,
    truth: NDArray[Any],
    given: NDArray[Any] | None,
    scores: NDArray[Any] | None,
    positive: str,
) -> tuple[str, ...]:
    """Return the names of the classes in the order of their scores; empty if classes are numbers."""
    is_named = truth.dtype.kind == "U"
    if given is not None and (given.dtype.kind == "U") is not is_named:
        text = "The truth and the prediction must both be numbers of classes, or both be names of classes."
        raise Invalid(text, code="predictions_classes", field="prediction")
    columns = predictions.names("scores")
    is_single = scores is not None and (scores.ndim == 1 or scores.shape[1] == 1) and len(columns) < 2
    if positive and not (is_named and is_single):
        text = "--positive names the class of a single score; here classes are numbers, or each has its own score."
        raise Invalid(text, code="predictions_classes", field="positive")
    if not is_named:
        return ()
    if len(columns) > 1:
        return tuple(_class_of(column, truth) for column in columns)
    found = tuple(map(str, np.unique(truth if given is None else np.concatenate([truth, given]))))
    if not is_single:
        return found
    if positive not in found or len(found) > 2:
        listed = ", ".join(found)
        text = f"One score for each row is that of one class: name it with --positive, one of two classes ({listed})."
        raise Invalid(text, code="predictions_classes", field="positive")
    return (*(name for name in found if name != positive), positive)


def _class_of(column: str, truth: NDArray[Any]) -> str:
    """Return the class of a column of scores: its name, with or without a prefix."""
    known = set(truth.tolist())
    bare = [column.removeprefix(prefix) for prefix in PREFIXES if column.startswith(prefix)]
    return next((name for name in (column, *bare) if name in known), (bare or [column])[0])


def _add_scores(answers: ClassAnswers, scores: NDArray[Any], names: Sequence[str]) -> None:
    width = scores.shape[1] if scores.ndim == 2 else 1
    if names and width > 1 and width != len(names):
        text = f"There are {width} scores in each row, but {len(names)} classes: {', '.join(names)}."
        raise Invalid(text, code="predictions_classes", field="scores")
    answers.add(scores, rows=len(scores))


def _cut(answers: ClassAnswers, scores: NDArray[Any], settings: AnswerSettings) -> None:
    """Answer by a threshold where there are two columns of scores too; raise Invalid where it decides nothing."""
    if scores.ndim == 1:
        return
    if scores.shape[1] > 2 or answers.kind not in OF_PROBABILITIES:
        text = "A threshold decides between two classes by the probability of the second one; there is none here."
        raise Invalid(text, code="output_scores", field="threshold")
    answers.labels = [(answers.scores[0][:, -1] >= settings.threshold).astype(np.int64)]


def _add_given(answers: ClassAnswers, given: NDArray[Any]) -> None:
    if given.dtype.kind == "U" and answers.width:
        unknown = sorted(set(given.tolist()) - set(answers.classes))
        if unknown:
            text = f"The prediction has classes without scores: {', '.join(unknown)}."
            raise Invalid(text, code="predictions_classes", field="prediction")
    answers.add(given, rows=len(given))


def _numbers(truth: NDArray[Any], names: Sequence[str]) -> NDArray[np.int64]:
    if truth.dtype.kind != "U":
        return truth.astype(np.int64)
    places = {name: place for place, name in enumerate(names)}
    unknown = sorted(set(truth.tolist()) - set(places))
    if unknown:
        text = f"The truth has classes without scores: {', '.join(unknown)}; the classes are {', '.join(names)}."
        raise Invalid(text, code="predictions_classes", field="truth")
    return np.array([places[name] for name in truth.tolist()], dtype=np.int64)


def _check_range(truth: NDArray[np.int64], predicted: NDArray[np.int64], width: int) -> None:
    if min(truth.min(), predicted.min()) < 0 or max(truth.max(), predicted.max()) >= MAX_CLASSES:
        text = (
            f"Class numbers must be between 0 and {MAX_CLASSES - 1}. Write other classes as names; score numbers with "
            "--metric mae."
        )
        raise Invalid(text, code="data_labels", field="data")
    for what, labels in (("y", truth), ("the prediction", predicted)):
        if width and int(labels.max()) >= width:
            text = f"{what} contains class {int(labels.max())}, but the model has {width} classes (0 to {width - 1})."
            raise Invalid(text, code="data_labels", field="data")
