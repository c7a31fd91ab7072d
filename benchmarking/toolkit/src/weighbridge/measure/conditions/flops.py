"""Floating-point operations of one inference, counted from the shapes of an ONNX graph without running it.

Like `torch.utils.flop_counter`: two per multiply-add of convolutions, matrix products and recurrent layers, none for
element-wise operators. Trees and other models without a product are not counted.
"""

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.measure.conditions.model_file import CLASSIC

Shape = Sequence[int]
# Input positions of the data and the weights of an operator; the default is (0, 1).
INPUT_POSITIONS: Mapping[str, tuple[int, int]] = {"QLinearConv": (0, 3), "QLinearMatMul": (0, 3)}
# Operators that cannot be counted from shapes; a total without them would be too small.
OPAQUE = frozenset(("Loop", "Scan", "If", "Einsum", "Attention", "DeformConv"))
# Operators of ONNX Runtime that multiply nothing; all others of its domain may.
PLAIN = re.compile(
    r"(Dynamic)?(De)?QuantizeLinear"
    r"|QLinear(Add|Mul|Sigmoid|Softmax|Concat|AveragePool|GlobalAveragePool|LeakyRelu|Where)"
    r"|(Fast|Bias|Quick)?Gelu|BiasSoftmax|(Skip|Simplified|SkipSimplified)*LayerNormalization|(Embed|Skip)LayerNorm\w*"
    r"|RotaryEmbedding|Trilu|Unique|GatherND|ExpandDims|Tokenizer|MurmurHash3"
)


@dataclasses.dataclass(frozen=True)
class Flops:
    """The total, None if no operator is counted, and the number of nodes of each operator that could not be counted."""

    total: int | None
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


def count_flops(path: Path, shapes: Mapping[str, Shape]) -> Flops:
    """Count the operations of one inference of an ONNX file with inputs of these shapes.

    Operators with unknown shapes stay uncounted.
    """
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    _fix_shapes(model.graph, shapes)
    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # noqa: BLE001 -- an invalid graph only leaves operators uncounted
        graph = model.graph
    known = _shapes(graph)
    functions = {function.name for function in model.functions}
    nodes = [node for node in graph.node if _multiplies(node, functions)]
    counts = [(node.op_type, _count(node, known)) for node in nodes]
    uncounted = Counter(operator for operator, count in counts if count is None)
    total = sum(count for _, count in counts if count is not None)
    return Flops(total or None, uncounted)


def _multiplies(node: Any, functions: Container[str]) -> bool:
    """Whether a node belongs into the total, counted or not."""
    if node.op_type in FORMULAS or node.op_type in {"Gemm", *OPAQUE} or node.op_type in functions:
        return True
    return node.domain == CLASSIC or (node.domain == "com.microsoft" and PLAIN.fullmatch(node.op_type) is None)


def _fix_shapes(graph: Any, shapes: Mapping[str, Shape]) -> None:
    """Set the dimensions of the graph's inputs, in place."""
    for value in graph.input:
        for dimension, size in zip(value.type.tensor_type.shape.dim, shapes.get(value.name, ()), strict=False):
            dimension.dim_value = size


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
    if node.op_type not in {"Gemm", *FORMULAS} or len(node.input) <= max(first, second):
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
