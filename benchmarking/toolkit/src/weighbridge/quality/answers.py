"""Answers: the class that an output of a model gives each row, and the scores of the classes if they are comparable."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid

AUTO, PROBABILITIES, LOGITS, INDEPENDENT = "auto", "probabilities", "logits", "independent"
SIGMOID, SOFTMAX = "sigmoid of the output", "softmax of the output"
# How scores are read where they are probabilities of classes.
OF_PROBABILITIES = (PROBABILITIES, SIGMOID, SOFTMAX)
SCORE_KINDS = (AUTO, PROBABILITIES, LOGITS, INDEPENDENT)
# Rounding of float16 probabilities over a thousand classes.
MAX_SUM_ERROR = 0.01
# ROC AUC sorts the scores of every class; above this number of values, the scores are not stored.
MAX_SCORES = 20_000_000
NOT_COMPARABLE = (
    "The scores of a row do not add up to 1, so those of different rows cannot be ranked. State --scores logits "
    "(`score`: --scores-are logits) if a softmax turns them into probabilities, or independent if each class has a "
    "score of its own."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnswerSettings:
    """Which output is scored, what its scores are, and the probability from which a row counts as class 1.

    `scores` is auto, probabilities, logits (a softmax or sigmoid gives probabilities) or independent (one score for
    each class on its own). `auto` takes scores for probabilities if those of each row add up to 1, or if a single one
    lies between 0 and 1.
    """

    output: str = ""
    scores: str = AUTO
    threshold: float = 0.5

    def __post_init__(self) -> None:
        """Raise Invalid for another kind of scores, and for a threshold that is not a probability."""
        if self.scores not in SCORE_KINDS:
            text = f"Scores are one of {', '.join(SCORE_KINDS)}, not {self.scores!r}."
            raise Invalid(text, field="scores")
        if not 0 < self.threshold < 1:
            raise Invalid("The threshold must be a probability between 0 and 1.", field="threshold")


AS_GIVEN = AnswerSettings()


def scored_output(names: Sequence[str], settings: AnswerSettings) -> int:
    """Return the place of the output to score; raise Invalid if a model has several and none is named."""
    listed = ", ".join(names)
    if settings.output:
        if settings.output not in names:
            text = f"The model has no output {settings.output!r}; its outputs are {listed}."
            raise Invalid(text, code="model_outputs", field="output")
        return list(names).index(settings.output)
    if len(names) > 1:
        text = f"The model has several outputs ({listed}); name the one to score with --output NAME."
        raise Invalid(text, code="model_outputs", field="output")
    return 0


@dataclasses.dataclass
class ClassAnswers:
    """The answers of a classifier, added batch by batch.

    `classes` are the names of the classes if truth or answers have names, otherwise empty. `kind` says how the stored
    scores are read, and `missing` why there are none.
    """

    settings: AnswerSettings
    classes: tuple[str, ...]
    labels: list[NDArray[np.int64]] = dataclasses.field(default_factory=list)
    scores: list[NDArray[Any]] = dataclasses.field(default_factory=list)
    kind: str = ""
    missing: str = ""
    width: int = 0

    def add(self, output: Any, *, rows: int) -> None:
        """Add the output for `rows` rows; raise Invalid for a form that gives no class to each row."""
        array = self._by_column(output, rows=rows)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.shape[:1] != (rows,) or array.ndim not in (1, 2):
            raise _odd_output(array, rows)
        if array.dtype.kind in "OU" and array.ndim == 1:
            self.labels.append(self._numbers(array))
        elif array.dtype.kind in "iu" and array.ndim == 1:
            self._check_unnamed()
            self.labels.append(array.astype(np.int64))
        elif array.dtype.kind == "f":
            self._add_scores(array)
        else:
            raise _odd_output(array, rows)

    def all_labels(self) -> NDArray[np.int64]:
        """Return the class of every row."""
        return np.concatenate(self.labels) if self.labels else np.empty(0, dtype=np.int64)

    def all_scores(self) -> NDArray[Any] | None:
        """Return comparable scores of every row, (rows, classes), or None."""
        return np.concatenate(self.scores) if self.scores and not self.missing else None

    def _by_column(self, output: Any, *, rows: int) -> NDArray[Any]:
        """Turn a list of mappings from class to score, as scikit-learn's exporter writes it, into (rows, classes)."""
        if not (isinstance(output, list) and output and isinstance(output[0], Mapping)):
            return np.asarray(output)
        keys = list(output[0])
        if all(isinstance(key, str) for key in keys):
            self._numbers(np.array(keys, dtype=object))
            return np.array([[row[name] for name in self.classes] for row in output], dtype=np.float64)
        if sorted(keys) != list(range(len(keys))):
            text = f"The model's classes are {keys}; number them from 0, or give them names."
            raise Invalid(text, code="output_shape", field="data")
        return np.array([[row[key] for key in range(len(keys))] for row in output], dtype=np.float64)

    def _numbers(self, names: NDArray[Any]) -> NDArray[np.int64]:
        """Return the numbers of named classes; raise Invalid if the truth has no names."""
        if not self.classes:
            text = "The model answers with the names of classes; save y as names too, not as numbers."
            raise Invalid(text, code="data_labels", field="data")
        known = {name: number for number, name in enumerate(self.classes)}
        self.classes += tuple(dict.fromkeys(str(name) for name in names if str(name) not in known))
        known = {name: number for number, name in enumerate(self.classes)}
        return np.array([known[str(name)] for name in names], dtype=np.int64)

    def _check_unnamed(self) -> None:
        if self.classes:
            text = "y contains the names of classes, but the model answers with numbers; save y as class numbers."
            raise Invalid(text, code="data_labels", field="data")

    def _add_scores(self, array: NDArray[Any]) -> None:
        if not np.isfinite(array).all():
            raise Invalid("The model returned NaN or an infinite number.", code="output_shape", field="model")
        self.width = 2 if array.ndim == 1 else array.shape[1]
        array = array.astype(np.float64, copy=False)
        if array.ndim == 1:
            positive = self._positive(array)
            self.labels.append((positive >= self.settings.threshold).astype(np.int64))
            self._keep(np.column_stack([1 - positive, positive]))
            return
        self.labels.append(np.asarray(array.argmax(axis=1), dtype=np.int64))
        self._keep(self._comparable(array))

    def _positive(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of class 1 from a single score; raise Invalid if it is none."""
        from scipy.special import expit

        if self.settings.scores == LOGITS:
            self.kind = SIGMOID
            return np.asarray(expit(scores))
        if self.settings.scores == INDEPENDENT or scores.min(initial=0) < 0 or scores.max(initial=0) > 1:
            text = (
                "The model gives one number per row that is no probability of class 1; state --scores logits "
                "(`score`: --scores-are logits) if a sigmoid turns it into one."
            )
            raise Invalid(text, code="output_scores", field="scores")
        self.kind = PROBABILITIES
        return scores

    def _comparable(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scores that can be ranked over rows; sets `missing` if they cannot."""
        from scipy.special import softmax

        if self.settings.scores == LOGITS:
            self.kind = SOFTMAX
            return np.asarray(softmax(scores, axis=1))
        if self.settings.scores == INDEPENDENT:
            self.kind = INDEPENDENT
            return scores
        if are_probabilities(scores):
            self.kind = self.kind or PROBABILITIES
            return scores
        if self.settings.scores == PROBABILITIES:
            text = "The scores of a row do not add up to 1, so they are no probabilities."
            raise Invalid(text, code="output_scores", field="scores")
        # The order of the differences of two scores does not depend on how a row is scaled by a softmax.
        if scores.shape[1] == 2:
            self.kind = "difference of the two scores"
        else:
            self.missing = NOT_COMPARABLE
        return scores

    def _keep(self, scores: NDArray[Any]) -> None:
        if self.missing:
            return
        if sum(batch.size for batch in self.scores) + scores.size > MAX_SCORES:
            self.missing = f"The model has more than {MAX_SCORES:,} scores, which are too many to sort."
            self.scores.clear()
            return
        self.scores.append(scores)


def are_probabilities(scores: NDArray[Any]) -> bool:
    """Whether scores of shape (rows, classes) are not negative and add up to 1 in every row, within rounding."""
    if not len(scores):
        return True
    return bool(scores.min() >= 0 and np.abs(scores.sum(axis=1) - 1).max() <= MAX_SUM_ERROR)


def _odd_output(output: NDArray[Any], rows: int) -> Invalid:
    text = (
        f"The scored output has shape {output.shape} and type {output.dtype} for {rows} rows; classes need scores of "
        "shape (rows, classes), a probability of shape (rows,), class numbers or names of shape (rows,). Name another "
        "output with --output, or omit y to measure only speed."
    )
    return Invalid(text, code="output_shape", field="data")
