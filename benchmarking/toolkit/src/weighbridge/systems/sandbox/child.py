"""The child of an isolated run: fences itself in, profiles, says how far it is, hands over its result and ends.

`python -m weighbridge.systems.sandbox.child JOB.json`; see `fence` for the other side. Each line on standard output is
one JSON object: first `fence`, the seals that hold, then `share` and `doing`. Outcomes go through a pipe of their own,
one a line: the last one counts, those before it are what there was by then. Heavy libraries are imported after the
seals are on, since they start threads.
"""

import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Refused
from weighbridge.measure.stopping import Enough
from weighbridge.systems.sandbox.bubblewrap import Layers
from weighbridge.systems.sandbox.limits import Limits, confine, die_with_parent
from weighbridge.systems.sandbox.seals import seal

SAY_EVERY_S = 0.2
FIRST_TO_DIE = "1000"


class Speaker:
    """Writes progress lines, at most five a second, but never leaves out a change of phase."""

    def __init__(self, stream: TextIO, *, leash: int | None = None) -> None:
        """Speak into `stream`; `leash` is the descriptor of a pipe that its other end closes to ask for an end."""
        self._stream = stream
        self._leash = leash
        self._doing = ""
        self._said_at = 0.0

    def __call__(self, share: float, doing: str) -> None:
        """Say how far the run is (0 to 1) and what it is doing; raise Enough when the run is asked to end."""
        if self._leash is not None and select.select([self._leash], [], [], 0)[0]:
            raise Enough
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
    layers = from_document(Layers, job["layers"], name="layers")
    die_with_parent(job["parent"])
    with contextlib.suppress(OSError):
        # Should memory run out, the kernel is to choose this process.
        (process / "oom_score_adj").write_text(FIRST_TO_DIE)
    held: list[str] = []
    if not layers.is_open:
        confine(from_document(Limits, job["limits"], name="limits"), counts_tasks=layers.bubblewrap is not None)
        held = seal(layers.seals, reads=[Path(path) for path in job["reads"]])
    stream.write(json.dumps({"fence": held}) + "\n")
    stream.flush()
    return {**job, "isolation": layers.words(held)}


def outcome_of(
    job: Mapping[str, Any], *, stream: TextIO, on_checkpoint: Callable[[dict[str, Any]], None] = lambda _: None
) -> dict[str, Any]:
    """Run a job that `enter` returned and return `{"result": …}`, or `{"refusal": {reason, code, field}}` in words.

    `on_checkpoint` gets what there is, in the same form, before a phase that may not end.
    """
    from weighbridge.measure.measurement import measure
    from weighbridge.measure.scenarios import ProfileSettings
    from weighbridge.systems.engine_errors import model_failure
    from weighbridge.systems.registry import system_of

    say = Speaker(stream, leash=job.get("leash"))
    try:
        settings = from_document(ProfileSettings, job["settings"], name="settings")
        say(0.0, "reading the model")
        result = measure(
            system_of(job, settings),
            settings=settings,
            data=Path(job["data"]) if job["data"] else None,
            on_progress=say,
            now=datetime.fromtimestamp(time.time(), UTC),
            isolation=job["isolation"],
            on_checkpoint=lambda partial: on_checkpoint({"result": partial}),
        )
    except Enough:
        text = "The run was stopped before anything was measured."
        return {"refusal": {"reason": text, "code": "run_stopped", "field": None}}
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
    with os.fdopen(job["outcome"], "w") as pipe:

        def hand_over(outcome: dict[str, Any]) -> None:
            pipe.write(json.dumps(outcome, allow_nan=False) + "\n")
            pipe.flush()

        hand_over(outcome_of(job, stream=sys.stdout, on_checkpoint=hand_over))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
