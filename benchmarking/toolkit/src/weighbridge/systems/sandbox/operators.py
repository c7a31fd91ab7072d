"""Operators: where the time of an ONNX model goes, by the engine's own profiler in a child of its own.

The profiler opens what it writes to as a new file, so this child's call filter lets files be opened so; behind
bubblewrap there is none to make or cut, and without it such a run is refused. The measurement itself keeps its fence.
"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.converter import to_document
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.sandbox.bubblewrap import Layers, layers_here, no_layers
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import forged, read_answer
from weighbridge.systems.sandbox.process import Following, RunFailed, fenced, printable
from weighbridge.systems.sandbox.seals import LANDLOCK, OPENING_FILTER

CHILD = ("-m", "weighbridge.systems.sandbox.operators_child")
LONGEST_NAME = 200
MOST_NAMES = 100
NO_WALL = "Operators are timed behind bubblewrap alone, which is missing or may not work on this machine."


def operators_isolated(
    *,
    model: Path,
    settings: ProfileSettings,
    data: Path | None,
    limits: Limits,
    workdir: Path,
    follow: Following,
    is_trusted: bool = False,
) -> dict[str, Any] | None:
    """Return `by_operator` and `slowest` with milliseconds and shares (see `trace.operators_of`); None where none is
    known.

    Raises RunFailed, with code `no_wall` where bubblewrap does not work and the model is not trusted, and RunCanceled.
    """
    layers = no_layers() if is_trusted else _layers(layers_here())
    workdir.mkdir(parents=True, exist_ok=True)
    model, data = model.resolve(), data.resolve() if data is not None else None
    job = {"model": str(model), "data": str(data) if data is not None else None, "settings": to_document(settings)}
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
    found = read_answer(heard, limits=limits)
    try:
        return (
            _checked(found["operators"]) | {"isolation": layers.words(heard.fence or ())}
            if found["operators"]
            else None
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise forged("it has not the form of a table of operators") from error


def _layers(here: Layers) -> Layers:
    if here.bubblewrap is None:
        raise RunFailed(NO_WALL, code="no_wall")
    return dataclasses.replace(here, seals=(LANDLOCK, OPENING_FILTER))


def _checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy that holds nothing but what was asked for: a child's words are not believed."""
    return {
        "runs": int(said["runs"]),
        "total_ms": _number(said["total_ms"]),
        "by_operator": [_row(row, ("operator",)) for row in said["by_operator"][:MOST_NAMES]],
        "slowest": [_row(row, ("node", "operator")) for row in said["slowest"][:MOST_NAMES]],
    }


def _row(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    words = {name: printable(str(row[name]), most=LONGEST_NAME) for name in names}
    return words | {"ms": _number(row["ms"]), "share": _number(row["share"])}


def _number(value: object) -> float:
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{number} is no time")
    return number
