"""Isolated profiles: measure a system in a child process, with all sandbox layers that work on this machine."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from weighbridge.core.converter import to_document
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.sandbox.bubblewrap import Layers, layers_here, no_layers, uses_bubblewrap
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import ExpectedRun, exit_failure, partial_of, read_outcome
from weighbridge.systems.sandbox.process import (
    CallbackTuple,
    RunCallbacks,
    RunCanceled,
    RunFailed,
    RunIncomplete,
    run_child,
)

__all__ = [
    "Layers",
    "Limits",
    "ProfileSettings",
    "RunCallbacks",
    "RunCanceled",
    "RunFailed",
    "RunIncomplete",
    "run_isolated",
]

NO_WALL = (
    "Not measured: bubblewrap is missing or does not work on the machine of this worker, and this model may run only "
    "inside it. Install bubblewrap there and allow it to create user namespaces."
)
WEAKER_SANDBOX = (
    "Not repeated: the first run used bubblewrap, which is missing or does not work on this machine, and a rerun must "
    "not use a weaker sandbox. Install bubblewrap here, or measure again."
)
ONNX: Mapping[str, Any] = MappingProxyType({"system": "onnx", "options": {}})
CHILD = ("-m", "weighbridge.systems.sandbox.child")


def require_bubblewrap(*, needs_wall: bool) -> None:
    """Raise RunFailed with code `no_wall` if bubblewrap is required and does not work here."""
    if needs_wall and layers_here().bubblewrap is None:
        raise RunFailed(NO_WALL, code="no_wall")


def check_same_isolation(first: Mapping[str, Any]) -> None:
    """Raise RunFailed with code `fewer_walls` if the run `first` used bubblewrap, which does not work here."""
    if uses_bubblewrap(first["manifest"].get("isolation")) and layers_here().bubblewrap is None:
        raise RunFailed(WEAKER_SANDBOX, code="fewer_walls")


def run_isolated(
    *,
    model: Path,
    settings: ProfileSettings,
    data: Path | None,
    limits: Limits,
    on_progress: Callable[[float, str], None],
    should_stop: Callable[[], bool],
    workdir: Path,
    needs_wall: bool = False,
) -> dict[str, Any]:
    """Profile `model` in a child process and return its `weighbridge.result/1` mapping.

    `on_progress(share, doing)` and `should_stop()` are called at least once a second. Writes only to `workdir`.
    Raises RunFailed (bad input, crash, memory, deadline; `code` distinguishes them) and RunCanceled; exceptions of
    the callbacks pass through. The child and all its descendants are terminated in every case. `manifest.isolation` of
    the result describes the layers. With `needs_wall`, raises RunFailed if bubblewrap does not work.
    """
    require_bubblewrap(needs_wall=needs_wall)
    return run_sandboxed(
        layers_here(),
        model=model,
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
    workdir.mkdir(parents=True, exist_ok=True)
    model, data = model.resolve(), data.resolve() if data is not None else None
    job = {
        "system": system["system"],
        "options": {**system["options"], "model": str(model)},
        "data": str(data) if data is not None else None,
        "settings": to_document(settings),
    }
    begun_at = datetime.fromtimestamp(time.time(), UTC)

    def expected(active: Sequence[str]) -> ExpectedRun:
        return ExpectedRun(
            model=model,
            data=data,
            settings=to_document(settings),
            isolation=layers.describe(active),
            begun_at=begun_at,
            ended_at=datetime.fromtimestamp(time.time(), UTC),
        )

    try:
        output = run_child(
            program=CHILD,
            job=job,
            reads=[model, *([data] if data is not None else [])],
            layers=layers,
            limits=limits,
            threads=settings.scenario.threads,
            workdir=workdir.resolve(),
            follow=follow,
        )
    except RunIncomplete as ended:
        if ended.output is not None and ended.output.seals is not None:
            ended.partial = partial_of(ended.output, expected=expected(ended.output.seals))
        raise
    if output.seals is None:
        raise exit_failure(output, limits=limits)
    return read_outcome(output, expected=expected(output.seals), limits=limits)


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
    workdir.mkdir(parents=True, exist_ok=True)
    paths = {"data": str(data.resolve()) if data is not None else None}
    job = {**target, **paths, "settings": to_document(settings)}
    try:
        output = run_child(
            program=CHILD,
            job=job,
            reads=[],
            layers=no_layers(),
            limits=limits,
            threads=settings.scenario.threads,
            workdir=workdir.resolve(),
            follow=follow,
        )
    except RunIncomplete as ended:
        ended.partial = partial_of(ended.output, expected=None)
        raise
    return read_outcome(output, expected=None, limits=limits)
