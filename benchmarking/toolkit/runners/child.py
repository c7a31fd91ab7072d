"""The child of an isolated run: fences itself in, profiles, says how far it is, hands over its result and ends.

`python -m benchmarking.toolkit.runners.child JOB.json`; see `fence` for the other side. Each line on standard output is
one JSON object: first `fence`, the seals that hold, then `share` and `doing`. The outcome goes through a pipe of its own.
Heavy libraries are imported after the seals are on, since they start threads.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from benchmarking.toolkit.runners.layers import layers_from
from benchmarking.toolkit.runners.limits import confine, die_with_parent, limits_from
from benchmarking.toolkit.runners.seals import seal
from governance.domain.refusals import Refused

SAY_EVERY_S = 0.2
FIRST_TO_DIE = "1000"


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


def enter(job_file: Path, *, stream: TextIO, process: Path = Path("/proc/self")) -> dict[str, Any]:
    """Read the job, fence this process in for good, say which seals hold, and return the job.

    Nothing of the model has been read when this returns, so that what is said about the fence is the truth.
    """
    job: dict[str, Any] = json.loads(job_file.read_text())
    layers = layers_from(job["layers"])
    die_with_parent(job["parent"])
    with contextlib.suppress(OSError):
        # Should memory run out, the kernel is to choose this process.
        (process / "oom_score_adj").write_text(FIRST_TO_DIE)
    confine(limits_from(job["limits"]), counts_tasks=layers.bubblewrap is not None)
    held = seal(layers.seals, reads=[Path(path) for path in job["reads"]])
    stream.write(json.dumps({"fence": held}) + "\n")
    stream.flush()
    return {**job, "isolation": layers.words(held)}


def outcome_of(job: Mapping[str, Any], *, stream: TextIO) -> dict[str, Any]:
    """Run a job that `enter` returned and return `{"result": …}`, or `{"refusal": {reason, code, field}}` in words."""
    from benchmarking.toolkit.measure.scenarios import settings_from
    from benchmarking.toolkit.profile import model_failure, profile

    try:
        result = profile(
            model=Path(job["model"]),
            settings=settings_from(job["settings"]),
            data=Path(job["data"]) if job["data"] else None,
            on_progress=Speaker(stream),
            now=datetime.fromtimestamp(time.time(), UTC),
            isolation=job["isolation"],
        )
    except Refused as refused:
        return {"refusal": {"reason": refused.reason, "code": refused.code, "field": refused.field}}
    except Exception as error:  # noqa: BLE001 -- the parent must hear of whatever went wrong, in words
        is_memory = isinstance(error, ImportError) and "failed to map segment" in str(error)
        failed = model_failure("while it was measured", MemoryError(str(error)) if is_memory else error)
        return {"refusal": {"reason": failed.reason, "code": failed.code, "field": None}}
    return {"result": result}


def main(arguments: list[str]) -> int:
    """Fence this process in, run the job, and hand over the outcome."""
    job = enter(Path(arguments[0]), stream=sys.stdout)
    outcome = outcome_of(job, stream=sys.stdout)
    with os.fdopen(job["outcome"], "w") as pipe:
        json.dump(outcome, pipe, allow_nan=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
