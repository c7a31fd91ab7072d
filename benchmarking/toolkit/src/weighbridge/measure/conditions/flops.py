"""Floating-point operations of one inference, counted over an ONNX graph's shapes: nothing is executed.

Counted as `torch.utils.flop_counter` does: two for each multiply-add of convolutions, matrix products and recurrent
layers, nothing for what works element by element. Free dimensions are taken as 1, so the metric is of one row.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Shape = Sequence[int]
# Where the data and the weights of an operator stand among its inputs.
PLACES: Mapping[str, tuple[int, int]] = {"QLinearConv": (0, 3), "QLinearMatMul": (0, 3), "MatMulIntegerToFloat": (0, 1)}
# These work on a graph or a formula of their own; a total without them would be too small.
OPAQUE = frozenset(
    {"Loop", "Scan", "If", "Einsum", "Attention", "MultiHeadAttention", "DeformConv", "GroupQueryAttention"}
)


@dataclasses.dataclass(frozen=True)
class Flops:
    """The total, its parts by operator, and the operators that could not be counted, with how many of them
    there are.
    """

    total: int
    by_operator: Mapping[str, int]
    uncounted: Mapping[str, int]


def _convolution(x: Shape, w: Shape, out: Shape) -> int:
    return 2 * math.prod(out) * math.prod(w[1:])


def _transposed(x: Shape, w: Shape, out: Shape) -> int:
    return 2 * math.prod(x) * math.prod(w[1:])


def _product(x: Shape, w: Shape, out: Shape) -> int:
    return 2 * math.prod(out) * x[-1]


def _recurrent(x: Shape, w: Shape, out: Shape) -> int:
    # w is (directions, gates * hidden, input), and its twin for the state is (directions, gates * hidden, hidden).
    return 2 * x[0] * x[1] * w[0] * w[1] * (w[2] + out[-1])


FORMULAS: Mapping[str, Callable[[Shape, Shape, Shape], int]] = {
    **dict.fromkeys(("Conv", "ConvInteger", "QLinearConv", "FusedConv"), _convolution),
    **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul", "MatMulIntegerToFloat"), _product),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
    "ConvTranspose": _transposed,
}


def count_flops(path: Path) -> Flops:
    """Count the operations of one inference of an ONNX file; shapes that cannot be inferred leave operators
    uncounted.
    """
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    fix_free_dimensions(model.graph)
    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # noqa: BLE001 -- whatever is wrong with a graph, what its shapes leave open is uncounted
        graph = model.graph
    shapes = _shapes(graph)
    counted, uncounted = Counter[str](), Counter[str]()
    for node in graph.node:
        if node.op_type not in FORMULAS and node.op_type != "Gemm" and node.op_type not in OPAQUE:
            continue
        found = _count(node, shapes)
        if found is None:
            uncounted[node.op_type] += 1
        else:
            counted[node.op_type] += found
    return Flops(sum(counted.values()), dict(counted), dict(uncounted))


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
    """Return the operations of a node, None where a shape is unknown or does not fit its operator."""
    first, second = PLACES.get(node.op_type, (0, 1))
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
