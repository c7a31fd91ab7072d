"""The child of an isolated comparison: fences itself in, compares, and hands over what it found.

`python -m weighbridge.systems.sandbox.compare_child JOB.json`; see `compared` for the other side and `child` for the
protocol. Heavy libraries are imported after the seals are on.
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
from weighbridge.measure.stopping import Enough
from weighbridge.systems.sandbox.child import Speaker, enter


def outcome_of(job: Mapping[str, Any], *, stream: TextIO) -> dict[str, Any]:
    """Do the job that `enter` returned and return `{"result": …}`, or `{"refusal": {reason, code, field}}` in words."""
    from weighbridge.measure.studies.comparison import ComparisonSettings, compare
    from weighbridge.systems.engine_errors import model_failure

    try:
        result = compare(
            models={name: Path(path) for name, path in job["models"].items()},
            data=Path(job["data"]) if job["data"] else None,
            settings=from_document(ComparisonSettings, job["settings"], name="settings"),
            on_progress=Speaker(stream, leash=job.get("leash")),
            now=datetime.fromtimestamp(time.time(), UTC),
            isolation=job["isolation"],
        )
    except Enough:
        return _refusal("The comparison was stopped before anything was timed.", "run_stopped")
    except Refused as refused:
        return _refusal(refused.reason, refused.code, refused.field)
    except Exception as error:  # noqa: BLE001 -- the parent must hear of whatever went wrong, in words
        failed = model_failure("while it was compared", error)
        return _refusal(failed.reason, failed.code)
    return {"result": result}


def _refusal(reason: str, code: str, field: str | None = None) -> dict[str, Any]:
    return {"refusal": {"reason": reason, "code": code, "field": field}}


def main(arguments: list[str]) -> int:
    """Fence this process in, do the job, and hand over the outcome."""
    job = enter(Path(arguments[0]), stream=sys.stdout)
    outcome = outcome_of(job, stream=sys.stdout)
    with os.fdopen(job["outcome"], "w") as pipe:
        pipe.write(json.dumps(outcome, allow_nan=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
