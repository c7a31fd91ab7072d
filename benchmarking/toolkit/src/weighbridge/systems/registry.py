"""The registry of systems under test: what a system has to offer, and how one is found by its name.

A system is a class in a module of its own, in this package or anywhere else:

    @register("sleeper")
    class Sleeper:
        def __init__(self, options: Mapping[str, Any], settings: ProfileSettings) -> None: ...

One of this package is called by its name, one of another module as `package.module:name`. Options are JSON's own types:
the system is made in a child process, which is told them.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from weighbridge import systems
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings


class LoadedSystem(Protocol):
    """A system that is loaded and answers."""

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """What it takes."""
        ...

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Run it once and return all outputs."""
        ...

    def first_output(self, feed: Feed) -> NDArray[Any]:
        """Run it once and return the first output."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return the engine's part of the manifest."""
        ...


class SystemUnderTest(Protocol):
    """What is measured, before it is loaded; a constructor raises Invalid for what cannot be measured."""

    @property
    def model(self) -> Mapping[str, Any]:
        """Its part of the manifest; `digest` is that of its file or code, or None."""
        ...

    @property
    def sizes(self) -> Mapping[str, Mapping[str, Any]]:
        """The metric values that need no run, such as `model_size_mb`."""
        ...

    @property
    def missing(self) -> Sequence[Mapping[str, str]]:
        """The metrics that it cannot have, each with `metric` and the reason as `message`."""
        ...

    @property
    def is_here(self) -> bool:
        """Whether it runs in this process, so that this process's memory is its own."""
        ...

    def ready(self) -> object:
        """Import its engine, which a service pays for once; not timed."""
        ...

    def load(self) -> LoadedSystem:
        """Load it; timed."""
        ...


MakeSystem = Callable[[Mapping[str, Any], ProfileSettings], SystemUnderTest]
AnySystem = TypeVar("AnySystem", bound=MakeSystem)


@dataclasses.dataclass(frozen=True)
class Registered:
    """A registered system; a file that holds nothing but data, named by the option `model`, is measured in a sandbox.

    Everything else runs the code of whoever asks, outside of every sandbox.
    """

    make: MakeSystem
    is_data_file: bool


_REGISTERED: dict[str, Registered] = {}


def register(name: str, *, is_data_file: bool = False) -> Callable[[AnySystem], AnySystem]:
    """Return a decorator that registers a class, or a function, which makes a system of its options and settings."""

    def keep(make: AnySystem) -> AnySystem:
        _REGISTERED[name] = Registered(make, is_data_file)
        return make

    return keep


def registered(name: str) -> Registered:
    """Return the system called `name`, or `package.module:name`; raise Invalid where there is none.

    The second form imports that module, and so runs its code.
    """
    module, _, own_name = name.rpartition(":")
    if module:
        _import(module)
    else:
        for found in pkgutil.iter_modules(systems.__path__, f"{systems.__name__}."):
            importlib.import_module(found.name)
    if own_name not in _REGISTERED:
        text = f"There is no system {name!r}; there are {', '.join(sorted(_REGISTERED))}, or package.module:name."
        raise Invalid(text, code="no_system", field="system")
    return _REGISTERED[own_name]


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except Exception as error:
        # Whatever the person's own code raises while it is imported is theirs to read.
        text = f"{module} cannot be imported: {type(error).__name__}: {error}."
        raise Invalid(text, code="module_missing", field="system") from error


def system_of(job: Mapping[str, Any], settings: ProfileSettings) -> SystemUnderTest:
    """Make the system that a job names: `{"system": name, "options": {...}}`; raise Invalid."""
    return registered(job["system"]).make(job["options"], settings)
