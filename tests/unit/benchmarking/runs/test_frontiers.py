"""Frontiers of variants: which charts there are, what is on them, and where a dot leads."""

import math
from decimal import Decimal

import pytest

from benchmarking.runs.domain.alternatives import variant_lines_of
from benchmarking.runs.domain.frontiers import LIMIT_REACH, frontier_charts, with_limits
from tests.factories.alternatives import RESULT, metric_value, variant


def charts(result):
    return frontier_charts(result, variant_lines_of(result), anchor="run-7")


def test_accuracy_is_set_against_latency_and_size():
    latency, size = charts(RESULT)
    assert (latency.slug, latency.title) == ("run-7-frontier-0", "Accuracy against p95 latency")
    assert (size.slug, size.title) == ("run-7-frontier-1", "Accuracy against size")
    assert latency.finding == "On the frontier: int8. The model itself is fp32, with a ring."
    shown = {series.name: [point.name for point in series.points] for series in latency.series}
    assert shown == {"on the frontier": ["int8"], "dominated": ["fp32"], "not compared": ["graph"]}
    (point,) = latency.series[0].points
    assert (point.x, point.y, point.low, point.high) == (0.064, 0.8604, 0.8535, 0.8671)
    assert (point.href, point.note, point.is_chosen) == ("#run-7-variant-1", "Worth it", False)
    assert [point.is_chosen for point in latency.series[1].points] == [True]


def test_a_language_model_is_weighed_by_what_an_accepted_answer_costs():
    def option(name, cost, rate):
        metrics = {
            "pass_rate": metric_value(rate, unit="ratio"),
            "cost_per_accepted_usd": metric_value(cost, unit="USD"),
        }
        return variant(name, "worth_it", 1.0) | {"metrics": metrics, "kind": "route"}

    result = {"candidates": [option("large", 0.02, 0.9), option("small", 0.01, 0.8)], "standings": {}}
    (chart,) = charts(result)
    assert (chart.title, chart.x.unit) == ("Pass rate against cost of an accepted answer", "USD")
    assert chart.finding == "No variant is on the frontier."


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "12"])
def test_what_is_no_number_is_not_drawn_and_one_dot_is_no_chart(value):
    odd = variant("odd", "worth_it", 1.0)
    odd["metrics"]["latency_p95_ms"] = {"value": value, "unit": "ms", "lower": None, "upper": None}
    odd["metrics"]["model_size_mb"] = None
    result = {"candidates": [variant("fp32", "baseline", 1.0), odd], "standings": {}}
    lines = variant_lines_of({"candidates": [variant("fp32", "baseline", 1.0), variant("odd", "worth_it", 1.0)]})
    assert frontier_charts(result, lines, anchor="run-7") == ()
    assert charts({}) == ()


def test_limits_of_the_metrics_are_lines_and_a_far_one_is_said():
    latency, size = with_limits(charts(RESULT), limits={"latency_p95_ms": Decimal("0.5"), "accuracy": Decimal("0.85")})
    assert [(line.name, line.value) for line in (*latency.across, *latency.references)] == [
        ("limit", 0.5),
        ("limit", 0.85),
    ]
    assert (size.across, [line.value for line in size.references]) == ((), [0.85])
    largest = Decimal(max(point.x for point in latency.points))
    near, far = (
        with_limits([latency], limits={"latency_p95_ms": largest * LIMIT_REACH + more})[0]
        for more in (Decimal(0), Decimal(1))
    )
    assert (len(near.across), near.finding) == (1, latency.finding)
    (beyond,) = with_limits([charts(RESULT)[0]], limits={"latency_p95_ms": Decimal(1000)})
    assert (beyond.across, beyond.references) == ((), ())
    assert beyond.finding == f"{latency.finding} The limit of 1,000 ms is far beyond them."
    assert far.finding.endswith("is far beyond them.")
    assert with_limits(charts(RESULT), limits={}) == charts(RESULT)
