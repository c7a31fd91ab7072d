"""Quantization: create a cheaper ONNX network from another one, in memory, without writing files.

It calls ONNX Runtime's own quantizer below its file-writing functions. Weights become signed and activations unsigned
8-bit numbers, for which its CPU kernels are fast.
"""

import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.loops.latency import Feed
from weighbridge.optimization.methods.calibration import onnxruntime_module, ranges
from weighbridge.optimization.recipes import Recipe, RecipeKind
from weighbridge.systems.onnx_runtime import engine

QUANTIZABLE = ("Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM")
SCALING = {"QuantizeLinear", "DynamicQuantizeLinear", "DequantizeLinear"}
QUANTIZED = SCALING | {"ConvInteger", "MatMulInteger", "QLinearConv"}
# The first opset in which QuantizeLinear supports scales per channel.
LEAST_OPSET = 13
EIGHT_BIT_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8"}


def make(model: bytes, recipe: Recipe, *, feeds: Iterable[Feed], machine: Mapping[str, Any]) -> bytes:
    """Return the variant of a serialized network, calibrated with `feeds`; raise Invalid if it cannot be quantized."""
    if recipe.kind is RecipeKind.GRAPH:
        return optimized(model, level="ORT_ENABLE_EXTENDED")
    if recipe.kind is RecipeKind.HALF:
        return _half(model)
    network = prepared(model)
    check_quantizable(network)
    if recipe.kind is RecipeKind.STATIC:
        return _static(network, recipe, feeds, reduce_range=wants_seven_bits(machine))
    return _dynamic(network, recipe, reduce_range=wants_seven_bits(machine))


def optimized(model: bytes, *, level: str) -> bytes:
    """Return the network as ONNX Runtime rewrites it at one of its levels: constants folded, operators fused."""
    runtime = engine()
    compiler = runtime.ModelCompiler(
        runtime.SessionOptions(), model, graph_optimization_level=getattr(runtime.GraphOptimizationLevel, level)
    )
    return bytes(compiler.compile_to_bytes())


def prepared(model: bytes) -> Any:
    """Return the network prepared for quantization like `quant_pre_process`: constants folded, all shapes inferred."""
    import onnx

    network = _modern(onnx.load_from_string(model))
    inferred = _inferred(onnx.load_from_string(optimized(network.SerializeToString(), level="ORT_ENABLE_BASIC")))
    return inferred if has_all_shapes(inferred) else _inferred(_followed(inferred))


def has_all_shapes(network: Any) -> bool:
    """Return whether all activations have a known type; without it, they would stay FP32."""
    known = {value.name for value in (*network.graph.value_info, *network.graph.output)}
    return all(name in known for node in network.graph.node for name in node.output if name)


def _inferred(network: Any) -> Any:
    """Infer shapes and mark them as inferred; otherwise the quantizer would infer them again through a file."""
    import onnx

    inferred = onnx.shape_inference.infer_shapes(network)
    onnxruntime_module("quantization.quant_utils").add_infer_metadata(inferred)
    return inferred


def _modern(network: Any) -> Any:
    import onnx

    opset = next((entry.version for entry in network.opset_import if entry.domain in ("", "ai.onnx")), LEAST_OPSET)
    return onnx.version_converter.convert_version(network, LEAST_OPSET) if opset < LEAST_OPSET else network


def _followed(network: Any) -> Any:
    """Infer shapes symbolically if sympy is installed; leave the graph unchanged if that fails."""
    if importlib.util.find_spec("sympy") is None:
        return network
    follower = onnxruntime_module("tools.symbolic_shape_infer").SymbolicShapeInference
    try:
        return follower.infer_shapes(network, 2**31 - 1, True, False, 0)
    except Exception:  # noqa: BLE001 -- it raises bare Exception and AssertionError for what it does not know
        return network


def check_quantizable(network: Any) -> None:
    """Raise Invalid unless the network has an operator with weights to quantize and is not quantized yet."""
    operators = {node.op_type for node in network.graph.node}
    done = sorted(operators & QUANTIZED)
    if done:
        text = f"The model is already quantized (it has {', '.join(done)}); use the original FP32 model."
        raise Invalid(text, code="already_quantized", field="model")
    if not operators & set(QUANTIZABLE):
        text = f"There is nothing to quantize: the model has no {', '.join(QUANTIZABLE[:-1])} or {QUANTIZABLE[-1]}."
        raise Invalid(text, code="nothing_to_quantize", field="model")


def wants_seven_bits(machine: Mapping[str, Any]) -> bool:
    """Return whether weights get only 7 bits: without 8-bit dot products, x86 adds two in 16 bits and overflows.

    See "When and why do I need to try reduce_range?" in ONNX Runtime's quantization guide.
    """
    return machine["architecture"] in ("x86_64", "AMD64") and not EIGHT_BIT_PRODUCTS & set(machine["cpu_flags"])


def _static(network: Any, recipe: Recipe, feeds: Iterable[Feed], *, reduce_range: bool) -> bytes:
    registry = onnxruntime_module("quantization.registry")
    operators = sorted({*registry.QDQRegistry, *registry.QLinearOpsRegistry})
    found = ranges(network, feeds, method=recipe.calibration)
    quantizer = onnxruntime_module("quantization.qdq_quantizer").QDQQuantizer(
        network, recipe.per_channel, reduce_range, *_types(), found, [], [], operators, {}
    )
    return _serialized(quantizer)


def _dynamic(network: Any, recipe: Recipe, *, reduce_range: bool) -> bytes:
    operators = sorted(onnxruntime_module("quantization.registry").IntegerOpsRegistry)
    mode = onnxruntime_module("quantization.quant_utils").QuantizationMode.IntegerOps
    options = {"MatMulConstBOnly": True}
    graph = onnxruntime_module("quantization.onnx_model").ONNXModel(network)
    graph.replace_gemm_with_matmul()
    network = _inferred(graph.model)
    # Static during construction: otherwise it would do these two steps itself, through a file.
    quantizer = onnxruntime_module("quantization.onnx_quantizer").ONNXQuantizer(
        network, recipe.per_channel, reduce_range, mode, True, *_types(), None, [], [], operators, options
    )
    quantizer.static = False
    return _serialized(quantizer)


def _types() -> tuple[Any, Any]:
    """Return ONNX Runtime's types for weights and for activations."""
    types = onnxruntime_module("quantization.quant_utils").QuantType
    return types.QInt8, types.QUInt8


def _serialized(quantizer: Any) -> bytes:
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    return bytes(quantizer.model.model.SerializeToString())


def _half(model: bytes) -> bytes:
    import onnx

    convert = onnxruntime_module("transformers.float16").convert_float_to_float16
    return bytes(convert(onnx.load_from_string(model), keep_io_types=True).SerializeToString())
