"""The registry of systems under test: their interface, and lookup by name.

A system is a class in a module of its own, in this package or anywhere else:

    @register("sleeper")
    class Sleeper:
        def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None: ...

Systems of this package have a plain name, systems of other modules are `package.module:name`. Options must be JSON
types, because the system is created in a child process.
"""

import dataclasses
import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType, ModuleType
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files import formats
from weighbridge.core.model_files.formats import ArtifactFormat
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Metric values that need no run, such as `model_size_mb`, and the reason for each that is not available."""

    metrics: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    missing: Mapping[str, str] = dataclasses.field(default_factory=dict)


class LoadedSystem(Protocol):
    """A loaded system that answers queries."""

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """The declared inputs."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, in the order of `infer`; known at the latest after its first call."""

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Run once and return all outputs."""

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""


class SystemUnderTest(Protocol):
    """A system before it is loaded; the constructor raises Invalid if it cannot be measured."""

    @property
    def model(self) -> Mapping[str, Any]:
        """The model part of the manifest; `digest` is of its file or code, or None."""

    @property
    def is_here(self) -> bool:
        """Whether it runs in this process, so that the memory of this process can be measured."""

    def ready(self) -> object:
        """Import the engine, which a service does once; not timed."""

    def load(self) -> LoadedSystem:
        """Load the system; timed."""

    def sizes(self, shapes: Mapping[str, Sequence[int]] | None) -> Sizes:
        """Return what needs no run, for queries of these shapes by input; None if there is no single shape."""


MakeSystem = Callable[[Mapping[str, Any], ProfileSettings], SystemUnderTest]
AnySystem = TypeVar("AnySystem", bound=MakeSystem)


@dataclasses.dataclass(frozen=True)
class Registered:
    """A registered system; `is_data_file` marks systems that load a data-only file, the option `model`, in the sandbox.

    All other systems run code of the user, without a sandbox. `providers` are those that the system can run with, and
    `ignores` the settings that decide nothing for it. A system that `reads_data` gets the file of the data set as its
    option `data`, because it takes its inputs from the rows.
    """

    make: MakeSystem
    is_data_file: bool
    providers: tuple[str, ...]
    ignores: tuple[str, ...]
    reads_data: bool


_REGISTERED: dict[str, Registered] = {}
# Settings of ONNX Runtime alone, and those of systems that run elsewhere, on threads of their own.
OF_ONNX_RUNTIME = ("optimization", "inter_op_threads")
OF_THIS_PROCESS = ("threads", *OF_ONNX_RUNTIME)
# The systems of this package, and the suffixes of their files. Each module is imported only if it is used.
MODULES: Mapping[str, str] = MappingProxyType(
    {
        "onnx": "onnx_file",
        "sklearn": "files.sklearn_file",
        "xgboost": "files.xgboost_file",
        "lightgbm": "files.lightgbm_file",
        "torch": "torch_module",
        "torch-program": "torch_module",
        "http": "endpoint",
        "http-json": "external.http_json",
        "grpc": "external.grpc_endpoint",
        "command": "external.command",
    }
)
_OF_FORMATS = {
    ArtifactFormat.SKOPS: "sklearn",
    ArtifactFormat.XGBOOST: "xgboost",
    ArtifactFormat.LIGHTGBM: "lightgbm",
}
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {suffix: _OF_FORMATS[kind] for suffix, kind in formats.SUFFIXES.items() if kind in _OF_FORMATS}
    | dict.fromkeys((".pt2", ".jit", ".torchscript"), "torch-program")
)


def register(
    name: str,
    *,
    is_data_file: bool = False,
    providers: tuple[str, ...] = ("cpu",),
    ignores: tuple[str, ...] = (),
    reads_data: bool = False,
) -> Callable[[AnySystem], AnySystem]:
    """Return a decorator that registers a class or function that creates a system from options and settings.

    A system that follows `settings.engine.provider` states its `providers`; others are never asked for one. Settings
    that it `ignores` are refused. `reads_data` is that of `Registered`.
    """

    def add(make: AnySystem) -> AnySystem:
        _REGISTERED[name] = Registered(make, is_data_file, providers, ignores, reads_data)
        return make

    return add


def find_system(name: str) -> Registered:
    """Return the system `name`, or `package.module:name`, whose code it runs; raise Invalid if there is none."""
    module, _, own_name = name.rpartition(":")
    if module:
        import_named(module, field="system")
    elif own_name in MODULES:
        importlib.import_module(f"weighbridge.systems.{MODULES[own_name]}")
    if own_name not in _REGISTERED:
        text = f"There is no system {name!r}; use {', '.join(sorted(MODULES))} or package.module:name."
        raise Invalid(text, code="no_system", field="system")
    return _REGISTERED[own_name]


def system_for(model: PurePath) -> str:
    """Return the system of a model file by its suffix; files of ONNX have any other."""
    return SUFFIXES.get(model.suffix.lower(), "onnx")


def require_onnx(models: Iterable[PurePath], command: str) -> None:
    """Raise Invalid unless a command that works on ONNX files alone has only such files, by their suffixes."""
    for model in models:
        if system_for(model) != "onnx":
            text = (
                f"{model.name} is not an ONNX file, and `weighbridge {command}` works on ONNX files alone. Measure it "
                "with `weighbridge profile`; `weighbridge pareto` and `weighbridge recommend` set results side by side."
            )
            raise Invalid(text, code="model_form", field="model")


def import_named(module: str, *, field: str) -> ModuleType:
    """Import a module that the user named, which runs its code; raise Invalid if that fails."""
    try:
        return importlib.import_module(module)
    except Exception as error:
        # The code of the user may raise anything while it is imported.
        text = f"{module} cannot be imported: {type(error).__name__}: {error}."
        raise Invalid(text, code="module_missing", field=field) from error


def system_of(job: Mapping[str, Any], settings: ProfileSettings) -> SystemUnderTest:
    """Create the system of a job: `{"system": name, "options": {...}, "data": file or None}`; raise Invalid."""
    registered, data = find_system(job["system"]), job.get("data")
    options = {**job["options"], "data": data} if registered.reads_data and data else job["options"]
    return registered.make(options, settings)
