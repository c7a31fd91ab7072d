"""ONNX Runtime on the processor, with telemetry off."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from benchmarking.toolkit.measure.inputs import InputSpec
from governance.domain.refusals import Invalid

# Fatal errors alone: what goes wrong is raised, and the rest would fill the child's log.
FATAL = 4
NUMPY_TYPES = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    **{f"tensor({kind}{bits})": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
}


class OnnxRuntimeRunner:
    """A loaded model: asks ONNX Runtime one query at a time, sequentially, on a fixed number of threads."""

    def __init__(self, path: Path, *, threads: int) -> None:
        """Load the model with all graph optimisations; raise Invalid when ONNX Runtime refuses it."""
        runtime = engine()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = FATAL
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            # ONNX Runtime's exception classes share no base but Exception.
            text = f"ONNX Runtime cannot load {path.name}: {error}"
            raise Invalid(text, code="model_refused", field="model") from error
        self._run = self._session.run
        self._only_first = [self._session.get_outputs()[0].name]

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """Return what the model declares to take."""
        return tuple(
            InputSpec(entry.name, NUMPY_TYPES.get(entry.type, entry.type), tuple(entry.shape))
            for entry in self._session.get_inputs()
        )

    def infer(self, feed: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """Run the model once and return all its outputs."""
        outputs: Sequence[NDArray[Any]] = self._run(None, feed)
        return outputs

    def first_output(self, feed: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Run the model once and return its first output alone."""
        output: NDArray[Any] = self._run(self._only_first, feed)[0]
        return output

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""
        options = self._session.get_session_options()
        return {
            "engine": "onnxruntime",
            "providers": self._session.get_providers(),
            "intra_op_threads": options.intra_op_num_threads,
            "inter_op_threads": options.inter_op_num_threads,
            "graph_optimisation": "all",
            "execution": "sequential",
        }


def engine() -> Any:
    """Import ONNX Runtime with telemetry off; the first call costs the time of the import."""
    # Read by the library when it is loaded; it must be set before, in every process.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
