"""The child process of an operators run: enters the sandbox, profiles the operators and returns a summary.

`python -m weighbridge.systems.sandbox.operators_child JOB.json`; `operators` is the parent, `child` defines the
protocol.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Refused
from weighbridge.systems.sandbox.child import enter_sandbox


def operators(job: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the time of each operator of `job["model"]`, on rows of `job["data"]` or drawn inputs."""
    from weighbridge.measure.conditions.model_file import read_model
    from weighbridge.measure.inputs import read_data_set
    from weighbridge.measure.samples import prepare_queries
    from weighbridge.measure.scenarios import ProfileSettings
    from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner
    from weighbridge.systems.trace import operators_of, trace

    model, settings = Path(job["model"]), from_document(ProfileSettings, job["settings"], name="settings")
    scenario = settings.scenario
    nodes = sum(read_model(model).operators.values())
    specs = OnnxRuntimeRunner(model, threads=scenario.threads, settings=settings.engine).inputs
    data = read_data_set(Path(job["data"])) if job["data"] else None
    feeds = prepare_queries(specs, data, seed=scenario.seed, rows=scenario.rows).feeds
    return operators_of(trace(model, feeds, threads=scenario.threads, settings=settings.engine, nodes=nodes))


def outcome_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run the job from `enter_sandbox`; return `{"result": …}` or `{"refusal": {reason, code, field}}`."""
    from weighbridge.systems.engine_errors import model_failure

    try:
        return {"result": {"operators": operators(job)}}
    except Refused as refused:
        return {"refusal": {"reason": refused.reason, "code": refused.code, "field": refused.field}}
    except Exception as error:  # noqa: BLE001 -- every error is reported to the parent
        failed = model_failure("while its operators were timed", error)
        return {"refusal": {"reason": failed.reason, "code": failed.code, "field": None}}


def main(arguments: list[str]) -> int:
    """Enter the sandbox, run the job, and write the outcome."""
    job = enter_sandbox(Path(arguments[0]), stream=sys.stdout)
    with os.fdopen(job["outcome"], "w") as pipe:
        json.dump(outcome_of(job), pipe, allow_nan=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
