"""Subjects: what a profile is taken of, as far as the profile has to know: how it is loaded, and what is said of it
unrun.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from weighbridge.measure import metrics
from weighbridge.measure.conditions.flops import Flops, count_flops
from weighbridge.measure.conditions.model_file import read_model
from weighbridge.measure.inputs import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner, engine


class Loaded(Protocol):
    """A loaded model."""

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """What is measured: its part of the manifest, its figures that need no run, how its engine is readied and it is
    loaded.

    `is_here` tells whether it runs in this process, so that this process's memory is its own.
    """

    model: Mapping[str, Any]
    sizes: Mapping[str, Mapping[str, Any]]
    missing: Sequence[Mapping[str, str]] = ()
    ready: Callable[[], object]
    load: Callable[[], Loaded]
    is_here: bool = True


def subject_of(job: Mapping[str, Any], settings: ProfileSettings) -> Subject:
    """Return what a job names: the PyTorch module `torch`, the endpoint `url`, or the ONNX file `model`."""
    if job.get("torch"):
        from weighbridge.systems.torch_module import torch_subject

        return torch_subject(job["torch"], settings)
    if job.get("url"):
        from weighbridge.systems.endpoint import endpoint_subject

        return endpoint_subject(job["url"])
    return onnx_subject(Path(job["model"]), settings)


def onnx_subject(path: Path, settings: ProfileSettings) -> Subject:
    """Read an ONNX file without running it; raise Invalid for what cannot be measured."""
    file = read_model(path)
    flops = count_flops(path)
    sizes = {
        "model_size_mb": metrics.single(file.size_mb, "MB"),
        "parameters": metrics.single(file.parameters, "1"),
        **({} if flops.uncounted else {"flops": metrics.single(flops.total, "FLOP")}),
    }
    return Subject(
        model={"digest": file.digest, "opsets": file.opsets, "operators": file.operators},
        sizes=sizes,
        missing=_missing_flops(flops),
        ready=engine,
        load=lambda: OnnxRuntimeRunner(path, threads=settings.scenario.threads, settings=settings.engine),
    )


def _missing_flops(flops: Flops) -> list[dict[str, str]]:
    if not flops.uncounted:
        return []
    names = ", ".join(f"{name} {count}" for name, count in sorted(flops.uncounted.items()))
    return [{"metric": "flops", "message": f"flops are not totalled: some operators could not be counted ({names})."}]
