"""ONNX Runtime with telemetry off, on the CPU or with the CUDA, TensorRT and OpenVINO providers if installed."""

import os
from collections import Counter
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
SUFFIX = "ExecutionProvider"
# The distribution of ONNX Runtime with each provider, and the providers that run what it does not.
DISTRIBUTIONS = {"cuda": "onnxruntime-gpu", "tensorrt": "onnxruntime-gpu", "openvino": "onnxruntime-openvino"}
OTHERS = {"cpu": (), "cuda": ("cpu",), "tensorrt": ("cuda", "cpu"), "openvino": ("cpu",)}
RECORD_NODES = "session.record_ep_graph_assignment_info"
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
            **({} if self._settings.provider == "cpu" else self._describe_provider(options.intra_op_num_threads)),
        }

    def _describe_provider(self, threads: int) -> dict[str, Any]:
        """Return the options of the provider, with the defaults that it tells, and who runs how many nodes."""
        told = self._session.get_provider_options().get(PROVIDERS[self._settings.provider], {})
        options = {**_provider_options(self._settings, threads), **told}
        return {"version": engine().__version__, "provider_options": options, "nodes": nodes_by_provider(self._session)}


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
    if settings.provider != "cpu":
        options.add_session_config_entry(RECORD_NODES, "1")
    return options


def open_session(path: Path, options: Any, settings: RuntimeSettings = ON_CPU) -> Any:
    """Load a model into a session of the requested provider; raise Invalid if it fails or uses another provider.

    By default, ONNX Runtime changes to another provider after a failure, even in the middle of a run; here it does not.
    What TensorRT cannot run, CUDA runs on the same card.
    """
    runtime = engine()
    provider = PROVIDERS[settings.provider]
    if provider not in runtime.get_available_providers():
        installed = ", ".join(name.removesuffix(SUFFIX) for name in runtime.get_available_providers())
        text = (
            f"The ONNX Runtime installed here has no provider {settings.provider} (installed: {installed}); install "
            f"{DISTRIBUTIONS[settings.provider]} in its place, or omit --provider."
        )
        raise Invalid(text, code="provider_missing", field="provider")
    card = {} if settings.card is None else {"device_id": str(settings.card)}
    others = [(PROVIDERS[name], card if name == "cuda" else {}) for name in OTHERS[settings.provider]]
    providers = [(provider, _provider_options(settings, options.intra_op_num_threads)), *others]
    try:
        session = runtime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
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
    nodes = nodes_by_provider(session)
    if nodes and provider.removesuffix(SUFFIX) not in nodes:
        text = f"The provider {settings.provider} runs no operator of {path.name}; all of them run on the processor."
        raise Invalid(text, code="provider_unused", field="provider")
    return session


def _provider_options(settings: RuntimeSettings, threads: int) -> dict[str, str]:
    """Return the options of the provider as stated, for OpenVINO with the device and the threads that are asked for.

    OpenVINO does not look at the threads of the session; without its own option, it takes eight.
    """
    if settings.provider != "openvino":
        return dict(settings.options)
    on_processor = {"num_of_threads": str(threads)} if settings.device == "CPU" else {}
    return {"device_type": settings.device, **on_processor, **settings.options}


def nodes_by_provider(session: Any) -> dict[str, int] | None:
    """Return how many nodes of the graph each provider runs; None before ONNX Runtime 1.24, and for the CPU alone."""
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return None
    if session.get_providers() == [PROVIDERS["cpu"]]:
        return None
    counts: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        counts[part.ep_name.removesuffix(SUFFIX)] += len(part.get_nodes())
    return dict(sorted(counts.items()))


def engine() -> Any:
    """Import ONNX Runtime with telemetry off; the first call costs the time of the import."""
    # The library reads this when it is loaded, so it must be set before, in every process.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
