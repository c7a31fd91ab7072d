"""Runs side by side: a run is better only where the direction is known and the intervals are apart."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarking.runs.domain.comparison import ComparedRun, ValueStanding, compare, standing_of
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
        ("latency_p95_ms", measured(2), measured(1, 0.9, 1.1), ValueStanding.WORSE),
        ("latency_p95_ms", measured(2, unit="s"), measured(1), ValueStanding.UNKNOWN),
        ("throughput_per_s", measured(2, unit="1/s"), measured(1, unit="1/s"), ValueStanding.BETTER),
        ("throughput_per_s", measured(1, unit="1/s"), measured(2, unit="1/s"), ValueStanding.WORSE),
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
    assert (accuracy.cells[1].ratio, accuracy.cells[1].standing) == (
        None,
        ValueStanding.BETTER,
    )  # nothing divides by zero
    assert (parameters.cells[0].metric_value, parameters.cells[1].standing) == (None, ValueStanding.UNKNOWN)
    assert [(row.name, row.differs) for row in compared.conditions] == [("threads", True), ("cpu", False)]
    assert all(row.differs for row in compared.metric_values)


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
