"""Isolated profiles: measure a system in a child process, with all sandbox layers that work on this machine."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.external_weights import weight_files
from weighbridge.measure.scenarios import ProfileSettings, RuntimeSettings
from weighbridge.measure.stopping import Progress
from weighbridge.systems.registry import find_system
from weighbridge.systems.sandbox.bubblewrap import NO_LAYERS, Layers, layers_here, uses_bubblewrap
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import ExpectedRun, exit_failure, partial_of, read_outcome
from weighbridge.systems.sandbox.process import CallbackTuple, RunFailed, RunIncomplete, run_child

NO_WALL = (
    "Not measured: bubblewrap is missing or does not work on the machine of this worker, and this model may run only "
    "inside it. Install bubblewrap there and allow it to create user namespaces."
)
WEAKER_SANDBOX = (
    "Not repeated: the first run used bubblewrap, which is missing or does not work on this machine, and a rerun must "
    "not use a weaker sandbox. Install bubblewrap here, or measure again."
)
ONNX: Mapping[str, Any] = MappingProxyType({"system": "onnx", "options": {}})


def require_bubblewrap(*, needs_wall: bool) -> None:
    """Raise RunFailed with code `no_wall` if bubblewrap is required and does not work here."""
    if needs_wall and layers_here().bubblewrap is None:
        raise RunFailed(NO_WALL, code="no_wall")


def check_same_isolation(first: Mapping[str, Any]) -> None:
    """Raise RunFailed with code `fewer_walls` if the run `first` used bubblewrap, which does not work here."""
    if uses_bubblewrap(first["manifest"].get("isolation")) and layers_here().bubblewrap is None:
        raise RunFailed(WEAKER_SANDBOX, code="fewer_walls")


def check_reachable(engine: RuntimeSettings, *, advice: str) -> None:
    """Raise Invalid, with `advice`, for a device that the sandbox hides.

    These are cards, and all that OpenVINO uses but the processor: bubblewrap and Landlock hide their device files, and
    CUDA needs more address space than the limits allow.
    """
    if engine.card is not None or (engine.provider == "openvino" and engine.device != "CPU"):
        raise Invalid(f"The sandbox has no access to GPUs. {advice}", code="fence_hides_gpu", field="provider")


def run_isolated(  # noqa: PLR0913 -- each is one decision of the caller
    *,
    model: Path,
    settings: ProfileSettings,
    data: Path | None,
    limits: Limits,
    on_progress: Progress,
    should_stop: Callable[[], bool],
    workdir: Path,
    system: str = "onnx",
    needs_wall: bool = False,
) -> dict[str, Any]:
    """Profile `model` in a child process and return its `weighbridge.result/1` mapping.

    `system` is the registered system that loads the file; it must be one of files that hold data only.

    `on_progress(share, doing)` and `should_stop()` are called at least once a second. Writes only to `workdir`.
    Raises RunFailed (bad input, crash, memory, deadline; `code` distinguishes them) and RunCanceled; exceptions of
    the callbacks pass through. The child and all its descendants are terminated in every case. `manifest.isolation` of
    the result describes the layers. With `needs_wall`, raises RunFailed if bubblewrap does not work.
    """
    check_reachable(settings.engine, advice="This model may run only inside it, so it is measured on a processor.")
    if not find_system(system).is_data_file:
        raise Invalid(f"The system {system} runs code, not a file of data.", code="not_a_data_file", field="system")
    require_bubblewrap(needs_wall=needs_wall)
    return run_sandboxed(
        layers_here(),
        model=model,
        system={"system": system, "options": {}},
        settings=settings,
        data=data,
        limits=limits,
        workdir=workdir,
        follow=(on_progress, should_stop),
    )


def run_sandboxed(
    layers: Layers,
    *,
    model: Path,
    system: Mapping[str, Any] = ONNX,
    settings: ProfileSettings,
    data: Path | None,
    limits: Limits,
    workdir: Path,
    follow: CallbackTuple,
) -> dict[str, Any]:
    """Profile like `run_isolated`, with the given layers; `follow` is the two callbacks, or a `RunCallbacks`.

    With a `RunCallbacks` that gives time to wrap up, what a run that did not come to its end had measured is the
    exception's `partial`.
    """
    model = model.resolve()
    target = {"system": system["system"], "options": {**system["options"], "model": str(model)}}
    return _run(layers, target, model, settings=settings, data=data, limits=limits, workdir=workdir, follow=follow)


def run_unsandboxed(
    target: Mapping[str, Any],
    *,
    settings: ProfileSettings,
    data: Path | None,
    limits: Limits,
    workdir: Path,
    follow: CallbackTuple,
) -> dict[str, Any]:
    """Profile the system that `target` names (see `registry.system_of`) in a child process without a sandbox.

    Only for code that the user trusts. Of the limits, only the elapsed time applies. Raises like `run_sandboxed`.
    """
    return _run(NO_LAYERS, target, None, settings=settings, data=data, limits=limits, workdir=workdir, follow=follow)


def _run(
    layers: Layers,
    target: Mapping[str, Any],
    model: Path | None,
    *,
    settings: ProfileSettings,
    data: Path | None,
    limits: Limits,
    workdir: Path,
    follow: CallbackTuple,
) -> dict[str, Any]:
    """Profile the target in a child process; only the result of a `model` file is checked against what was asked."""
    data, begun_at = data.resolve() if data is not None else None, datetime.fromtimestamp(time.time(), UTC)

    def expected(seals: Sequence[str]) -> ExpectedRun | None:
        if model is None:
            return None
        ended_at = datetime.fromtimestamp(time.time(), UTC)
        asked, isolation = to_document(settings), layers.describe(seals)
        return ExpectedRun(
            model=model, data=data, settings=asked, isolation=isolation, begun_at=begun_at, ended_at=ended_at
        )

    beside = weight_files(model) if model is not None else ()
    reads = [path for path in (model, data, *beside) if path is not None]
    threads = settings.scenario.threads
    job = {
        **target,
        "task": "weighbridge.systems.sandbox.tasks:profile",
        "where": "while it was measured",
        "data": str(data) if data is not None else None,
        "settings": to_document(settings),
    }
    try:
        output = run_child(
            job=job, reads=reads, layers=layers, limits=limits, threads=threads, workdir=workdir, follow=follow
        )
    except RunIncomplete as ended:
        if ended.output is not None and ended.output.seals is not None:
            ended.partial = partial_of(ended.output, expected=expected(ended.output.seals))
        raise
    if output.seals is None:
        raise exit_failure(output, limits=limits)
    return read_outcome(output, expected=expected(output.seals), limits=limits)
