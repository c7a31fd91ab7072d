"""The child process of a workshop job: enters the sandbox, creates a variant or compares it with its baseline, and
reports the result.

`python -m weighbridge.optimization.child JOB.json`; see `workshop` for the parent and `systems.sandbox.child` for the
protocol. Heavy libraries are imported after the sandbox is active.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Refused
from weighbridge.systems.sandbox.child import ProgressWriter, enter_sandbox

Say = Callable[[float, str], None]


def making(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Create the variant of `job["model"]` from `job["recipe"]`; return it in base 64."""
    import base64

    from weighbridge.measure.conditions import manifest
    from weighbridge.optimization.methods.quantize import make
    from weighbridge.optimization.recipes import Recipe
    from weighbridge.optimization.rows import shown

    model, recipe = Path(job["model"]), from_document(Recipe, job["recipe"], name="recipe")
    feeds = shown(model, Path(job["data"]), threads=job["threads"], say=say) if recipe.needs_rows else ()
    made = make(model.read_bytes(), recipe, feeds=feeds, machine=manifest.describe_machine())
    return {"model": base64.b64encode(made).decode()}


def comparing(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Compare `job["variant"]` with `job["baseline"]` on the rows of `job["data"]`."""
    import dataclasses

    from weighbridge.optimization.comparison import VariantComparisonSettings, compare

    compared = compare(
        baseline=Path(job["baseline"]),
        variant=Path(job["variant"]),
        data=Path(job["data"]),
        settings=from_document(VariantComparisonSettings, job["settings"], name="settings"),
        on_progress=say,
    )
    return dataclasses.asdict(compared)


TASKS = {"make": making, "compare": comparing}


def outcome_of(job: Mapping[str, Any], *, stream: TextIO) -> dict[str, Any]:
    """Do a job that `enter` returned; return `{"result": …}` or `{"refusal": {reason, code, field}}`."""
    from weighbridge.systems.engine_errors import model_failure

    try:
        return {"result": TASKS[job["task"]](job, ProgressWriter(stream))}
    except Refused as refused:
        return {"refusal": {"reason": refused.reason, "code": refused.code, "field": refused.field}}
    except Exception as error:  # noqa: BLE001 -- the parent must hear of whatever went wrong, in words
        failed = model_failure(job["where"], error)
        return {"refusal": {"reason": failed.reason, "code": failed.code, "field": None}}


def main(arguments: list[str]) -> int:
    """Enter the sandbox, do the job, and report the outcome."""
    job = enter_sandbox(Path(arguments[0]), stream=sys.stdout)
    outcome = outcome_of(job, stream=sys.stdout)
    with os.fdopen(job["outcome"], "w") as pipe:
        json.dump(outcome, pipe, allow_nan=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
