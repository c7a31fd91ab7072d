"""A target: the system that is measured, the data it is asked, and the seconds that a run may take."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.registry import registered
from weighbridge.systems.sandbox import bubblewrap, isolated, operators
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import Following, RunFailed

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """A system by name and options; `model` is the option of that name, for systems that are a file."""

    system: str = "onnx"
    model: Path | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    data: Path | None = None
    wall_s: float = 600.0
    is_trusted: bool = False

    def measure(self, settings: ProfileSettings, *, follow: Following, workdir: Path) -> dict[str, Any]:
        """Profile it, a file of data in the sandbox unless it is trusted; raise RunEnded and Invalid."""
        is_data_file, limits = registered(self.system).is_data_file, Limits(wall_s=self.wall_s)
        if is_data_file and self.model is None:
            raise Invalid("Name one thing to measure: a model file, or a system with its options.", field="model")
        if self.model is not None and is_data_file and not self.is_trusted:
            _check_provider(settings)
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
        model = {"model": str(self.model.resolve())} if self.model is not None else {}
        return isolated.run_unsandboxed(
            {"system": self.system, "options": {**self.options, **model}},
            settings=settings,
            data=self.data,
            limits=limits,
            workdir=workdir,
            follow=follow,
        )

    def operators(self, settings: ProfileSettings, *, follow: Following, workdir: Path) -> dict[str, Any]:
        """Return `operators` of an ONNX file, or None with the reason in `missing`; raise RunCanceled."""
        reason = "operators are timed of ONNX files alone."
        try:
            if self.model is not None and self.system == "onnx":
                found = operators.operators_isolated(
                    model=self.model,
                    settings=settings,
                    data=self.data,
                    limits=Limits(wall_s=self.wall_s),
                    workdir=workdir,
                    follow=follow,
                    is_trusted=self.is_trusted,
                )
                if found is not None:
                    return {"operators": found, "missing": []}
                reason = "the engine's profiler told of no operators."
        except RunFailed as failed:
            reason = failed.reason
        return {"operators": None, "missing": [{"metric": "operators", "message": reason}]}


def _check_provider(settings: ProfileSettings) -> None:
    if settings.engine.provider != "cpu":
        text = "Behind the fence there is no GPU. Add --trust to run this model without it, if you trust the model."
        raise Invalid(text, code="fence_hides_gpu", field="provider")
