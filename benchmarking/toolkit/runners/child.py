"""The child of an isolated run: lays limits on itself, profiles, says how far it is, writes its result and ends.

`python -m benchmarking.toolkit.runners.child JOB.json`; see `isolated` for the other side. Each line on standard
output is one JSON object with `share` and `doing`.
"""

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from benchmarking.toolkit.measure.scenarios import settings_from
from benchmarking.toolkit.profile import model_failure, profile
from benchmarking.toolkit.runners.limits import confine, die_with_parent, limits_from
from governance.domain.refusals import Refused

SAY_EVERY_S = 0.2
FENCE = "own process group, empty environment, rlimits, wall clock"


class Speaker:
    """Writes progress lines, at most five a second, but never leaves out a change of phase."""

    def __init__(self, stream: TextIO) -> None:
        """Speak into `stream`."""
        self._stream = stream
        self._doing = ""
        self._said_at = 0.0

    def __call__(self, share: float, doing: str) -> None:
        """Say how far the run is (0 to 1) and what it is doing."""
        now = time.monotonic()
        if doing == self._doing and now - self._said_at < SAY_EVERY_S:
            return
        self._doing, self._said_at = doing, now
        self._stream.write(json.dumps({"share": round(share, 4), "doing": doing}) + "\n")
        self._stream.flush()


def outcome_of(job: Mapping[str, Any], *, stream: TextIO) -> dict[str, Any]:
    """Run the job and return `{"result": …}`, or `{"refusal": {reason, code, field}}` in words."""
    try:
        result = profile(
            model=Path(job["model"]),
            settings=settings_from(job["settings"]),
            data=Path(job["data"]) if job["data"] else None,
            on_progress=Speaker(stream),
            now=datetime.fromtimestamp(time.time(), UTC),
            isolation=FENCE,
        )
    except Refused as refused:
        return {"refusal": {"reason": refused.reason, "code": refused.code, "field": refused.field}}
    except Exception as error:  # noqa: BLE001 -- the parent must hear of whatever went wrong, in words
        failed = model_failure("while it was measured", error)
        return {"refusal": {"reason": failed.reason, "code": failed.code, "field": None}}
    return {"result": result}


def main(arguments: list[str]) -> int:
    """Read the job file, confine this process, run, and write the outcome beside the job."""
    job = json.loads(Path(arguments[0]).read_text())
    die_with_parent(job["parent"])
    confine(limits_from(job["limits"]))
    outcome = outcome_of(job, stream=sys.stdout)
    Path(job["outcome"]).write_text(json.dumps(outcome, allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
