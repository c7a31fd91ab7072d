"""Calibration: the range of each activation of a network, observed while it answers rows.

ONNX Runtime's own calibrators first write the network to a file, which the sandbox forbids; here it stays in memory,
one batch at a time. Histograms and their thresholds are ONNX Runtime's (`quantization/calibrate.py`).
"""

import contextlib
import importlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

from weighbridge.measure.loops.latency import Feed
from weighbridge.optimization.recipes import CalibrationMethod
from weighbridge.systems.onnx_runtime import FATAL, engine

# ONNX Runtime's defaults (`create_calibrator`), except that ranges need not be symmetric around zero.
HISTOGRAM = {"num_quantized_bins": 128, "percentile": 99.999, "symmetric": False, "scenario": "same"}
BINS = {CalibrationMethod.ENTROPY: 128, CalibrationMethod.PERCENTILE: 2_048}


def ranges(model: Any, feeds: Iterable[Feed], *, method: CalibrationMethod) -> Any:
    """Return ONNX Runtime's `TensorsData` for an `onnx.ModelProto` with inferred shapes, over all `feeds`."""
    parts = onnxruntime_module("quantization.calibrate")
    names = observable(model)
    session = _exposed(model, names)
    seen = (dict(zip(names, session.run(names, feed), strict=True)) for feed in feeds)
    data = _extremes(seen) if method is CalibrationMethod.MIN_MAX else _thresholds(seen, method)
    return parts.TensorsData(parts.CalibrationMethod[method.value], data)


def onnxruntime_module(name: str) -> Any:
    """Import a module of ONNX Runtime by its name below the package, with telemetry disabled."""
    engine()
    return importlib.import_module(f"onnxruntime.{name}")


def observable(model: Any) -> list[str]:
    """Return the names of all FP32 activations, including the inputs."""
    from onnx import TensorProto

    constants = {tensor.name for tensor in model.graph.initializer}
    values = [*model.graph.input, *model.graph.value_info, *model.graph.output]
    named = {value.name: value.type.tensor_type.elem_type for value in values if value.name not in constants}
    return [name for name, kind in named.items() if kind == TensorProto.FLOAT]


def _exposed(model: Any, names: Sequence[str]) -> Any:
    """Open a session that returns all these activations."""
    import onnx

    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    outputs = {value.name for value in exposed.graph.output}
    values = {value.name: value for value in (*exposed.graph.input, *exposed.graph.value_info)}
    exposed.graph.output.extend(values[name] for name in names if name not in outputs)
    return exact_session(exposed)


def exact_session(network: Any, *, threads: int = 0) -> Any:
    """Open a session that runs an `onnx.ModelProto` as it is, on as many threads as possible by default."""
    runtime = engine()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = FATAL
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return runtime.InferenceSession(network.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _extremes(seen: Iterable[dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for values in seen:
        for name, value in values.items():
            low, high = found.get(name, (value.min(), value.max()))
            found[name] = min(low, value.min()), max(high, value.max())
    return found


def _thresholds(seen: Iterable[dict[str, Any]], method: CalibrationMethod) -> dict[str, Any]:
    collector = onnxruntime_module("quantization.calibrate").HistogramCollector(
        method=method.value.lower(), num_bins=BINS[method], **HISTOGRAM
    )
    # It prints to standard output, which a child process uses to report progress.
    with contextlib.redirect_stdout(io.StringIO()):
        for values in seen:
            collector.collect(values)
        thresholds: dict[str, Any] = collector.compute_collection_result()
    return thresholds
