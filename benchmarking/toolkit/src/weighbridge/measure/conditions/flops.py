"""Floating-point operations of one inference, counted from the shapes of an ONNX graph without running it.

Like `torch.utils.flop_counter`: two per multiply-add of convolutions, matrix products and recurrent layers, none for
element-wise operators. Free dimensions count as 1, so the metric is for one row.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Shape = Sequence[int]
# Input positions of the data and the weights of an operator; the default is (0, 1).
INPUT_POSITIONS: Mapping[str, tuple[int, int]] = {"QLinearConv": (0, 3), "QLinearMatMul": (0, 3)}
# Operators that cannot be counted from shapes; a total without them would be too small.
OPAQUE = frozenset(
    {"Loop", "Scan", "If", "Einsum", "Attention", "MultiHeadAttention", "DeformConv", "GroupQueryAttention"}
)


@dataclasses.dataclass(frozen=True)
class Flops:
    """The total, and the number of nodes of each operator that could not be counted."""

    total: int
    uncounted: Mapping[str, int]


def _convolution(x: Shape, w: Shape, out: Shape) -> int:
    return 2 * math.prod(out) * math.prod(w[1:])


def _transposed(x: Shape, w: Shape, out: Shape) -> int:
    return 2 * math.prod(x) * math.prod(w[1:])


def _product(x: Shape, w: Shape, out: Shape) -> int:
    return 2 * math.prod(out) * x[-1]


def _recurrent(x: Shape, w: Shape, out: Shape) -> int:
    # w is (directions, gates * hidden, input); the recurrent weights are (directions, gates * hidden, hidden).
    return 2 * x[0] * x[1] * w[0] * w[1] * (w[2] + out[-1])


FORMULAS: Mapping[str, Callable[[Shape, Shape, Shape], int]] = {
    **dict.fromkeys(("Conv", "ConvInteger", "QLinearConv", "FusedConv"), _convolution),
    **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul", "MatMulIntegerToFloat"), _product),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
    "ConvTranspose": _transposed,
}


def count_flops(path: Path) -> Flops:
    """Count the operations of one inference of an ONNX file; operators with unknown shapes stay uncounted."""
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    fix_free_dimensions(model.graph)
    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # noqa: BLE001 -- an invalid graph only leaves operators uncounted
        graph = model.graph
    shapes = _shapes(graph)
    nodes = [node for node in graph.node if node.op_type in FORMULAS or node.op_type in {"Gemm", *OPAQUE}]
    counts = [(node.op_type, _count(node, shapes)) for node in nodes]
    uncounted = Counter(operator for operator, count in counts if count is None)
    return Flops(sum(count for _, count in counts if count is not None), uncounted)


def fix_free_dimensions(graph: Any) -> None:
    """Set every free dimension of the graph's inputs to 1, in place."""
    for value in graph.input:
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.WhichOneof("value") != "dim_value":
                dimension.dim_value = 1


def _shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dimensions = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(d.WhichOneof("value") == "dim_value" for d in dimensions):
            shapes.setdefault(value.name, tuple(d.dim_value for d in dimensions))
    return shapes


def _count(node: Any, shapes: Mapping[str, Shape]) -> int | None:
    """Return the operations of a node, None if a shape is unknown or invalid for the operator."""
    first, second = INPUT_POSITIONS.get(node.op_type, (0, 1))
    if node.op_type in OPAQUE or len(node.input) <= max(first, second):
        return None
    x, w = shapes.get(node.input[first]), shapes.get(node.input[second])
    out = next((shapes[name] for name in node.output if name in shapes), None)
    if x is None or w is None or out is None:
        return None
    try:
        if node.op_type == "Gemm":
            is_transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
            return 2 * math.prod(out) * x[0 if is_transposed else 1]
        return FORMULAS[node.op_type](x, w, out)
    except IndexError:
        return None
