"""Operations counted over a graph: by hand, and beside PyTorch's own counter."""

import io
import warnings

import numpy as np
import onnx  # noqa: TID253 -- tests build models
import pytest
from onnx import TensorProto, helper, numpy_helper  # noqa: TID253 -- tests build models

from tests.unit.toolkit import builders
from weighbridge.measure.conditions.flops import count_flops
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.onnx_file import OnnxFile


def value(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, list(shape) if shape != (None,) else None)


def weight(name, *shape, kind=np.float32):
    return numpy_helper.from_array(np.ones(shape, dtype=kind), name)


def one(path, node, inputs, weights, outputs=(("y", None),)):
    return builders.save(
        [node], [value(*entry) for entry in inputs], [value(*entry) for entry in outputs], weights, path
    )


@pytest.mark.parametrize(
    ("node", "x", "weights", "total"),
    [
        # 8 x 30 x 30 answers, each of 3 x 3 x 3 multiply-adds.
        (helper.make_node("Conv", ["x", "w"], ["y"]), ("n", 3, 32, 32), [("w", 8, 3, 3, 3)], 2 * 8 * 30 * 30 * 27),
        (helper.make_node("Conv", ["x", "w"], ["y"], group=4), (1, 4, 8, 8), [("w", 4, 1, 3, 3)], 2 * 4 * 36 * 9),
        (helper.make_node("ConvTranspose", ["x", "w"], ["y"]), (1, 3, 8, 8), [("w", 3, 5, 2, 2)], 2 * 3 * 64 * 5 * 4),
        (helper.make_node("MatMul", ["x", "w"], ["y"]), ("n", 7, 16), [("w", 16, 4)], 2 * 7 * 16 * 4),
        (helper.make_node("Gemm", ["x", "w"], ["y"]), ("n", 16), [("w", 16, 4)], 2 * 16 * 4),
        (helper.make_node("Gemm", ["x", "w"], ["y"], transA=1, transB=1), (16, 3), [("w", 4, 16)], 2 * 3 * 16 * 4),
        (
            helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=6),
            (5, 1, 4),
            [("w", 1, 24, 4), ("r", 1, 24, 6)],
            2 * 5 * 24 * (4 + 6),
        ),
        (helper.make_node("Relu", ["x"], ["y"]), ("n", 100), [], None),
    ],
)
def test_operators_are_counted_by_hand(tmp_path, node, x, weights, total):
    path = one(tmp_path / "m.onnx", node, [("x", *x)], [weight(*entry) for entry in weights])
    found = count_flops(path, {"x": [1 if size == "n" else size for size in x]})
    assert (found.total, found.uncounted) == (total, {})


def test_quantized_operators_count_like_those_they_replace(tmp_path):
    scales = [weight(name) for name in ("xs", "ws", "ys")]
    node = helper.make_node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"])
    zeros = [numpy_helper.from_array(np.array(0, dtype=np.uint8), name) for name in ("xz", "wz", "yz")]
    path = builders.save(
        [node],
        [value("x", "n", 3, 8, 8, kind=TensorProto.UINT8)],
        [value("y", None, kind=TensorProto.UINT8)],
        [*scales, *zeros, weight("w", 4, 3, 3, 3, kind=np.uint8)],
        tmp_path / "m.onnx",
    )
    assert count_flops(path, {"x": (1, 3, 8, 8)}).total == 2 * 4 * 36 * 27


def test_what_cannot_be_counted_is_named_and_leaves_no_total(tmp_path):
    path = one(
        tmp_path / "m.onnx",
        helper.make_node("Einsum", ["x", "w"], ["y"], equation="ij,jk->ik"),
        [("x", 2, 3)],
        [weight("w", 3, 4)],
    )
    assert count_flops(path, {}).uncounted == {"Einsum": 1}
    sizes = OnnxFile({"model": path}, ProfileSettings()).sizes({"x": (2, 3)})
    assert "flops" not in sizes.metrics
    assert "(Einsum 1)" in sizes.missing["flops"]
    assert count_flops(builders.endless(tmp_path / "loop.onnx"), {}).uncounted == {"Loop": 1}


def test_shapes_that_nobody_knows_leave_operators_uncounted(tmp_path):
    nodes = [
        helper.make_node("NonZero", ["x"], ["i"]),
        helper.make_node("Cast", ["i"], ["f"], to=1),
        helper.make_node("MatMul", ["w", "f"], ["y"]),
    ]
    path = builders.save(nodes, [value("x", 2)], [value("y", None)], [weight("w", 3, 1)], tmp_path / "m.onnx")
    assert count_flops(path, {}).uncounted == {"MatMul": 1}


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("MatMul", ["x"], ["y"]),
        helper.make_node("LSTM", ["x", "w"], ["y"]),
        helper.make_node("Conv", ["x", "w"], ["gone"]),
    ],
)
def test_a_graph_that_makes_no_sense_is_not_counted(tmp_path, node):
    path = one(tmp_path / "m.onnx", node, [("x", 4)], [weight("w", 4)], outputs=[("y", 4)])
    assert count_flops(path, {}).uncounted == {node.op_type: 1}


def test_a_graph_whose_shapes_cannot_be_inferred_is_not_counted(tmp_path):
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = one(tmp_path / "m.onnx", node, [("x", 1, 4)], [weight("w", 4, 4)])
    model = onnx.load(str(path))
    model.graph.node.append(helper.make_node("Strange", ["y"], ["z"], domain="of.nobody"))
    del model.opset_import[:]
    onnx.save(model, str(path))
    assert count_flops(path, {}).uncounted == {"MatMul": 1}


def test_pytorch_counts_the_same(tmp_path):
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, padding=1),
        torch.nn.BatchNorm2d(16),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 16, 3, stride=2, groups=16),
        torch.nn.Conv2d(16, 8, 1),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 15 * 15, 10),
    ).eval()
    x = torch.zeros(1, 3, 32, 32)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(x)
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (x,), written, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}})
    path = tmp_path / "m.onnx"
    path.write_bytes(written.getvalue())
    assert onnx.load(str(path)).graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"
    assert count_flops(path, {"x": (1, 3, 32, 32)}).total == counter.get_total_flops()
