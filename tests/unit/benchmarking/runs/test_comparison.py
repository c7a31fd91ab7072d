"""Runs side by side: a run is better only where the direction is known and the intervals are apart."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarking.runs.domain.comparability import ASPECTS, basis_of
from benchmarking.runs.domain.comparison import ComparedRun, RunConditionRow, ValueStanding, compare, standing_of
from benchmarking.runs.domain.comparison_charts import comparison_charts
from benchmarking.runs.domain.metrics import Metric
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD


def measured(value, lower=None, upper=None, unit="ms", name="latency_p50_ms"):
    bounds = (None if bound is None else Decimal(str(bound)) for bound in (lower, upper))
    low, high = bounds
    return Metric(name, Decimal(str(value)), unit, low, high, None, None)


@pytest.mark.parametrize(
    ("name", "metric_value", "first", "standing"),
    [
        ("latency_p95_ms", measured(1, 0.9, 1.1), measured(2, 1.9, 2.1), ValueStanding.BETTER),
        ("latency_p95_ms", measured(2, 1.9, 2.1), measured(1, 0.9, 1.1), ValueStanding.WORSE),
        ("latency_p95_ms", measured(2, 1.1, 2.1), measured(1, 0.9, 1.1), ValueStanding.OVERLAPS),
        ("latency_p95_ms", measured(1), measured(1, 0.9, 1.1), ValueStanding.SAME),
        ("latency_p95_ms", measured(2), measured(1, 0.9, 1.1), ValueStanding.DIFFERENT),
        ("latency_p95_ms", measured(2, 1.9, 2.1), measured(1), ValueStanding.DIFFERENT),
        ("latency_p95_ms", measured(2, unit="s"), measured(1), ValueStanding.UNKNOWN),
        ("throughput_per_s", measured(2, 1.9, 2.1, "1/s"), measured(1, 0.9, 1.1, "1/s"), ValueStanding.BETTER),
        ("throughput_per_s", measured(1, 0.9, 1.1, "1/s"), measured(2, 1.9, 2.1, "1/s"), ValueStanding.WORSE),
        ("peak_memory_mb", measured(812.4, unit="MB"), measured(812.1, unit="MB"), ValueStanding.DIFFERENT),
        ("accuracy", measured(0.91, unit="ratio"), measured(0.9, unit="ratio"), ValueStanding.DIFFERENT),
        ("model_size_mb", measured(1, unit="MB"), measured(2, unit="MB"), ValueStanding.BETTER),
        ("model_size_mb", measured(2, unit="MB"), measured(1, unit="MB"), ValueStanding.WORSE),
        ("parameters", measured(2, unit="1"), measured(1, unit="1"), ValueStanding.DIFFERENT),
    ],
)
def test_how_a_metric_value_stands_to_the_first(name, metric_value, first, standing):
    assert standing_of(replace(metric_value, name=name), first, catalog=STANDARD) is standing


def test_rows_keep_their_order_and_what_is_missing_stays_visible():
    first = ComparedRun(
        "Run 1",
        {"latency_p50_ms": measured(2), "accuracy": measured(0, unit="ratio", name="accuracy")},
        {"threads": "1", "cpu": "x"},
    )
    second = ComparedRun(
        "Run 2",
        {"parameters": measured(5, unit="1"), "accuracy": measured(0.9, unit="ratio", name="accuracy")},
        {"threads": "2", "cpu": "x"},
    )
    compared = compare([first, second], catalog=STANDARD)
    assert compared.labels == ("Run 1", "Run 2")
    assert [row.name for row in compared.metric_values] == ["latency_p50_ms", "accuracy", "parameters"]
    latency, accuracy, parameters = compared.metric_values
    assert (latency.cells[1].metric_value, latency.cells[1].standing) == (None, ValueStanding.UNKNOWN)
    # Nothing divides by zero, and values without intervals are only different.
    assert (accuracy.cells[1].ratio, accuracy.cells[1].standing) == (None, ValueStanding.DIFFERENT)
    assert (parameters.cells[0].metric_value, parameters.cells[1].standing) == (None, ValueStanding.UNKNOWN)
    assert [(row.name, row.differs) for row in compared.conditions] == [("threads", True), ("cpu", False)]
    # Latency and parameters have one value each: nothing differs among those that have one.
    assert [row.differs for row in compared.metric_values] == [False, True, False]


def test_the_ratio_is_to_the_first():
    row = compare(
        [ComparedRun("a", {"x": measured(4, 3, 5)}, {}), ComparedRun("b", {"x": measured(5, 4, 6)}, {})],
        catalog=STANDARD,
    ).metric_values[0]
    assert (row.cells[0].ratio, row.cells[1].ratio) == (Decimal(1), Decimal("1.25"))
    assert not row.differs


@pytest.mark.parametrize("number", [0, 1, 7])
def test_two_to_six_runs_fit_side_by_side(number):
    with pytest.raises(Invalid, match=f"2 to 6 runs to compare; {number} are selected"):
        compare([ComparedRun(str(place), {}, {}) for place in range(number)], catalog=STANDARD)


metric_values = st.tuples(st.integers(-50, 50), st.integers(0, 9), st.integers(0, 9)).map(
    lambda drawn: measured(drawn[0], drawn[0] - drawn[1], drawn[0] + drawn[2])
)


@given(metric_values, metric_values)
def test_turning_two_runs_round_turns_the_verdict_round(one, other):
    opposite = {ValueStanding.BETTER: ValueStanding.WORSE, ValueStanding.WORSE: ValueStanding.BETTER}
    there, back = standing_of(one, other, catalog=STANDARD), standing_of(other, one, catalog=STANDARD)
    assert back is opposite.get(there, there)


@given(metric_values, metric_values, st.sampled_from(["lower", "upper"]), st.booleans())
def test_without_an_interval_no_value_is_better_or_worse(one, other, bound, is_first):
    first, second = (replace(one, **{bound: None}), other) if is_first else (other, replace(one, **{bound: None}))
    wanted = ValueStanding.SAME if one.value == other.value else ValueStanding.DIFFERENT
    assert standing_of(second, first, catalog=STANDARD) is wanted


def exact(name, value):
    """A value with a narrow interval."""
    return measured(value, value - 0.01, value + 0.01, unit="u", name=name)


MANIFEST = {
    "data": {"digest": "sha256:aa"},
    "machine": {"cpu": "Xeon", "cpus_usable": 2, "memory_mb": 1},
    "engine": {"engine": "onnxruntime", "providers": ["CPU"]},
    "settings": {"scenario": {"name": "SingleStream", "threads": 1, "min_samples": 10}},
}
SAME = {"data_digest": "sha256:aa", "scenario": "SingleStream", "hardware": "cpu", "manifest": MANIFEST}


@pytest.mark.parametrize(
    ("change", "differs_in"),
    [
        ({}, ()),
        ({"data_digest": "sha256:bb"}, ("data set",)),
        ({"data_digest": ""}, ()),  # the manifest says what the run was measured on
        ({"scenario": "Offline"}, ("scenario",)),
        ({"hardware": "cpu of worker 1"}, ("hardware",)),
        ({"manifest": MANIFEST | {"machine": {"cpu": "EPYC", "cpus_usable": 2}}}, ("hardware",)),
        ({"manifest": MANIFEST | {"machine": {"cpu": "Xeon", "cpus_usable": 2, "memory_mb": 9}}}, ()),
        ({"manifest": MANIFEST | {"engine": {"engine": "torch"}}}, ("conditions",)),
        ({"manifest": MANIFEST | {"settings": {"scenario": {"name": "SingleStream", "threads": 4}}}}, ("conditions",)),
        (
            {
                "manifest": MANIFEST
                | {"settings": {"scenario": {"name": "SingleStream", "threads": 1, "min_samples": 99}}}
            },
            (),
        ),
        ({"data_digest": "", "manifest": {}}, ("data set", "hardware", "conditions")),
    ],
)
def test_a_run_under_other_circumstances_is_never_better(change, differs_in):
    names = {
        "latency_p95_ms": (2, 1),
        "accuracy": (0.8, 0.9),
        "model_size_mb": (2, 1),
    }
    runs = [
        ComparedRun(f"run {place}", {name: exact(name, pair[place]) for name, pair in names.items()}, {}, basis)
        for place, basis in enumerate((basis_of(**SAME), basis_of(**SAME | change)))
    ]
    latency, accuracy, size = (row.cells[1] for row in compare(runs, catalog=STANDARD).metric_values)
    assert latency.aspects == differs_in
    assert latency.standing is (ValueStanding.NOT_COMPARABLE if differs_in else ValueStanding.BETTER)
    assert (latency.ratio is None) is bool(differs_in)
    assert accuracy.aspects == tuple(aspect for aspect in differs_in if aspect == "data set")
    assert size.standing is ValueStanding.BETTER
    if differs_in:
        assert latency.words == "not comparable: " + ", ".join(f"other {aspect}" for aspect in differs_in)


@given(st.sampled_from(ASPECTS), st.text(min_size=1, max_size=5), metric_values, metric_values)
def test_whatever_differs_no_value_is_called_better(aspect, other, one, two):
    basis = dict.fromkeys(ASPECTS, "same ")
    runs = [
        ComparedRun("a", {"latency_p50_ms": one}, {}, basis),
        ComparedRun("b", {"latency_p50_ms": two}, {}, basis | {aspect: other.strip()}),
    ]
    standing = compare(runs, catalog=STANDARD).metric_values[0].cells[1].standing
    assert standing is ValueStanding.NOT_COMPARABLE


@pytest.mark.parametrize(("values", "differs"), [(("", "4", ""), False), (("4", "4"), False), (("4", "", "5"), True)])
def test_a_condition_differs_among_the_runs_that_have_one(values, differs):
    assert RunConditionRow("threads", values).differs is differs


def test_the_dot_plot_has_a_row_for_each_run_and_says_who_is_better():
    runs = [
        ComparedRun("a", {"latency_p50_ms": measured(2, 1.9, 2.1), "only": measured(1)}, {}, {"scenario": "x"}),
        ComparedRun("b", {"latency_p50_ms": measured(1, 0.9, 1.1), "odd": measured(1)}, {}, {"scenario": "x"}),
        ComparedRun("c", {"latency_p50_ms": measured(1), "odd": measured(1, unit="s")}, {}, {"scenario": "y"}),
        ComparedRun("d", {}, {}, {}),
    ]
    rows = compare(runs, catalog=STANDARD).metric_values
    (chart,) = comparison_charts(rows, labels=tuple("abcd"), links=("/a", "/b", "/c", "/d"))
    assert (chart.slug, chart.title, chart.y.labels) == ("compare-latency_p50_ms", "Latency p50", ("a", "b", "c"))
    assert chart.finding == "Compared with a, b: better; c: not comparable: other scenario."
    points = chart.points
    assert [(point.x, point.low, point.high, point.href) for point in points] == [
        (2.0, 1.9, 2.1, "/a"),
        (1.0, 0.9, 1.1, "/b"),
        (1.0, None, None, "/c"),
    ]
    no_baseline = compare([runs[3], runs[0], runs[1]], catalog=STANDARD).metric_values
    (chart,) = comparison_charts(no_baseline, labels=tuple("dab"), links=("/d", "/a", "/b"))
    assert chart.finding == "d has no value."
    odd = [
        ComparedRun("a", {"x": measured(1, unit="s")}, {}),
        ComparedRun("b", {}, {}),
        ComparedRun("c", {"x": measured(1, unit="s")}, {}),
    ]
    rows = compare(odd, catalog=STANDARD).metric_values
    assert (
        comparison_charts(rows, labels=tuple("abc"), links=tuple("abc"))[0].finding == "Compared with a, c: the same."
    )
