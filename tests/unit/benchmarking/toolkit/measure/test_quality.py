"""Accuracy, macro-F1 and the confusion matrix of a classifier."""

import numpy as np
import pytest

from benchmarking.toolkit.measure.quality import confusion_of, labels_of, measure_quality
from governance.domain.refusals import Invalid

SETTINGS = {"confidence": 0.95, "resamples": 200, "seed": 1}
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
    assert found.confusion.tolist() == [[2, 0, 0], [0, 1, 1], [0, 1, 2]]
    assert (found.accuracy.value, found.accuracy.n) == (5 / 7, 7)
    assert found.f1_macro.value == pytest.approx((1 + 1 / 2 + 2 / 3) / 3)
    assert shares == [3 / 7, 6 / 7, 1.0]


def test_confusion_has_truth_in_rows():
    assert confusion_of(np.array([0, 0]), np.array([1, 1]), classes=2).tolist() == [[0, 2], [0, 0]]


@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (7, 1), (7, 2, 2)])
def test_outputs_that_are_no_classification_are_refused(shape):
    with pytest.raises(Invalid) as refusal:
        labels_of(np.zeros(shape), rows=7)
    assert refusal.value.code == "output_shape"


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
