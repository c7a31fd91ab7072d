"""ONNX Runtime with telemetry off, on the CPU or with the CUDA and TensorRT providers if installed."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.spec import TEXT, InputSpec
from weighbridge.measure.scenarios import PROVIDERS, RuntimeSettings

# Log only fatal errors: other errors are raised, and more output would fill the log of the child.
FATAL = 4
ON_CPU = RuntimeSettings()
NUMPY_TYPES = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    "tensor(string)": TEXT,
    **{f"tensor({kind}{bits})": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
}


class OnnxRuntimeRunner:
    """A loaded model that runs one query at a time on a fixed number of threads."""

    def __init__(self, path: Path, *, threads: int, settings: RuntimeSettings = ON_CPU) -> None:
        """Load the model; raise Invalid if ONNX Runtime rejects it or does not have the provider."""
        self._settings = settings
        self._session = open_session(path, session_options(threads, settings), settings)
        self._run = self._session.run

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """The declared inputs of the model."""
        return tuple(
            InputSpec(entry.name, NUMPY_TYPES.get(entry.type, entry.type), tuple(entry.shape))
            for entry in self._session.get_inputs()
        )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(entry.name for entry in self._session.get_outputs())

    def infer(self, feed: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """Run the model once and return all its outputs."""
        outputs: Sequence[NDArray[Any]] = self._run(None, feed)
        return outputs

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""
        options = self._session.get_session_options()
        return {
            "engine": "onnxruntime",
            "providers": self._session.get_providers(),
            "intra_op_threads": options.intra_op_num_threads,
            "inter_op_threads": options.inter_op_num_threads,
            "graph_optimization": self._settings.optimization,
            "execution": "sequential" if options.inter_op_num_threads == 1 else "parallel",
        }


def session_options(threads: int, settings: RuntimeSettings = ON_CPU) -> Any:
    """Return session options; with several inter-op threads, branches of a graph run in parallel."""
    runtime = engine()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = settings.inter_op_threads
    modes, is_sequential = runtime.ExecutionMode, settings.inter_op_threads == 1
    options.execution_mode = modes.ORT_SEQUENTIAL if is_sequential else modes.ORT_PARALLEL
    levels = runtime.GraphOptimizationLevel
    options.graph_optimization_level = {
        "none": levels.ORT_DISABLE_ALL,
        "basic": levels.ORT_ENABLE_BASIC,
        "extended": levels.ORT_ENABLE_EXTENDED,
        "all": levels.ORT_ENABLE_ALL,
    }[settings.optimization]
    options.log_severity_level = FATAL
    return options


def open_session(path: Path, options: Any, settings: RuntimeSettings = ON_CPU) -> Any:
    """Load a model into a session of the requested provider; raise Invalid if it fails or uses another provider."""
    runtime = engine()
    provider = PROVIDERS[settings.provider]
    if provider not in runtime.get_available_providers():
        installed = ", ".join(name.removesuffix("ExecutionProvider") for name in runtime.get_available_providers())
        text = (
            f"The ONNX Runtime installed here has no provider {settings.provider} (installed: {installed}); install "
            "onnxruntime-gpu, or omit --provider."
        )
        raise Invalid(text, code="provider_missing", field="provider")
    others = {"cpu": [], "cuda": ["cpu"], "tensorrt": ["cuda", "cpu"]}[settings.provider]
    providers = [(provider, dict(settings.options)), *(PROVIDERS[name] for name in others)]
    try:
        session = runtime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:
        # The exceptions of ONNX Runtime have no common base class.
        text = f"ONNX Runtime cannot load {path.name}: {error}"
        raise Invalid(text, code="model_refused", field="model") from error
    if session.get_providers()[0] != provider:
        text = (
            f"ONNX Runtime cannot use its provider {settings.provider} on this machine; its driver or libraries are "
            "missing."
        )
        raise Invalid(text, code="provider_missing", field="provider")
    return session


def engine() -> Any:
    """Import ONNX Runtime with telemetry off; the first call costs the time of the import."""
    # The library reads this when it is loaded, so it must be set before, in every process.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
