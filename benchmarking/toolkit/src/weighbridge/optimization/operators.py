"""Operators: where a model spends its time, and which operator makes a variant slower than its baseline.

ONNX Runtime's own profiler writes a file, which the sandbox forbids. Instead, the network as rewritten by ONNX Runtime
for this machine answers one query with all activations stored; then each operator runs alone on its own inputs and is
timed. The overhead of a call is subtracted. Operators with subgraphs (If, Loop) are left out.
"""

import dataclasses
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.stopping import Clock
from weighbridge.optimization.methods.calibration import exact_session
from weighbridge.optimization.methods.quantize import optimized

REPEATS = 25


@dataclasses.dataclass(frozen=True)
class Culprit:
    """The operator that a variant spends more time in: its ms per inference, the total, and the baseline's time."""

    operator: str
    variant_ms: float
    total_ms: float
    baseline_ms: float

    def words(self) -> str:
        """Describe it in one sentence."""
        before = f"the baseline spends {self.baseline_ms:.3g} ms in it" if self.baseline_ms else "the baseline has none"
        return f"{self.operator} costs {self.variant_ms:.3g} of {self.total_ms:.3g} ms per inference; {before}."


def culprit(baseline: Mapping[str, float], variant: Mapping[str, float]) -> Culprit | None:
    """Return the operator whose time (ms per inference, by type) grew the most; None if none grew."""
    grown = {name: spent - baseline.get(name, 0.0) for name, spent in variant.items()}
    worst = max(sorted(grown), key=lambda name: grown[name], default=None)
    if worst is None or grown[worst] <= 0:
        return None
    return Culprit(worst, variant[worst], sum(variant.values()), baseline.get(worst, 0.0))


def operator_times(model: bytes, feed: Feed, *, threads: int, clock: Clock) -> dict[str, float]:
    """Return milliseconds per inference by type of operator, for one query; `clock` counts nanoseconds."""
    import onnx

    network = onnx.load_from_string(optimized(model, level="ORT_ENABLE_ALL"))
    times: dict[str, float] = defaultdict(float)
    call_ns = _alone(_empty(), {"x": np.zeros(1, dtype=np.float32)}, threads, clock)
    for node, single, given in _singles(network, _activations(network, feed)):
        spent_ns = _alone(single, given, threads, clock) - call_ns
        times[node.op_type] += max(0.0, spent_ns) / 1e6
    return dict(times)


def _activations(network: Any, feed: Feed) -> dict[str, NDArray[Any]]:
    """Return all tensors of one inference, by name; other values are left out."""
    import onnx

    exposed = onnx.ModelProto()
    exposed.CopyFrom(network)
    outputs = {value.name for value in exposed.graph.output}
    names = [name for node in network.graph.node for name in node.output if name]
    exposed.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in outputs)
    found = exact_session(exposed, threads=1).run(names, feed)
    pairs = zip(names, found, strict=True)
    return {**feed, **{name: value for name, value in pairs if isinstance(value, np.ndarray)}}


def _singles(network: Any, values: Mapping[str, NDArray[Any]]) -> Iterator[tuple[Any, Any, dict[str, NDArray[Any]]]]:
    """Yield each node, a network of only this node with its weights, and its inputs."""
    from onnx import helper

    weights = {tensor.name: tensor for tensor in network.graph.initializer}
    for node in network.graph.node:
        names = [name for name in dict.fromkeys(node.input) if name]
        given = {name: values[name] for name in names if name not in weights and name in values}
        has_all = all(name in weights or name in given for name in names)
        if not has_all or any(attribute.HasField("g") for attribute in node.attribute):
            continue
        inputs = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in given.items()
        ]
        outputs = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
        own_weights, imports = [weights[name] for name in names if name in weights], list(network.opset_import)
        graph = helper.make_graph([node], "single", inputs, outputs, own_weights)
        yield node, helper.make_model(graph, opset_imports=imports, ir_version=network.ir_version), given


def _empty() -> Any:
    """Return an empty network, to measure the overhead of a call."""
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "empty", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _alone(network: Any, given: Feed, threads: int, clock: Clock) -> float:
    session = exact_session(network, threads=threads)
    times = []
    for _ in range(REPEATS + 1):
        begun = clock()
        session.run(None, given)
        times.append(clock() - begun)
    # The first call is the warm-up.
    return statistics.median(times[1:])
