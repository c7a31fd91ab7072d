"""The engine's profiler, heard through a pipe, and what it says."""

import numpy as np
import pytest

from tests.unit.toolkit import builders
from weighbridge.core.errors import Invalid
from weighbridge.systems import trace as tracing
from weighbridge.systems.trace import operators_of, trace


def run_at(ts, dur=100):
    return {"cat": "Session", "name": "model_run", "ts": ts, "dur": dur}


def node(name, kind, ts, dur):
    return {"cat": "Node", "name": f"{name}_kernel_time", "ts": ts, "dur": dur, "args": {"op_name": kind}}


def test_a_model_is_heard_to_the_end(tmp_path, capfd):
    feeds = [{"x": np.zeros((1, 4), dtype=np.float32)}]
    events = trace(builders.classifier(tmp_path / "m.onnx"), feeds, threads=1, nodes=1)
    found = operators_of(events)
    assert found["runs"] == 49
    assert [row["operator"] for row in found["by_operator"]] == ["MatMul"]
    assert found["by_operator"][0]["share"] == (1.0 if found["total_ms"] else 0.0)
    assert list(tmp_path.iterdir()) == [tmp_path / "m.onnx"]


def test_large_models_are_run_less_often(tmp_path, monkeypatch):
    monkeypatch.setattr(tracing, "MAX_BYTES", 4_000_000)
    feeds = [{"x": np.zeros((1, 4), dtype=np.float32)}]
    events = trace(builders.classifier(tmp_path / "m.onnx"), feeds, threads=1, nodes=200)
    assert operators_of(events)["runs"] == 4


def test_a_model_that_cannot_be_loaded_leaves_no_listener(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(Invalid):
        trace(tmp_path / "m.onnx", [], threads=1, nodes=1)


def test_a_profiler_that_writes_nothing_has_no_events(tmp_path, monkeypatch):
    class Silent:
        def run(self, *_):
            return []

        def end_profiling(self):
            return ""

    monkeypatch.setattr(tracing, "open_session", lambda *_: Silent())
    assert trace(tmp_path, [{}], threads=1, nodes=1) == []


def test_times_are_medians_over_all_runs_but_the_first():
    events = [
        run_at(0),
        node("a", "Conv", 10, 90_000),
        node("b", "Relu", 95, 9_000),
        run_at(1_000),
        node("a", "Conv", 1_010, 3_000),
        node("b", "Relu", 1_090, 1_000),
        run_at(2_000),
        node("a", "Conv", 2_010, 3_000),
        node("b", "Relu", 2_090, 500_000),
        run_at(3_000),
        node("a", "Conv", 3_010, 5_000),
        node("b", "Relu", 3_090, 1_000),
        {"cat": "Node", "name": "a_fence_before", "ts": 3_005, "dur": 99, "args": {"op_name": "Conv"}},
    ]
    found = operators_of(events)
    assert (found["runs"], found["total_ms"]) == (3, 4.0)
    assert found["by_operator"] == [
        {"operator": "Conv", "ms": 3.0, "share": 0.75},
        {"operator": "Relu", "ms": 1.0, "share": 0.25},
    ]
    assert found["slowest"][0] == {"node": "a", "operator": "Conv", "ms": 3.0, "share": 0.75}


def test_calls_of_a_node_in_one_run_add_up_and_nodes_of_a_type_too():
    events = [run_at(0)]
    for ts in (1_000, 2_000):
        events += [
            run_at(ts),
            node("in loop", "Add", ts + 1, 100),
            node("in loop", "Add", ts + 2, 300),
            node("out", "Add", ts + 3, 600),
        ]
    found = operators_of(events)
    assert found["by_operator"] == [{"operator": "Add", "ms": 1.0, "share": 1.0}]
    assert [(row["node"], row["ms"]) for row in found["slowest"]] == [("out", 0.6), ("in loop", 0.4)]


@pytest.mark.parametrize("events", [[], [run_at(0), node("a", "Conv", 10, 5)], [node("a", "Conv", 10, 5)]])
def test_without_a_second_run_nothing_is_known(events):
    assert operators_of(events) is None


def test_operators_that_take_no_time_have_no_share():
    found = operators_of([run_at(0), run_at(1_000), node("a", "Identity", 1_001, 0)])
    assert found["by_operator"] == [{"operator": "Identity", "ms": 0.0, "share": 0.0}]
