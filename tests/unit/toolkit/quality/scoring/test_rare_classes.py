"""A class of few rows leaves a metric uncertain, however many rows the others have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest  # noqa: TID253 -- an independent oracle

from weighbridge.quality.metrics.prepared import units_of
from weighbridge.quality.metrics.registry import find_metric
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.scoring.drops import drops_of
from weighbridge.quality.scoring.measuring import ScoreSettings, measure

FEW = ScoreSettings(resamples=200)
OF_CLASSES = ("precision", "recall", "f1", "precision_macro", "recall_macro", "f1_macro")


def rows_of(truth, answers, scores=None):
    fields = {"truth": np.array(truth), "prediction": np.array(answers)}
    return Rows(fields if scores is None else {**fields, "scores": np.array(scores)}, reading="probabilities")


def interval(name, rows, groups=None):
    units = units_of(len(rows), seed=1, groups=groups)
    return measure([find_metric(name)], rows, units, FEW, confidence=0.95).intervals[name]


def wilson(hits, n):
    found = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return pytest.approx((hits / n, found.low, found.high, n))


def ends(found):
    return found.value, found.lower, found.upper, found.n


def test_precision_and_recall_count_the_rows_that_they_are_shares_of():
    rows = rows_of([1] * 10 + [0] * 990, [1] * 9 + [0] + [1] * 3 + [0] * 987)
    assert ends(interval("precision", rows)) == wilson(9, 12)
    assert ends(interval("recall", rows)) == wilson(9, 10)


@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("of_group", [1, 2])
def test_three_right_rows_prove_little(name, of_group):
    rows = rows_of([1] * 3 + [0] * 997, [1] * 3 + [0] * 997)
    found = interval(name, rows, None if of_group == 1 else np.arange(1_000) // of_group)
    low = binomtest(4 - of_group, 4 - of_group).proportion_ci(0.95, method="wilson").low
    low = 2 * low / (1 + low) if "f1" in name else low
    assert (found.value, found.upper) == (1, 1)
    # The average of two classes, of which the other one is known well.
    assert found.lower == pytest.approx((1 + low) / 2 if name.endswith("macro") else low, abs=0.01)


def test_a_class_that_nobody_was_told_to_have_may_be_answered_anyhow():
    rows = rows_of([1] + [0] * 999, [0] * 1_000)
    assert ends(interval("recall", rows)) == wilson(0, 1)
    assert ends(interval("f1", rows))[:2] == (0, 0)
    macro = interval("precision_macro", rows)
    assert (macro.value, macro.upper) == (pytest.approx(0.4995), pytest.approx(1, abs=0.001))


@pytest.mark.parametrize("classes", [2, 3])
def test_a_perfect_order_of_few_rows_proves_little(classes):
    truth = np.repeat(np.arange(classes), [500, 3, 200][:classes])
    rows = rows_of(truth, truth, np.eye(classes)[truth])
    assert ends(interval("pr_auc", rows)) == wilson(3, 3)
    assert interval("roc_auc", rows).lower == pytest.approx(interval("pr_auc", rows).lower)


@given(
    pairs=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=40),
    name=st.sampled_from(OF_CLASSES[3:]),
)
def test_an_interval_holds_its_value_and_is_a_share(pairs, name):
    truth, answers = np.array(pairs).T
    found = interval(name, rows_of(truth, answers))
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert found.lower < found.upper


def drop(name, truth, before, after):
    pair = rows_of(truth, after), rows_of(truth, before)
    [found] = drops_of(
        [find_metric(name)], pair, units_of(len(truth), seed=1), FEW, margins={name: 0.05}, confidence=0.95
    )
    return found


@pytest.mark.parametrize("name", OF_CLASSES)
def test_equal_answers_to_three_rows_are_no_proof_of_equal_models(name):
    truth = np.array([1] * 3 + [0] * 997)
    found = drop(name, truth, truth, truth)
    assert (found["value"], found["is_non_inferior"]) == (0, False)
    assert found["upper"] == pytest.approx(-found["lower"])
    many = np.arange(1_000) % 2
    assert drop(name, many, many, many)["is_non_inferior"] is True


def test_a_class_that_is_never_answered_may_drop_to_anything():
    truth = np.arange(100) % 2
    found = drop("precision_macro", truth, truth, np.zeros(100, dtype=np.int64))
    assert found["value"] == pytest.approx(0.75)
    assert (found["lower"] <= 0.25, found["upper"]) == (True, 1)


def test_a_drop_of_recall_is_that_of_the_rows_of_the_class():
    truth = np.array([1] * 40 + [0] * 960)
    after = np.array([0] * 4 + [1] * 36 + [0] * 960)
    found = drop("recall", truth, truth, after)
    assert (found["value"], found["n"], found["b"], found["c"]) == (0.1, 40, 4, 0)
