"""Outputs that are scored: named, read as what they are, or refused."""

import numpy as np
import pytest
from scipy.special import expit, softmax  # noqa: TID253 -- an independent oracle
from sklearn.metrics import roc_auc_score

from weighbridge.core.errors import Invalid
from weighbridge.quality.answers import AnswerSettings, ClassAnswers, are_probabilities, scored_output
from weighbridge.quality.scores import measure_quality
from weighbridge.quality.scoring.measuring import ScoreSettings

RNG = np.random.default_rng(20_261_127)
TRUTH = RNG.integers(0, 4, 400)
# Each row has a level of its own, which a softmax takes away and a ranking over rows does not.
LOGITS = RNG.normal(size=(400, 4)) + 1.5 * np.eye(4)[TRUTH] + RNG.normal(scale=4, size=(400, 1))
BINARY = RNG.integers(0, 2, 400)
MARGIN = RNG.normal(size=400) + 1.2 * BINARY


def measure(output, truth, batch=64, **settings):
    return measure_quality(
        lambda start, stop: output[start:stop],
        truth,
        batch=batch,
        score=ScoreSettings(resamples=200),
        on_tick=lambda _: None,
        settings=AnswerSettings(**settings),
    )


def code_of(call, *arguments, **options):
    with pytest.raises(Invalid) as refusal:
        call(*arguments, **options)
    return refusal.value.code


def test_one_output_needs_no_name_and_several_do():
    assert scored_output(["y"], AnswerSettings()) == 0
    assert scored_output([], AnswerSettings()) == 0
    assert scored_output(["label", "probabilities"], AnswerSettings(output="probabilities")) == 1
    assert code_of(scored_output, ["a", "b"], AnswerSettings()) == "model_outputs"
    assert code_of(scored_output, ["a"], AnswerSettings(output="b")) == "model_outputs"


def test_scores_that_add_up_to_nothing_have_no_roc_auc():
    found = measure(LOGITS, TRUTH)
    assert ("roc_auc" in found.measured.intervals, set(found.measured.missing)) == (False, {"roc_auc"})
    assert "State --scores logits" in found.measured.missing["roc_auc"]
    assert found.measured.intervals["accuracy"].value == np.mean(LOGITS.argmax(axis=1) == TRUTH)


def test_stated_logits_equal_the_probabilities_that_they_stand_for():
    expected = roc_auc_score(TRUTH, softmax(LOGITS, axis=1), multi_class="ovr", average="macro")
    stated, given = measure(LOGITS, TRUTH, scores="logits"), measure(softmax(LOGITS, axis=1), TRUTH)
    assert stated.measured.intervals["roc_auc"].value == pytest.approx(expected, abs=1e-12)
    assert given.measured.intervals["roc_auc"].value == pytest.approx(expected, abs=1e-12)
    assert (stated.reading, given.reading) == ("softmax of the output", "probabilities")


def test_independent_scores_are_ranked_class_by_class():
    expected = np.mean([roc_auc_score(label == TRUTH, LOGITS[:, label]) for label in range(4)])
    assert measure(LOGITS, TRUTH, scores="independent").measured.intervals["roc_auc"].value == pytest.approx(
        expected, abs=1e-12
    )


def test_the_difference_of_two_scores_needs_no_softmax():
    logits = np.column_stack([-MARGIN, MARGIN]) + RNG.normal(scale=4, size=(400, 1))
    found = measure(logits, BINARY)
    assert found.measured.intervals["roc_auc"].value == pytest.approx(
        roc_auc_score(BINARY, softmax(logits, axis=1)[:, 1])
    )
    assert found.reading == "difference of the two scores"


@pytest.mark.parametrize("shape", [(400,), (400, 1)])
def test_a_single_probability_is_that_of_class_1(shape):
    found = measure(expit(MARGIN).reshape(shape).astype(np.float32), BINARY)
    assert found.measured.intervals["accuracy"].value == np.mean((expit(MARGIN) >= 0.5) == BINARY)
    assert found.measured.intervals["roc_auc"].value == pytest.approx(roc_auc_score(BINARY, MARGIN), abs=1e-5)
    strict = measure(expit(MARGIN), BINARY, threshold=0.8)
    assert strict.measured.intervals["accuracy"].value == np.mean((expit(MARGIN) >= 0.8) == BINARY)
    assert strict.confusion.sum(axis=0)[1] == np.sum(expit(MARGIN) >= 0.8)


def test_a_single_logit_has_to_be_stated():
    assert code_of(measure, MARGIN, BINARY) == "output_scores"
    assert code_of(measure, expit(MARGIN), BINARY, scores="independent") == "output_scores"
    found = measure(MARGIN, BINARY, scores="logits")
    assert found.measured.intervals["accuracy"].value == np.mean((MARGIN >= 0) == BINARY)
    assert found.reading == "sigmoid of the output"


def test_scores_stated_as_probabilities_have_to_be_some():
    assert code_of(measure, LOGITS, TRUTH, scores="probabilities") == "output_scores"
    assert measure(softmax(LOGITS, axis=1), TRUTH, scores="probabilities").reading == "probabilities"
    assert are_probabilities(np.empty((0, 3)))
    assert not are_probabilities(np.array([[1.2, -0.2]]))


def test_names_of_classes_are_compared_with_names():
    truth = np.array(["cat", "dog", "cat", "dog"])
    found = measure(np.array(["cat", "dog", "bird", "dog"], dtype=object), truth)
    assert found.measured.intervals["accuracy"].value == 0.75
    assert [entry["class"] for entry in found.per_class] == ["cat", "dog", "bird"]
    assert found.confusion.tolist() == [[1, 0, 1], [0, 2, 0], [0, 0, 0]]
    assert code_of(measure, np.array([0, 1, 0, 1]), truth) == "data_labels"
    assert code_of(measure, truth, np.array([0, 1, 0, 1])) == "data_labels"


def test_scores_by_name_and_by_number_are_put_in_order():
    """As scikit-learn's exporter writes them: a list with a mapping for each row."""
    truth = np.array(["b", "a", "b"])
    rows = [{"b": 0.9, "a": 0.1}, {"b": 0.2, "a": 0.8}, {"b": 0.4, "a": 0.6}]
    found = measure(rows, truth)
    assert (found.measured.intervals["accuracy"].value, found.reading) == (2 / 3, "probabilities")
    numbers = [{1: 0.9, 0: 0.1}, {1: 0.2, 0: 0.8}, {1: 0.4, 0: 0.6}]
    assert measure(numbers, np.array([1, 0, 1])).confusion.tolist() == found.confusion.tolist()
    assert code_of(measure, [{1: 0.5, 2: 0.5}], np.array([1])) == "output_shape"


@pytest.mark.parametrize(
    "output",
    [np.zeros((2, 3)), np.zeros((7, 2, 2)), np.zeros((7, 3), dtype=np.int64), np.zeros(7, dtype=bool), np.float64(1)],
)
def test_outputs_that_give_no_class_to_each_row_are_refused(output):
    with pytest.raises(Invalid, match="Name another output with --output") as refusal:
        ClassAnswers(AnswerSettings(), ()).add(output, rows=7)
    assert refusal.value.code == "output_shape"


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_refused(odd):
    scores = softmax(LOGITS, axis=1)
    scores[3, 1] = odd
    assert code_of(measure, scores, TRUTH) == "output_shape"


@pytest.mark.parametrize("settings", [{"scores": "odd"}, {"threshold": 0.0}, {"threshold": 1.0}])
def test_settings_that_mean_nothing_are_refused(settings):
    assert code_of(AnswerSettings, **settings) == "invalid"
