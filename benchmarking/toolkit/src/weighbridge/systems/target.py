"""A target: the system under test, its data, and the time limit of a run."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.scenarios import ProfileSettings, RuntimeSettings
from weighbridge.systems.registry import find_system
from weighbridge.systems.sandbox import bubblewrap, isolated, operators
from weighbridge.systems.sandbox.isolated import check_reachable
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import CallbackTuple, RunFailed

TRUST_IT = "If you trust this model, add --trust to run it without the sandbox."
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """A system by name and options; `model` is the model file, for systems that need one."""

    system: str = "onnx"
    model: Path | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    data: Path | None = None
    wall_s: float = 600.0
    is_trusted: bool = False

    def measure(self, settings: ProfileSettings, *, follow: CallbackTuple, workdir: Path) -> dict[str, Any]:
        """Profile the system, model files in the sandbox unless trusted; raise RunIncomplete and Invalid."""
        registered, limits = find_system(self.system), Limits(wall_s=self.wall_s)
        is_data_file = registered.is_data_file
        if is_data_file and self.model is None:
            raise Invalid("Give one thing to measure: a model file, or a system with its options.", field="model")
        _check_provider(self.system, registered.providers, settings.engine.provider)
        _check_followed(self.system, registered.ignores, settings)
        if self.model is not None and is_data_file and not self.is_trusted:
            check_reachable(settings.engine, advice=TRUST_IT)
            return isolated.run_sandboxed(
                bubblewrap.layers_here(),
                model=self.model,
                system={"system": self.system, "options": self.options},
                settings=settings,
                data=self.data,
                limits=limits,
                workdir=workdir,
                follow=follow,
            )
        model = {} if self.model is None else {"model": str(self.model.resolve())}
        target = {"system": self.system, "options": {**self.options, **model}}
        return isolated.run_unsandboxed(
            target, settings=settings, data=self.data, limits=limits, workdir=workdir, follow=follow
        )

    def operators(self, settings: ProfileSettings, *, follow: CallbackTuple, workdir: Path) -> dict[str, Any]:
        """Return the operator timings of an ONNX file, or None with a reason in `missing`; raise RunCanceled."""
        reason = "operators are timed only for ONNX files."
        try:
            if self.model is not None and self.system == "onnx":
                timings = operators.operators_isolated(
                    model=self.model,
                    settings=settings,
                    data=self.data,
                    limits=Limits(wall_s=self.wall_s),
                    workdir=workdir,
                    follow=follow,
                    is_trusted=self.is_trusted,
                )
                if timings is not None:
                    return {"operators": timings, "missing": []}
                reason = "the profiler reported no operators."
        except RunFailed as failed:
            reason = failed.reason
        return {"operators": None, "missing": [{"metric": "operators", "message": reason}]}


def _check_provider(system: str, providers: Sequence[str], provider: str) -> None:
    """Raise Invalid for a provider that the system would not use: its figures would be those of another one."""
    if provider not in providers:
        text = f"The system {system} cannot run with the provider {provider}, only with {', '.join(providers)}."
        raise Invalid(text, code="provider_unused", field="provider")


def _check_followed(system: str, ignores: Sequence[str], settings: ProfileSettings) -> None:
    """Raise Invalid for a setting that the system would not follow: the manifest would state what was not so."""
    engine, threads = settings.engine, settings.scenario.threads
    stated = {
        "threads": threads != 1,
        "optimization": engine.optimization != RuntimeSettings().optimization,
        "inter_op_threads": engine.inter_op_threads != RuntimeSettings().inter_op_threads,
    }
    for name in ignores:
        if stated[name]:
            option = f"--{name.replace('_', '-')}"
            why = "it runs on threads of its own" if name == "threads" else "it is a setting of ONNX Runtime"
            text = f"The system {system} does not follow {option}: {why}. Leave it out."
            raise Invalid(text, code="setting_unused", field=name)
