"""Variants of ONNX networks: what is in them, how large they are, what they answer."""

import numpy as np
import onnx  # noqa: TID253 -- tests look into models
import pytest
from onnx import TensorProto, helper, numpy_helper  # noqa: TID253 -- tests build models

from tests.unit.toolkit import builders
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.binding import bind
from weighbridge.measure.inputs.settings import AS_DECLARED
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.optimization.data_split import batches
from weighbridge.optimization.methods import calibration
from weighbridge.optimization.methods import quantize as quantize
from weighbridge.optimization.recipes import (
    DYNAMIC,
    ENTROPY,
    GRAPH,
    HALF,
    PER_CHANNEL,
    PER_TENSOR,
    PERCENTILE,
    CalibrationMethod,
)
from weighbridge.systems.onnx_runtime import engine

VNNI = {"architecture": "x86_64", "cpu_flags": ["avx512_vnni"]}
SPEC = InputSpec("input", "float32", ("n", 1, 8, 8))


def batches_of(rows):
    return batches(rows, bind([SPEC], rows, AS_DECLARED))


@pytest.fixture(scope="module")
def make(model, digits):
    made = {}

    def of(recipe, machine=VNNI):
        key = recipe, *machine["cpu_flags"], machine["architecture"]
        if key not in made:
            feeds = batches_of(digits.train)
            made[key] = quantize.make(model.read_bytes(), recipe, feeds=feeds, machine=machine)
        return made[key]

    return of


def scores(network: bytes, x):
    session = engine().InferenceSession(network, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": x})[0]


def operators(network: bytes):
    return {node.op_type for node in onnx.load_from_string(network).graph.node}


@pytest.mark.parametrize(
    "recipe", [PER_CHANNEL, PER_TENSOR, ENTROPY, PERCENTILE, DYNAMIC], ids=lambda recipe: recipe.name
)
def test_eight_bits_make_a_third_or_less_and_answer_nearly_the_same(make, recipe, model, digits):
    made = make(recipe)
    assert len(model.read_bytes()) >= 3 * len(made)
    before, after = (scores(network, digits.test.x).argmax(axis=1) for network in (model.read_bytes(), made))
    assert (before == after).mean() > 0.96


def test_static_variants_carry_the_ranges_in_the_graph_and_dynamic_ones_find_them_anew(make):
    assert {"QuantizeLinear", "DequantizeLinear"} < operators(make(PER_CHANNEL))
    assert {"DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"} < operators(make(DYNAMIC))


def test_a_scale_per_channel_is_as_long_as_there_are_channels(make):
    def longest(recipe):
        network = onnx.load_from_string(make(recipe))
        return max(
            max(tensor.dims, default=1) for tensor in network.graph.initializer if tensor.name.endswith("_scale")
        )

    assert (longest(PER_CHANNEL), longest(PER_TENSOR)) == (64, 1)


def test_our_own_making_equals_that_of_onnx_runtime_through_files(make, model, digits, tmp_path):
    """The oracle: `quant_pre_process` and `quantize_static`, which write files, on the same rows."""
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    feeds = batches_of(digits.train)

    class Reader(quantization.CalibrationDataReader):
        def get_next(self):
            return next(feeds, None)

    prepared, theirs = tmp_path / "prepared.onnx", tmp_path / "theirs.onnx"
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    quantization.quantize_static(
        str(prepared),
        str(theirs),
        Reader(),
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
    )
    ours = scores(make(PER_CHANNEL), digits.test.x)
    assert np.array_equal(ours, scores(theirs.read_bytes(), digits.test.x))


def test_graph_optimization_fuses_and_changes_no_answer(make, model, digits):
    made = make(GRAPH)
    assert "FusedConv" in operators(made)
    assert np.allclose(scores(made, digits.test.x), scores(model.read_bytes(), digits.test.x), atol=1e-4)


def test_half_precision_halves_the_file_and_keeps_its_inputs(make, model, digits):
    made = make(HALF)
    assert len(made) < 0.55 * len(model.read_bytes())
    assert np.allclose(scores(made, digits.test.x), scores(model.read_bytes(), digits.test.x), atol=0.05)


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (VNNI, False),
        ({"architecture": "x86_64", "cpu_flags": ["avx2"]}, True),
        ({"architecture": "aarch64", "cpu_flags": ["asimd"]}, False),
    ],
)
def test_weights_keep_to_seven_bits_where_products_overflow(make, machine, expected):
    assert quantize.wants_seven_bits(machine) is expected
    network = onnx.load_from_string(make(PER_TENSOR, machine))
    weights = [numpy_helper.to_array(each) for each in network.graph.initializer if each.data_type == TensorProto.INT8]
    most = max(int(np.abs(weight.astype(int)).max()) for weight in weights if weight.size > 1)
    assert most == (64 if expected else 127)


def test_nothing_to_quantize_is_said(tmp_path):
    network = builders.identity(tmp_path / "m.onnx", shape=["n", 4]).read_bytes()
    with pytest.raises(Invalid, match="no Conv, ConvTranspose, Gemm, MatMul or LSTM") as refused:
        quantize.make(network, DYNAMIC, feeds=(), machine=VNNI)
    assert refused.value.code == "nothing_to_quantize"


def test_what_is_quantized_is_not_quantized_again(make):
    with pytest.raises(Invalid, match=r"already quantized \(it has DequantizeLinear, QuantizeLinear\)"):
        quantize.make(make(PER_CHANNEL), DYNAMIC, feeds=(), machine=VNNI)


def test_an_old_opset_is_lifted_to_where_channels_have_scales(tmp_path):
    network = onnx.load(str(builders.classifier(tmp_path / "m.onnx")))
    del network.opset_import[:]
    network.opset_import.append(helper.make_opsetid("", 11))
    prepared = quantize.prepared(network.SerializeToString())
    assert {entry.domain: entry.version for entry in prepared.opset_import}[""] == 13


def unknown_to_the_plain_inference() -> bytes:
    """A MatMul behind an operator of ONNX Runtime's own, whose shape onnx itself does not know."""
    nodes = [
        helper.make_node("Gelu", ["x"], ["g"], domain="com.microsoft"),
        helper.make_node("MatMul", ["g", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(builders.WEIGHTS, "w")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def test_shapes_that_the_plain_inference_does_not_know_are_followed_symbolically():
    prepared = quantize.prepared(unknown_to_the_plain_inference())
    assert quantize.has_all_shapes(prepared)
    assert set(calibration.observable(prepared)) == {"x", "g", "y"}


def test_without_sympy_or_with_a_graph_it_cannot_follow_the_rest_is_still_made(monkeypatch):
    network = unknown_to_the_plain_inference()
    monkeypatch.setattr(quantize.importlib.util, "find_spec", lambda name: None)
    assert not quantize.has_all_shapes(quantize.prepared(network))
    monkeypatch.undo()
    from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference

    def lost(*_arguments):
        raise AssertionError("unknown")

    monkeypatch.setattr(SymbolicShapeInference, "infer_shapes", staticmethod(lost))
    assert not quantize.has_all_shapes(quantize.prepared(network))


def feeds_of(*batches_of_rows):
    return [{"x": np.array(rows, dtype=np.float32)} for rows in batches_of_rows]


def test_extremes_are_those_of_all_batches(tmp_path):
    network = quantize.prepared(builders.classifier(tmp_path / "m.onnx").read_bytes())
    feeds = feeds_of([[-3, 1, 2, 9]], [[0, 4, -1, 0], [1, 1, 1, -7]])
    found = calibration.ranges(network, feeds, method=CalibrationMethod.MIN_MAX)
    assert {name: found[name].range_value for name in found.keys()} == {"x": (-7, 9), "y": (-3, 4)}  # noqa: SIM118 -- iterating it yields values


@pytest.mark.parametrize("method", [CalibrationMethod.ENTROPY, CalibrationMethod.PERCENTILE])
def test_histograms_lie_within_the_extremes_and_say_nothing_on_standard_output(tmp_path, capsys, method):
    network = quantize.prepared(builders.classifier(tmp_path / "m.onnx").read_bytes())
    rng = np.random.default_rng(0)
    feeds = [{"x": rng.normal(size=(500, 4)).astype(np.float32)} for _ in range(4)]
    found = calibration.ranges(network, feeds, method=method)
    low, high = found["x"].range_value
    assert -5 < low < -2 < 2 < high < 5
    assert capsys.readouterr().out == ""
