"""Isolation: a profile in a process of its own, behind every layer that works on this machine."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from weighbridge.core.converter import to_document
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.sandbox.bubblewrap import Layers, is_walled, layers_here, no_layers
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import RunOrder, death, partial_of, read_outcome
from weighbridge.systems.sandbox.process import Follow, Following, RunCanceled, RunEnded, RunFailed, fenced

__all__ = ["Follow", "Layers", "Limits", "ProfileSettings", "RunCanceled", "RunEnded", "RunFailed", "run_isolated"]

NO_WALL = (
    "Not measured: bubblewrap is missing or may not work on the machine of this worker, and this model is run behind "
    "it "
    "alone. Install it there and let it make namespaces."
)
FEWER_WALLS = (
    "Not repeated: the first run was measured behind bubblewrap, which is missing or may not work on this machine, "
    "and a "
    "repeat never goes behind fewer walls. Install it here, or measure anew."
)
ONNX: Mapping[str, Any] = MappingProxyType({"system": "onnx", "options": {}})
CHILD = ("-m", "weighbridge.systems.sandbox.child")


def check_wall(*, needs_wall: bool) -> None:
    """Raise RunFailed with code `no_wall` where a wall is needed and bubblewrap does not work here."""
    if needs_wall and layers_here().bubblewrap is None:
        raise RunFailed(NO_WALL, code="no_wall")


def check_repeat(first: Mapping[str, Any]) -> None:
    """Raise RunFailed with code `fewer_walls` where the result `first` tells of bubblewrap, which does not
    work here.
    """
    if is_walled(first["manifest"].get("isolation")) and layers_here().bubblewrap is None:
        raise RunFailed(FEWER_WALLS, code="fewer_walls")


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

    `on_progress(share, doing)` and `should_stop()` are called at least once a second. Writes into `workdir` alone.
    Raises RunFailed (bad input, crash, memory, deadline; `code` tells them apart) and RunCanceled; whatever the
    callbacks raise passes through. The child and all its descendants are dead in every case. The result's
    `manifest.isolation` names the layers. With `needs_wall` nothing is run where bubblewrap does not work.
    """
    check_wall(needs_wall=needs_wall)
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
    follow: Following,
) -> dict[str, Any]:
    """Do what `run_isolated` does behind the layers given; `follow` is its two callbacks, or a `Follow`.

    With a `Follow` that gives time to wrap up, what a run that did not come to its end had measured is the exception's
    `partial`.
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

    def order(held: Sequence[str]) -> RunOrder:
        return RunOrder(
            model=model,
            data=data,
            settings=to_document(settings),
            isolation=layers.words(held),
            begun_at=begun_at,
            ended_at=datetime.fromtimestamp(time.time(), UTC),
        )

    try:
        heard = fenced(
            program=CHILD,
            job=job,
            reads=[model, *([data] if data is not None else [])],
            layers=layers,
            limits=limits,
            threads=settings.scenario.threads,
            workdir=workdir.resolve(),
            follow=follow,
        )
    except RunEnded as ended:
        if ended.heard is not None and ended.heard.fence is not None:
            ended.partial = partial_of(ended.heard, order=order(ended.heard.fence))
        raise
    if heard.fence is None:
        raise death(heard, limits=limits)
    return read_outcome(heard, order=order(heard.fence), limits=limits)


def run_unsandboxed(
    target: Mapping[str, Any],
    *,
    settings: ProfileSettings,
    data: Path | None,
    limits: Limits,
    workdir: Path,
    follow: Following,
) -> dict[str, Any]:
    """Profile the system that `target` names (see `registry.system_of`) in a child process without any fence.

    Only for code that the person at the terminal vouches for. Of the limits, real time alone holds. Raises as
    `run_sandboxed` does.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    paths = {"data": str(data.resolve()) if data is not None else None}
    job = {**target, **paths, "settings": to_document(settings)}
    try:
        heard = fenced(
            program=CHILD,
            job=job,
            reads=[],
            layers=no_layers(),
            limits=limits,
            threads=settings.scenario.threads,
            workdir=workdir.resolve(),
            follow=follow,
        )
    except RunEnded as ended:
        ended.partial = partial_of(ended.heard, order=None)
        raise
    return read_outcome(heard, order=None, limits=limits)
