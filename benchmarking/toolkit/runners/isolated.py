"""Isolation: a profile in a process of its own, which may crash, hang or eat memory without harm to anybody else.

The child gets its own process group, an environment of only what it needs, limits of the kernel, and a deadline.
Models are graphs that an engine interprets, and engines have bugs: this is a fence, not a sandbox against an attacker
who owns the engine.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import benchmarking
from benchmarking.toolkit.measure.scenarios import ProfileSettings
from benchmarking.toolkit.runners.limits import Limits
from governance.domain.refusals import Refused

__all__ = ["Limits", "ProfileSettings", "RunCancelled", "RunFailed", "profile_isolated"]

POLL_S = 0.25
ENDING_PATIENCE_S = 10.0
TAIL_BYTES = 2_000


class RunFailed(Refused):
    """The run gave no result; the reason says why in words."""

    default_code = "run_failed"


class RunCancelled(Refused):
    """The run was stopped because somebody asked for it."""

    default_code = "run_cancelled"


def profile_isolated(
    *,
    model: Path,
    settings: ProfileSettings,
    data: Path | None,
    limits: Limits,
    on_progress: Callable[[float, str], None],
    should_stop: Callable[[], bool],
    workdir: Path,
) -> dict[str, Any]:
    """Profile `model` in a child process and return its `weighbridge.result/1` mapping.

    `on_progress(share, doing)` and `should_stop()` are called at least once a second. Writes into `workdir` alone.
    Raises RunFailed (bad input, crash, memory, deadline; `code` tells them apart) and RunCancelled; whatever the
    callbacks raise passes through. The child and all its descendants are dead in every case.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    outcome = workdir.resolve() / "outcome.json"
    outcome.unlink(missing_ok=True)
    job = workdir.resolve() / "job.json"
    document = {
        "model": str(model.resolve()),
        "data": str(data.resolve()) if data is not None else None,
        "settings": settings.as_document(),
        "limits": limits.as_document(),
        "outcome": str(outcome),
        "parent": os.getpid(),
    }
    job.write_text(json.dumps(document))
    with (workdir / "errors.txt").open("wb") as errors:
        child = subprocess.Popen(  # noqa: S603 -- our own interpreter and module, no shell
            [sys.executable, "-m", "benchmarking.toolkit.runners.child", str(job)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=workdir,
            env=environment(workdir.resolve(), threads=settings.scenario.threads),
            start_new_session=True,
            close_fds=True,
        )
    is_done = False
    try:
        _follow(child, limits=limits, on_progress=on_progress, should_stop=should_stop)
        is_done = True
    finally:
        status = _end(child, patience_s=ENDING_PATIENCE_S if is_done else 0.0)
    return _result(outcome, status=status, limits=limits, errors=workdir / "errors.txt")


def environment(home: Path, *, threads: int) -> dict[str, str]:
    """Return the child's whole environment: where the code is, quiet libraries, and as many threads as asked for."""
    root = Path(benchmarking.__file__).resolve().parent.parent
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "ORT_DISABLE_TELEMETRY": "1",
        **{f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")},
    }


def _follow(
    child: "subprocess.Popen[bytes]",
    *,
    limits: Limits,
    on_progress: Callable[[float, str], None],
    should_stop: Callable[[], bool],
) -> None:
    """Pass progress on until the child closes its output; raise when it must not go on."""
    deadline = time.monotonic() + limits.wall_s
    share, doing = 0.0, "starting"
    for said in _lines(child, most_bytes=limits.output_kb * 1_000):
        share, doing = said or (share, doing)
        on_progress(share, doing)
        if should_stop():
            raise RunCancelled("The run was cancelled.")
        if time.monotonic() > deadline:
            text = f"The run was stopped after {limits.wall_s:g} s, while {doing}: the model is too slow for these settings, or never returns."
            raise RunFailed(text, code="run_timeout")


def _lines(child: "subprocess.Popen[bytes]", *, most_bytes: int) -> Iterator[tuple[float, str] | None]:
    """Yield what the child says, and None whenever it was silent for a moment; end when it closes its output."""
    stream = child.stdout
    if stream is None:
        raise ValueError("the child's output must be a pipe")
    heard, rest = 0, b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if not selector.select(POLL_S):
                yield None
                continue
            piece = os.read(stream.fileno(), 65_536)
            heard += len(piece)
            if heard > most_bytes:
                raise RunFailed(f"The run said more than {most_bytes // 1_000} kB and was stopped.", code="run_output")
            *lines, rest = (rest + piece).split(b"\n")
            yield from (_progress(line) for line in lines)
            if not piece:
                return


def _progress(line: bytes) -> tuple[float, str] | None:
    """Read one line; what is no progress (a library that prints) is nothing."""
    try:
        said = json.loads(line)
        return float(said["share"]), str(said["doing"])
    except (ValueError, TypeError, KeyError):
        return None


def _end(child: "subprocess.Popen[bytes]", *, patience_s: float) -> int:
    """Wait for the child to end by itself, then kill its whole group, and return its exit status."""
    until = time.monotonic() + patience_s
    # WNOWAIT leaves the child unreaped, so that its number cannot belong to another group when we kill.
    while time.monotonic() < until:
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            break
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    with child:  # leaving closes the pipe and reaps
        pass
    return child.returncode


def _result(outcome: Path, *, status: int, limits: Limits, errors: Path) -> dict[str, Any]:
    """Return the result that the child wrote, or raise RunFailed with the child's reason or ours."""
    if status != 0 or not outcome.is_file():
        raise _death(status, limits=limits, errors=errors)
    if outcome.stat().st_size > limits.result_mb * 1_000_000:
        raise RunFailed(f"The result is larger than {limits.result_mb} MB; ask for fewer samples.", code="run_output")
    said = json.loads(outcome.read_text())
    if "refusal" in said:
        raise RunFailed(said["refusal"]["reason"], code=said["refusal"]["code"], field=said["refusal"]["field"])
    result: dict[str, Any] = said["result"]
    return result


def _death(status: int, *, limits: Limits, errors: Path) -> RunFailed:
    if status == -signal.SIGXCPU:
        return RunFailed(f"The run used its {limits.cpu_s} s of processor time and was stopped.", code="run_cpu")
    if status == -signal.SIGKILL:
        text = "The run was killed by the system; most often the machine has run out of memory."
        return RunFailed(text, code="run_killed")
    with errors.open("rb") as stream:
        stream.seek(max(0, errors.stat().st_size - TAIL_BYTES))
        tail = stream.read().decode(errors="replace").strip()
    if "MemoryError" in tail or "bad_alloc" in tail:
        return RunFailed(f"The run went over its {limits.memory_mb} MB of memory.", code="model_memory")
    how = f"by signal {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"
    last = tail.splitlines()[-1] if tail else "it said nothing"
    return RunFailed(f"The run ended {how} and left no result: {last}", code="run_crash")
