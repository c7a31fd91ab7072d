"""Quality of a classifier, and of a model that answers numbers."""

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.quality.metrics.registry import Task
from weighbridge.quality.scores import check_task, confusion_of, measure_quality, numbers_of
from weighbridge.quality.scoring.measuring import ScoreSettings

SETTINGS = {"score": ScoreSettings(resamples=200)}
TRUTH = np.array([0, 1, 2, 1, 0, 2, 2], dtype=np.int64)
ANSWERS = np.array([0, 1, 2, 2, 0, 2, 1], dtype=np.int64)
SCORES = np.eye(3)[ANSWERS]


def measure(outputs, truth=TRUTH, batch=3):
    shares = []
    found = measure_quality(lambda a, b: outputs[a:b], truth, batch=batch, on_tick=shares.append, **SETTINGS)
    return found, shares


@pytest.mark.parametrize("outputs", [SCORES, ANSWERS])
def test_quality_of_scores_and_of_class_numbers(outputs):
    found, shares = measure(outputs)
    metrics = found.measured.intervals
    assert found.confusion.tolist() == [[2, 0, 0], [0, 1, 1], [0, 1, 2]]
    assert (metrics["accuracy"].value, metrics["accuracy"].n) == (5 / 7, 7)
    assert found.measured.intervals["f1_macro"].value == pytest.approx((1 + 1 / 2 + 2 / 3) / 3)
    assert (
        found.measured.intervals["precision_macro"].value
        == found.measured.intervals["recall_macro"].value
        == pytest.approx(13 / 18)
    )
    assert [entry["support"] for entry in found.per_class] == [2, 2, 3]
    assert ("roc_auc" in found.measured.intervals) is (outputs is SCORES)
    assert shares == [3 / 7, 6 / 7, 1.0]


def test_confusion_has_truth_in_rows():
    assert confusion_of(np.array([0, 0]), np.array([1, 1]), classes=2).tolist() == [[0, 2], [0, 0]]


@pytest.mark.parametrize(
    ("outputs", "truth", "code"),
    [
        (SCORES, TRUTH + 1, "data_labels"),
        (SCORES, TRUTH - 1, "data_labels"),
        (ANSWERS - 1, TRUTH, "data_labels"),
        (ANSWERS, TRUTH + 5_000, "data_labels"),
        (SCORES[:0], TRUTH[:0], "data_empty"),
    ],
)
def test_labels_that_do_not_fit_are_refused(outputs, truth, code):
    with pytest.raises(Invalid) as refusal:
        measure(outputs, truth)
    assert (refusal.value.code, refusal.value.field) == (code, "data")


@pytest.mark.parametrize("shape", [(7,), (7, 1)])
def test_numbers_are_compared_with_the_numbers_to_be_met(shape):
    truth = np.arange(1.0, 8.0)
    found, shares = measure((truth + 0.5).reshape(shape).astype(np.float32), truth)
    assert found.measured.intervals["mae"].value == pytest.approx(0.5)
    assert (found.confusion, found.per_class) == (None, ())
    assert shares[-1] == 1.0


def test_a_data_set_without_numbers_is_refused():
    with pytest.raises(Invalid, match="no rows"):
        measure(np.empty(0), np.empty(0))


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (np.ones((2, 3)), "one number per row"),
        (np.array(["a", "b"]), "one number per row"),
        (np.array([1.0, np.nan]), "NaN"),
    ],
)
def test_outputs_that_are_no_numbers_are_refused(output, words):
    with pytest.raises(Invalid, match=words):
        numbers_of(output, rows=2)


def test_metrics_are_of_the_task_that_the_truth_shows():
    assert check_task(TRUTH, ["log_loss"]) is Task.CLASSES
    assert check_task(TRUTH.astype(float), ["mae", "pinball@0.9"]) is Task.NUMBERS
    found, _ = measure(SCORES)
    more = measure_quality(
        lambda a, b: SCORES[a:b], TRUTH, batch=7, on_tick=lambda _: None, names=("brier", "accuracy"), **SETTINGS
    )
    assert list(more.measured.intervals) == [*found.measured.intervals, "brier"]
    with pytest.raises(Invalid, match="ndcg@10 is a metric of ranking, but y is the truth of classification"):
        check_task(TRUTH, ["ndcg@10"])


def test_scores_too_many_to_keep_have_no_roc_auc(monkeypatch):
    monkeypatch.setattr("weighbridge.quality.answers.MAX_SCORES", 20)
    found, _ = measure(SCORES)
    assert "roc_auc" not in found.measured.intervals
    assert "too many to sort" in found.measured.missing["roc_auc"]
