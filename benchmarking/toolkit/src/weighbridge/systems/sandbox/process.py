"""Child processes in the sandbox, which may crash, hang, flood their output or attack without harm.

This module starts a child, reads its output within limits, and terminates it with all its descendants. `child` is the
program inside, `outcome` validates its result.
"""

import dataclasses
import json
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from weighbridge.core.converter import to_document
from weighbridge.core.errors import Refused
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.measure.stopping import Progress
from weighbridge.systems.sandbox.bubblewrap import (
    DEVICES,
    HOME,
    KERNEL,
    Layers,
    bubblewrap_command,
    package_root,
    runtime_paths,
)
from weighbridge.systems.sandbox.limits import Limits

POLL_S = 0.25
EXIT_TIMEOUT_S = 10.0
TAIL_BYTES = 2_000
CHUNK_BYTES = 65_536
MAX_PHASE_CHARS = 120
CHILD = ("-m", "weighbridge.systems.sandbox.child")
Process = subprocess.Popen[bytes]
CallbackTuple = tuple[Progress, Callable[[], bool]] | tuple[Progress, Callable[[], bool], float]


class RunIncomplete(Refused):
    """The run did not finish; `partial` is its partial result, if it has one."""

    partial: dict[str, Any] | None = None
    output: "ChildOutput | None" = None


class RunFailed(RunIncomplete):
    """The run failed and has no result."""

    default_code = "run_failed"


class RunCanceled(RunIncomplete):
    """The run was canceled."""

    default_code = "run_canceled"


class RunCallbacks(NamedTuple):
    """Callbacks of a run: `on_progress(share, doing)` and `should_stop()`, called at least once a second.

    A run that must stop early has `wrap_up_s` seconds to return a partial result.
    """

    on_progress: Progress
    should_stop: Callable[[], bool]
    wrap_up_s: float = 0.0


@dataclasses.dataclass
class ChildOutput:
    """The output of a child; `tail` ends its standard error, a negative `status` is the signal that ended it."""

    seals: tuple[str, ...] | None = None
    outcome: bytearray = dataclasses.field(default_factory=bytearray)
    tail: bytes = b""
    status: int = 0


def run_child(
    *,
    program: Sequence[str] = (),
    job: Mapping[str, Any],
    reads: Sequence[Path],
    layers: Layers,
    limits: Limits,
    threads: int,
    workdir: Path,
    follow: CallbackTuple,
) -> ChildOutput:
    """Run `child`, or Python with the arguments `program`, on a job inside `layers`, and return its output.

    `reads` is all it may read besides the runtime; it can write nothing but its pipes. `follow` is a `RunCallbacks`, or
    the first two of it. Raises RunFailed at the deadline or when it says too much, RunCanceled, and whatever the
    callbacks raise. The child and all its descendants are dead in every case.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    workdir = workdir.resolve()
    begun = time.monotonic()
    receive, send = os.pipe()
    # Closing our end of this pipe asks the child to stop: unlike a signal, this works through all layers.
    leash_read, leash_write = os.pipe()
    with os.fdopen(receive, "rb", buffering=0) as outcome, os.fdopen(leash_write, "wb", buffering=0) as leash:
        try:
            job = {**job, "outcome": send, "leash": leash_read}
            command = _command(program or CHILD, job, reads=reads, layers=layers, limits=limits, workdir=workdir)
            child = subprocess.Popen(  # noqa: S603 -- our own interpreter and module, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(send, leash_read),
                cwd=workdir,
                start_new_session=True,
                env=child_environment(
                    HOME if layers.bubblewrap else str(workdir), threads=threads, is_open=layers.is_open
                ),
            )
        finally:
            os.close(send)
            os.close(leash_read)
        output, is_done = ChildOutput(), False
        try:
            pipes = (child, outcome, leash)
            _follow(pipes, output, limits=limits, until=begun + limits.wall_s, follow=RunCallbacks(*follow))
            is_done = True
        except RunIncomplete as ended:
            ended.output = output
            raise
        finally:
            status = _end(child, timeout_s=EXIT_TIMEOUT_S if is_done else 0.0)
    # Bubblewrap reports signals like a shell: 128 plus the signal.
    output.status = 128 - status if layers.bubblewrap and status > 128 else status
    return output


def _command(
    program: Sequence[str],
    job: Mapping[str, Any],
    *,
    reads: Sequence[Path],
    layers: Layers,
    limits: Limits,
    workdir: Path,
) -> list[str]:
    """Write the job file and return the command that runs it."""
    file = workdir / "job.json"
    reads = [*reads, file]
    document = {
        **job,
        "limits": to_document(limits),
        "layers": to_document(layers),
        "reads": [str(path) for path in (*runtime_paths(), *DEVICES, *KERNEL, *reads)],
        # Inside bubblewrap, the parent of the child is process 1 of a new PID namespace.
        "parent": 1 if layers.bubblewrap else os.getpid(),
    }
    file.write_text(json.dumps(document))
    command = [sys.executable, "-P", *program, str(file)]
    return [*bubblewrap_command(layers.bubblewrap, reads=reads), *command] if layers.bubblewrap else command


def child_environment(home: str, *, threads: int, is_open: bool = False) -> dict[str, str]:
    """Return the environment of the child: module path, telemetry off, and the number of threads.

    A child without a sandbox also inherits the environment and the module path of the caller.
    """
    own = {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join([str(package_root()), str(Path.cwd())])}
    if is_open:
        return {**os.environ, **own}
    return {
        # Libraries that find a compiler here would run it, and fail where no file can be written.
        "PATH": "",
        "PYTHONPATH": str(package_root()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "ORT_DISABLE_TELEMETRY": "1",
        **{f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")},
    }


def _follow(
    pipes: tuple[Process, IO[bytes], IO[bytes]],
    output: ChildOutput,
    *,
    limits: Limits,
    until: float,
    follow: RunCallbacks,
) -> None:
    """Forward progress until the child closes its output; stop it and raise if it is canceled or out of time."""
    child, outcome, leash = pipes
    share, doing = 0.0, "starting"
    end: RunIncomplete | None = None
    for progress in _read_output(child, outcome, output, limits=limits):
        share, doing = progress or (share, doing)
        follow.on_progress(share, doing)
        if end is None and follow.should_stop():
            end = RunCanceled("The run was canceled.")
        elif end is None and time.monotonic() > until:
            text = (
                f"The run was stopped after {limits.wall_s:g} s, while {doing}: the model is too slow for these "
                "settings, or never returns."
            )
            end = RunFailed(text, code="run_timeout")
        elif end is None:
            continue
        if not leash.closed:
            leash.close()
            until = time.monotonic() + follow.wrap_up_s
        if time.monotonic() >= until:
            break
    if end is not None:
        raise end


def _read_output(
    child: Process, outcome: IO[bytes], output: ChildOutput, *, limits: Limits
) -> Iterator[tuple[float, str] | None]:
    """Yield the progress of the child, and None at least every POLL_S.

    Ends when all pipes are closed, or when the child is dead and the pipes are silent.
    """
    rest, output_bytes = b"", 0
    with selectors.DefaultSelector() as selector:
        for stream in (child.stdout, child.stderr, outcome):
            selector.register(_pipe(stream), selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(POLL_S)
            if not ready:
                yield None
                if _has_ended(child):
                    return
            for key, _ in ready:
                chunk = os.read(key.fd, CHUNK_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fileobj is outcome:
                    output.outcome += chunk
                elif key.fileobj is child.stderr:
                    output.tail = (output.tail + chunk)[-TAIL_BYTES:]
                else:
                    *lines, rest = (rest + chunk).split(b"\n")
                    yield from (_progress(line, output) for line in lines)
                output_bytes += 0 if key.fileobj is outcome else len(chunk)
            _check_size(output, output_bytes, limits=limits)
            yield None


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the child's output must be a pipe")
    return stream


def _check_size(output: ChildOutput, output_bytes: int, *, limits: Limits) -> None:
    if output_bytes > limits.output_kb * 1_000:
        raise RunFailed(f"The run wrote more than {limits.output_kb} kB of output and was stopped.", code="run_output")
    if len(output.outcome) > limits.result_mb * 1_000_000:
        raise RunFailed(f"The result is larger than {limits.result_mb} MB; use fewer samples.", code="run_output")


def _progress(line: bytes, output: ChildOutput) -> tuple[float, str] | None:
    """Parse one line; the first one reports the seals. Return None for lines that are not progress."""
    try:
        message = parse_json(line, is_cleaning=True)
        if output.seals is None:
            output.seals = tuple(str(seal) for seal in message["fence"])
            return None
        share, doing = float(message["share"]), sanitize_text(str(message["doing"]), most=MAX_PHASE_CHARS)
    except (Refused, ValueError, TypeError, KeyError):
        return None
    return (min(max(share, 0.0), 1.0), doing) if math.isfinite(share) else None


def sanitize_text(text: str, *, most: int) -> str:
    """Return text of a child without control characters, truncated to `most` characters."""
    return "".join(character if character.isprintable() else " " for character in text[:most])


def _has_ended(child: Process) -> bool:
    # WNOWAIT does not reap the child, so that its PID cannot be reused before the kill.
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(child: Process, *, timeout_s: float) -> int:
    """Wait for the child to exit, then kill its process group, and return the exit status."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until and not _has_ended(child):
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    with child:  # closes the pipes and reaps the child
        pass
    return child.returncode
