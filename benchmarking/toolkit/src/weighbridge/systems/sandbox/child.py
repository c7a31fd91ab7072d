"""The child process of an isolated run: enters the sandbox, does a task, reports progress and returns the result.

`python -m weighbridge.systems.sandbox.child JOB.json`; `process` is the parent. Each line on standard output is a JSON
object: first `fence`, the active seals, then `share` and `doing`. Outcomes go through a separate pipe, one per line:
the last one counts, earlier ones are partial. Heavy libraries are imported after the seals are applied, because they
start threads.
"""

import contextlib
import importlib
import json
import os
import select
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Refused
from weighbridge.measure.stopping import StopMeasurement
from weighbridge.systems.sandbox.bubblewrap import Layers
from weighbridge.systems.sandbox.limits import Limits, apply_limits, die_with_parent
from weighbridge.systems.sandbox.seals import apply_seals

REPORT_INTERVAL_S = 0.2
FIRST_TO_DIE = "1000"


class ProgressWriter:
    """Writes progress lines, at most five per second, but always on a change of phase."""

    def __init__(self, stream: TextIO, *, leash: int | None = None) -> None:
        """Write to `stream`; the parent closes the other end of the pipe `leash` to request a stop."""
        self._stream = stream
        self._leash = leash
        self._doing = ""
        self._reported_at = 0.0

    def __call__(self, share: float, doing: str) -> None:
        """Report progress (0 to 1) and phase; raise StopMeasurement if the parent requests a stop."""
        if self._leash is not None and select.select([self._leash], [], [], 0)[0]:
            raise StopMeasurement
        now = time.monotonic()
        if doing == self._doing and now - self._reported_at < REPORT_INTERVAL_S:
            return
        self._doing, self._reported_at = doing, now
        self._stream.write(json.dumps({"share": round(share, 4), "doing": doing}) + "\n")
        self._stream.flush()


def enter_sandbox(job_file: Path, *, stream: TextIO, process: Path = Path("/proc/self")) -> dict[str, Any]:
    """Read the job, enter the sandbox permanently, report the active seals, and return the job.

    The model has not been read yet, so the model cannot falsify the report.
    """
    job: dict[str, Any] = json.loads(job_file.read_text())
    layers = from_document(Layers, job["layers"], name="layers")
    die_with_parent(job["parent"])
    with contextlib.suppress(OSError):
        # If memory runs out, the kernel should kill this process first.
        (process / "oom_score_adj").write_text(FIRST_TO_DIE)
    active: list[str] = []
    if not layers.is_open:
        apply_limits(from_document(Limits, job["limits"], name="limits"), counts_tasks=layers.bubblewrap is not None)
        active = apply_seals(layers.seals, reads=[Path(path) for path in job["reads"]])
    stream.write(json.dumps({"fence": active}) + "\n")
    stream.flush()
    return {**job, "isolation": layers.describe(active)}


def outcome_of(
    job: Mapping[str, Any], *, stream: TextIO, on_checkpoint: Callable[[dict[str, Any]], None] = lambda _: None
) -> dict[str, Any]:
    """Do a job from `enter_sandbox`; return `{"result": …}` or `{"refusal": {reason, code, field}}`.

    `job["task"]` is `module:function`, called with the job, the progress writer and a function that takes a partial
    result; `job["where"]` is a phrase for errors. `on_checkpoint` receives the outcome with a partial result.
    """
    from weighbridge.systems.engine_errors import model_failure

    module, _, name = job["task"].partition(":")
    task = getattr(importlib.import_module(module), name)
    try:
        report = ProgressWriter(stream, leash=job.get("leash"))
        return {"result": task(job, report, lambda partial: on_checkpoint({"result": partial}))}
    except StopMeasurement:
        refused = Refused("The run was stopped before anything was measured.", code="run_stopped")
    except Refused as error:
        refused = error
    except Exception as error:  # noqa: BLE001 -- every error is reported to the parent
        is_memory = isinstance(error, ImportError) and "failed to map segment" in str(error)
        failed = model_failure(job["where"], MemoryError(str(error)) if is_memory else error)
        refused = Refused(failed.reason, code=failed.code)
    return {"refusal": {"reason": refused.reason, "code": refused.code, "field": refused.field}}


def main(arguments: list[str]) -> int:
    """Enter the sandbox, run the job, and write the outcome."""
    job = enter_sandbox(Path(arguments[0]), stream=sys.stdout)
    with os.fdopen(job["outcome"], "w") as pipe:

        def write_outcome(outcome: dict[str, Any]) -> None:
            pipe.write(json.dumps(outcome, allow_nan=False) + "\n")
            pipe.flush()

        write_outcome(outcome_of(job, stream=sys.stdout, on_checkpoint=write_outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
