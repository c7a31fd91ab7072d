"""Operator timings of an ONNX model, from the profiler of ONNX Runtime in a separate child process.

The profiler opens its output as a new file, so the call filter of this child allows creating files. Inside bubblewrap,
no file can be created or truncated; without bubblewrap, the run is refused. Measurements keep the strict filter.
"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.converter import to_document
from weighbridge.core.model_files.external_weights import weight_files
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.sandbox.bubblewrap import NO_LAYERS, Layers, layers_here
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import read_answer, rejected_unless
from weighbridge.systems.sandbox.process import CallbackTuple, RunFailed, run_child, sanitize_text
from weighbridge.systems.sandbox.seals import LANDLOCK, OPENING_FILTER

MAX_NAME_CHARS = 200
MAX_NAMES = 100
NO_WALL = "Operators are timed only inside bubblewrap, which is missing or does not work on this machine."


def operators_isolated(
    *,
    model: Path,
    settings: ProfileSettings,
    data: Path | None,
    limits: Limits,
    workdir: Path,
    follow: CallbackTuple,
    is_trusted: bool = False,
) -> dict[str, Any] | None:
    """Return the times and shares of `by_operator` and `slowest` (see `trace.operators_of`), None without any.

    Raises RunCanceled and RunFailed, with code `no_wall` if bubblewrap does not work and the model is not trusted.
    """
    layers = NO_LAYERS if is_trusted else _layers(layers_here())
    model, data = model.resolve(), data.resolve() if data is not None else None
    reads = [model, *weight_files(model), *([data] if data is not None else [])]
    threads = settings.scenario.threads
    job = {
        "task": "weighbridge.systems.sandbox.tasks:operators",
        "where": "while its operators were timed",
        "model": str(model),
        "data": str(data) if data is not None else None,
        "settings": to_document(settings),
    }
    output = run_child(
        job=job, reads=reads, layers=layers, limits=limits, threads=threads, workdir=workdir, follow=follow
    )
    answer = read_answer(output, limits=limits)
    with rejected_unless("operator timings"):
        if not answer["operators"]:
            return None
        return _checked(answer["operators"]) | {"isolation": layers.describe(output.seals or ())}


def _layers(here: Layers) -> Layers:
    if here.bubblewrap is None:
        raise RunFailed(NO_WALL, code="no_wall")
    return dataclasses.replace(here, seals=(LANDLOCK, OPENING_FILTER))


def _checked(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with only the expected fields: the output of a child is not trusted."""
    return {
        "runs": int(document["runs"]),
        "total_ms": _number(document["total_ms"]),
        "by_operator": [_row(row, ("operator",)) for row in document["by_operator"][:MAX_NAMES]],
        "slowest": [_row(row, ("node", "operator")) for row in document["slowest"][:MAX_NAMES]],
    }


def _row(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    texts = {name: sanitize_text(str(row[name]), most=MAX_NAME_CHARS) for name in names}
    return texts | {"ms": _number(row["ms"]), "share": _number(row["share"])}


def _number(value: object) -> float:
    number = float(value)  # type: ignore[arg-type]  # what is no number raises an error here
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{number} is not a valid time")
    return number
