"""The registry: every metric by its name, and what all metrics have in common."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.toolkit.quality.task_rows import METRICS, drawn_rows
from weighbridge.cli.tables.metric_titles import METRICS as TITLES
from weighbridge.cli.tables.metric_titles import metric_title
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import EXTRAS
from weighbridge.core.metrics.standard import STANDARD, is_quality_metric
from weighbridge.quality.metrics.prepared import units_of
from weighbridge.quality.metrics.registry import Task, find_metric, registered, registered_tasks, task_of

EVERY = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


def value_of(metric, rows, weights=None):
    return metric.prepare(rows).value(units_of(len(rows), seed=1, weights=weights))


def test_a_parameter_is_given_or_the_usual_one():
    assert find_metric("ndcg").name == "ndcg@10"
    assert find_metric("recall@5").name == "recall@5"
    assert (find_metric("recall").task, find_metric("recall@5").task) == (Task.CLASSES, Task.RANKING)
    assert find_metric("miou@0").name == "miou@0"
    assert find_metric("pinball@0.9").name == "pinball@0.9"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("speed", "There is no metric 'speed'; use package.module:function or one of accuracy, auuc"),
        ("accuracy@3", "There is no metric 'accuracy@3'"),
        ("ndcg@", "must be a whole number above 0, not ''"),
        ("ndcg@ten", "must be a whole number above 0, not 'ten'"),
        ("ndcg@0", "must be a whole number above 0"),
        ("ndcg@2.5", "must be a whole number above 0"),
        ("ece@inf", "must be a whole number above 0"),
        ("pinball@1", "must be a number between 0 and 1"),
        ("pinball@nan", "must be a number between 0 and 1"),
        ("miou@-1", "must be the number of a class"),
    ],
)
def test_what_is_no_metric_is_refused(name, words):
    with pytest.raises(Invalid, match=words) as refusal:
        find_metric(name)
    assert refusal.value.field == "metric"


def test_metrics_are_of_one_task():
    assert task_of([]) is None
    assert task_of([find_metric("mae"), find_metric("rmse")]) is Task.NUMBERS
    with pytest.raises(Invalid, match="accuracy is of classification, mae is of regression"):
        task_of([find_metric("accuracy"), find_metric("mae")])


def test_settings_of_a_run_take_metrics_of_the_registry_alone():
    assert registered(["ndcg", "mae"]) == ("ndcg@10", "mae")
    with pytest.raises(Invalid, match="os:getcwd is a function of your own"):
        registered(["os:getcwd"])


def test_labels_that_are_void_void_every_metric_and_those_of_a_user():
    assert [name for name in registered_tasks() if not is_quality_metric(name.partition("@")[0])] == []
    assert is_quality_metric("shop.metrics:profit")
    groups = {STANDARD[name].group.value for name in STANDARD if is_quality_metric(name)}
    assert groups == {"quality"}
    assert not is_quality_metric("latency_p95_ms")


def test_every_metric_has_a_name_in_words():
    assert [name for name in registered_tasks() if name.partition("@")[0] not in TITLES] == []
    assert metric_title("ndcg@10") == "NDCG 10"
    assert metric_title("shop.metrics:profit@2") == "shop.metrics:profit@2"


def test_the_libraries_of_metrics_and_scorers_are_one_extra():
    assert [name for name, extra in EXTRAS.items() if extra == "quality"] == [
        "sklearn",
        "jiwer",
        "sacrebleu",
        "pycocotools",
        "regex",
        "jsonschema",
        "referencing",
    ]


@EVERY
@settings(max_examples=8, deadline=None)
@given(n=st.integers(8, 24), seed=st.integers(0, 999))
def test_the_order_of_rows_does_not_matter(metric, n, seed):
    rows = drawn_rows(metric.task, 4 * (n // 4), seed)
    order = np.random.default_rng(seed).permutation(len(rows))
    assert value_of(metric, rows.take(order)) == pytest.approx(value_of(metric, rows), abs=1e-9)


@EVERY
@settings(max_examples=8, deadline=None)
@given(n=st.integers(8, 24), seed=st.integers(0, 999))
def test_a_weight_of_two_is_a_row_twice(metric, n, seed):
    rows = drawn_rows(metric.task, 4 * (n // 4), seed)
    # The rows of a query are drawn together, as four of them stand together here.
    counts = np.repeat(np.random.default_rng(seed).integers(1, 4, len(rows) // 4), 4)
    if metric.task is Task.RANKING:
        weighted = value_of(metric, rows, counts.astype(np.float64))
        values = [value_of(metric, rows.take(np.arange(4) + 4 * query)) for query in range(len(rows) // 4)]
        assert weighted == pytest.approx(np.average(values, weights=counts[::4]), abs=1e-9)
        return
    repeated = rows.take(np.repeat(np.arange(len(rows)), counts))
    weighted = value_of(metric, rows, counts.astype(np.float64))
    assert weighted == pytest.approx(value_of(metric, repeated), abs=1e-9)


@EVERY
@settings(max_examples=8, deadline=None)
@given(n=st.integers(8, 24), seed=st.integers(0, 999))
def test_a_resample_is_the_metric_of_its_rows(metric, n, seed):
    rows = drawn_rows(metric.task, 4 * (n // 4), seed)
    units = units_of(len(rows), seed=1, groups=np.arange(len(rows)) // 4)
    prepared = metric.prepare(rows)
    (draws,) = units.draws(5, seed)
    drawn = prepared.values(units, draws)
    for counts, value in zip(draws, drawn, strict=True):
        assert value == pytest.approx(value_of(metric, rows, counts[units.of_row]), abs=1e-9, nan_ok=True)
    assert prepared.values(units, np.ones((1, units.count)))[0] == pytest.approx(prepared.value(units), abs=1e-12)


@EVERY
@settings(max_examples=8, deadline=None)
@given(n=st.integers(8, 24), seed=st.integers(0, 999))
def test_a_value_is_within_its_bounds(metric, n, seed):
    value = value_of(metric, drawn_rows(metric.task, 4 * (n // 4), seed))
    assert np.isfinite(value)
    assert metric.bounds[0] - 1e-12 <= value <= metric.bounds[1] + 1e-12
