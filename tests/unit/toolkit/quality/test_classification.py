"""Macro averages, classes and ROC AUC against scikit-learn."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit  # noqa: TID253 -- an independent oracle
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from weighbridge.quality.classification import averages, class_metrics, roc_auc
from weighbridge.statistics.order_statistics import wilson_interval


def matrix(truth, answers, classes):
    counted = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counted, (truth, answers), 1)
    return counted


def some(rows, classes, seed, right=0.8):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    return truth, np.where(rng.random(rows) < right, truth, rng.integers(0, classes, rows))


@given(pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_macro_averages_are_those_of_scikit_learn(pairs):
    truth, answers = np.array(pairs).T
    expected = precision_recall_fscore_support(truth, answers, average="macro", zero_division=0)[:3]
    real, predicted = (np.bincount(labels, minlength=5) for labels in (truth, answers))
    assert averages(matrix(truth, answers, 5).diagonal(), real, predicted) == pytest.approx(expected)


def test_without_examples_there_is_nothing():
    assert class_metrics(np.zeros((2, 2), dtype=np.int64), 0.95) == []


def test_metrics_of_each_class_are_those_of_scikit_learn():
    truth, answers = some(500, 4, seed=5)
    answers[answers == 3] = 0
    found = class_metrics(matrix(truth, answers, 5), 0.95)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        precision, recall, f1, support = precision_recall_fscore_support(truth, answers)
    assert [entry["class"] for entry in found] == [0, 1, 2, 3]
    assert [entry["support"] for entry in found] == list(support)
    assert [entry["f1"] for entry in found] == pytest.approx(list(f1))
    assert [entry["recall"].value for entry in found] == pytest.approx(list(recall))
    assert [entry["precision"].value for entry in found[:3]] == pytest.approx(list(precision[:3]))
    assert found[3]["precision"] is None
    hits = int(np.sum((truth == 1) & (answers == 1)))
    assert found[1]["recall"] == wilson_interval(hits, int(support[1]), 0.95)


def scored(rows, classes, seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    scores = rng.normal(size=(rows, classes)) + 1.2 * np.eye(classes)[truth]
    scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return truth, np.round(scores, 2)


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(30, 200), classes=st.integers(3, 5), seed=st.integers(0, 99))
def test_roc_auc_is_that_of_scikit_learn(rows, classes, seed):
    truth, scores = scored(rows, classes, seed)
    each = [
        roc_auc_score(truth == name, scores[:, name]) for name in range(classes) if 0 < np.sum(truth == name) < rows
    ]
    found = roc_auc(truth, scores)
    assert found.value == pytest.approx(np.mean(each))
    assert found.lower <= found.value <= found.upper


def test_two_classes_give_one_curve_with_delong_s_variance():
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 300)
    margin = rng.normal(size=300) + truth
    found = roc_auc(truth, np.column_stack([-margin / 2, margin / 2]))
    assert found.value == pytest.approx(roc_auc_score(truth, margin))
    real, rest = margin[truth == 1], margin[truth == 0]
    order = (real[:, None] > rest[None, :]).astype(float)
    variance = order.mean(axis=1).var(ddof=1) / len(real) + order.mean(axis=0).var(ddof=1) / len(rest)
    half = 1.959964 * math.sqrt(variance) / (found.value * (1 - found.value))
    assert logit(found.upper) - logit(found.value) == pytest.approx(half, rel=0.01)


def test_the_interval_of_an_average_is_that_of_a_bootstrap():
    truth, scores = scored(600, 3, seed=7)
    found = roc_auc(truth, scores)
    rng = np.random.default_rng(8)
    drawn = [roc_auc(truth[rows], scores[rows]).value for rows in rng.integers(0, 600, (600, 600))]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found.lower, found.upper) == (pytest.approx(low, abs=0.006), pytest.approx(high, abs=0.006))


def test_perfect_order_is_not_certainty():
    truth = np.array([0] * 40 + [1] * 10)
    found = roc_auc(truth, np.eye(2)[truth])
    assert (found.value, found.lower, found.n) == (1.0, pytest.approx(wilson_interval(10, 10).lower), 50)
    backwards = roc_auc(truth, np.eye(2)[1 - truth])
    assert (backwards.value, backwards.upper) == (0.0, pytest.approx(wilson_interval(0, 10).upper))


def test_classes_without_two_sides_have_no_curve():
    assert roc_auc(np.zeros(5, dtype=np.int64), np.eye(5)) is None
    truth, scores = scored(50, 3, seed=1)
    assert roc_auc(np.minimum(truth, 1), scores).value > 0.5
