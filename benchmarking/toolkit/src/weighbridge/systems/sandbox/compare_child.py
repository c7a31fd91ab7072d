"""The child process of an isolated comparison: enters the sandbox, compares the models, and returns the result.

`python -m weighbridge.systems.sandbox.compare_child JOB.json`; `isolated_comparison` is the parent, `child` defines the
protocol. Heavy libraries are imported after the seals are applied.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Refused
from weighbridge.measure.stopping import StopMeasurement
from weighbridge.systems.sandbox.child import ProgressWriter, enter_sandbox


def outcome_of(job: Mapping[str, Any], *, stream: TextIO) -> dict[str, Any]:
    """Run the job from `enter_sandbox`; return `{"result": …}` or `{"refusal": {reason, code, field}}`."""
    from weighbridge.measure.studies.comparison import ComparisonSettings, compare
    from weighbridge.systems.engine_errors import model_failure

    try:
        result = compare(
            models={name: Path(path) for name, path in job["models"].items()},
            data=Path(job["data"]) if job["data"] else None,
            settings=from_document(ComparisonSettings, job["settings"], name="settings"),
            on_progress=ProgressWriter(stream, leash=job.get("leash")),
            now=datetime.fromtimestamp(time.time(), UTC),
            isolation=job["isolation"],
        )
    except StopMeasurement:
        return _refusal("The comparison was stopped before anything was timed.", "run_stopped")
    except Refused as refused:
        return _refusal(refused.reason, refused.code, refused.field)
    except Exception as error:  # noqa: BLE001 -- every error is reported to the parent
        failed = model_failure("while it was compared", error)
        return _refusal(failed.reason, failed.code)
    return {"result": result}


def _refusal(reason: str, code: str, field: str | None = None) -> dict[str, Any]:
    return {"refusal": {"reason": reason, "code": code, "field": field}}


def main(arguments: list[str]) -> int:
    """Enter the sandbox, run the job, and write the outcome."""
    job = enter_sandbox(Path(arguments[0]), stream=sys.stdout)
    outcome = outcome_of(job, stream=sys.stdout)
    with os.fdopen(job["outcome"], "w") as pipe:
        pipe.write(json.dumps(outcome, allow_nan=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
