"""Latency by the size of the query."""

import itertools

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.loops.warmup import WarmUpReport
from weighbridge.measure.results.size_classes import latency_by_size


def run_of(queries, latencies):
    return LatencyRun(np.array(latencies), {}, 1.0, 1, WarmUpReport(0, 0.0, is_settled=True), queries=np.array(queries))


def test_queries_of_one_size_are_not_divided():
    assert latency_by_size(run_of([0, 0], [1, 1]), None) is None
    (only,) = latency_by_size(run_of([0, 1], [1, 1]), np.array([5, 5]))
    assert (only["values_min"], only["values_max"], only["n"]) == (5, 5, 2)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.data())
def test_each_sample_is_in_one_class_and_classes_do_not_overlap(sizes, data):
    queries = data.draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=80))
    parts = latency_by_size(run_of(queries, [1] * len(queries)), np.array(sizes))
    assert sum(part["n"] for part in parts) == len(queries)
    assert 1 <= len(parts) <= 4
    ends = [end for part in parts for end in (part["values_min"], part["values_max"])]
    assert ends == sorted(ends)
    assert all(one["values_max"] < two["values_min"] for one, two in itertools.pairwise(parts))


def test_a_class_has_the_percentiles_of_its_samples():
    queries = [0] * 200 + [1] * 200
    slow, quick = latency_by_size(run_of(queries, [2_000_000] * 200 + [5_000_000] * 200), np.array([10, 90]))
    assert (slow["metrics"]["latency_p95_ms"]["value"], quick["metrics"]["latency_p95_ms"]["value"]) == (2.0, 5.0)
