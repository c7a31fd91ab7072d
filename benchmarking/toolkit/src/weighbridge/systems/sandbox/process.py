"""The fence: a program of ours in a child process that may crash, hang, flood or attack without harm to anybody else.

In scope: starting it behind the layers, hearing what it says within limits, ending it and all it started. What the
child does there is in `child`, what its answer is worth in `outcome`.
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
from weighbridge.systems.sandbox.bubblewrap import DEVICES, HOME, KERNEL, Layers, root, runtime, walled
from weighbridge.systems.sandbox.limits import Limits

POLL_S = 0.25
ENDING_PATIENCE_S = 10.0
TAIL_BYTES = 2_000
PIECE_BYTES = 65_536
LONGEST_PHASE = 120
Process = subprocess.Popen[bytes]
Progress = Callable[[float, str], None]
Following = tuple[Progress, Callable[[], bool]] | tuple[Progress, Callable[[], bool], float]


class RunEnded(Refused):
    """The run did not come to its end; `partial` is what it had measured by then, where it could still be heard."""

    partial: dict[str, Any] | None = None
    heard: "Heard | None" = None


class RunFailed(RunEnded):
    """The run gave no result; the reason says why in words."""

    default_code = "run_failed"


class RunCanceled(RunEnded):
    """The run was stopped because somebody asked for it."""

    default_code = "run_canceled"


class Follow(NamedTuple):
    """Who follows a run: `on_progress(share, doing)` and `should_stop()`, called at least once a second.

    A run that must end before its time is asked to, and has `wrap_up_s` to hand over what it has.
    """

    on_progress: Progress
    should_stop: Callable[[], bool]
    wrap_up_s: float = 0.0


@dataclasses.dataclass
class Heard:
    """What a child has said: the seals it told first, the outcome, the end of its complaints, and its exit status.

    A status below zero is the signal that ended it, as `subprocess` has it.
    """

    fence: tuple[str, ...] | None = None
    outcome: bytearray = dataclasses.field(default_factory=bytearray)
    tail: bytes = b""
    status: int = 0
    elapsed_s: float = 0.0


def fenced(
    *,
    program: Sequence[str],
    job: Mapping[str, Any],
    reads: Sequence[Path],
    layers: Layers,
    limits: Limits,
    threads: int,
    workdir: Path,
    follow: Following,
) -> Heard:
    """Run Python with the arguments `program` and a job file behind `layers`, and return what it said.

    `reads` is all it may read besides the runtime; it can write nothing but its pipes. `follow` is a `Follow`, or the
    first two of it. Raises RunFailed at the deadline or when it says too much, RunCanceled, and whatever the callbacks
    raise. The child and all its descendants are dead in every case.
    """
    begun = time.monotonic()
    receive, send = os.pipe()
    # The child is asked to end by closing our end of this one: it needs no signal, and passes through any wall.
    asked, ask = os.pipe()
    with os.fdopen(receive, "rb", buffering=0) as outcome, os.fdopen(ask, "wb", buffering=0) as leash:
        try:
            command = _command(
                program,
                {**job, "outcome": send, "leash": asked},
                reads=reads,
                layers=layers,
                limits=limits,
                workdir=workdir,
            )
            child = subprocess.Popen(  # noqa: S603 -- our own interpreter and module, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(send, asked),
                cwd=workdir,
                start_new_session=True,
                env=environment(HOME if layers.bubblewrap else str(workdir), threads=threads, is_open=layers.is_open),
            )
        finally:
            os.close(send)
            os.close(asked)
        heard, is_done = Heard(), False
        try:
            pipes = (child, outcome, leash)
            _follow(pipes, heard, limits=limits, until=begun + limits.wall_s, follow=Follow(*follow))
            is_done = True
        except RunEnded as ended:
            ended.heard = heard
            raise
        finally:
            status = _end(child, patience_s=ENDING_PATIENCE_S if is_done else 0.0)
    # Bubblewrap ends as a shell would say it: 128 and the signal.
    heard.status = 128 - status if layers.bubblewrap and status > 128 else status
    heard.elapsed_s = time.monotonic() - begun
    return heard


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
        "reads": [str(path) for path in (*runtime(), *DEVICES, *KERNEL, *reads)],
        # Behind bubblewrap the child's parent is the first process of a world of its own.
        "parent": 1 if layers.bubblewrap else os.getpid(),
    }
    file.write_text(json.dumps(document))
    command = [sys.executable, "-P", *program, str(file)]
    return [*walled(layers.bubblewrap, reads=reads), *command] if layers.bubblewrap else command


def environment(home: str, *, threads: int, is_open: bool = False) -> dict[str, str]:
    """Return the child's whole environment: where the code is, quiet libraries, and as many threads as asked for.

    A child without a fence has the caller's own besides, and finds the caller's modules.
    """
    own = {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join([str(root()), str(Path.cwd())])}
    return (
        {**os.environ, **own}
        if is_open
        else {
            "PATH": os.defpath,
            "PYTHONPATH": str(root()),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": home,
            "TMPDIR": home,
            "LANG": "C.UTF-8",
            "ORT_DISABLE_TELEMETRY": "1",
            **{f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")},
        }
    )


def _follow(
    pipes: tuple[Process, IO[bytes], IO[bytes]], heard: Heard, *, limits: Limits, until: float, follow: Follow
) -> None:
    """Pass progress on until the child has said everything; raise when it must not go on, once it was asked to end."""
    child, outcome, leash = pipes
    share, doing = 0.0, "starting"
    end: RunEnded | None = None
    for said in _said(child, outcome, heard, limits=limits):
        share, doing = said or (share, doing)
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


def _said(child: Process, outcome: IO[bytes], heard: Heard, *, limits: Limits) -> Iterator[tuple[float, str] | None]:
    """Yield the progress the child tells, and None whenever it was silent for a moment or said something else.

    Ends when it has closed its pipes, or is dead and whoever else still holds them is silent.
    """
    rest, talked = b"", 0
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
                piece = os.read(key.fd, PIECE_BYTES)
                if not piece:
                    selector.unregister(key.fileobj)
                elif key.fileobj is outcome:
                    heard.outcome += piece
                elif key.fileobj is child.stderr:
                    heard.tail = (heard.tail + piece)[-TAIL_BYTES:]
                else:
                    *lines, rest = (rest + piece).split(b"\n")
                    yield from (_progress(line, heard) for line in lines)
                talked += 0 if key.fileobj is outcome else len(piece)
            _check_size(heard, talked, limits=limits)
            yield None


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the child's output must be a pipe")
    return stream


def _check_size(heard: Heard, talked: int, *, limits: Limits) -> None:
    if talked > limits.output_kb * 1_000:
        raise RunFailed(f"The run said more than {limits.output_kb} kB and was stopped.", code="run_output")
    if len(heard.outcome) > limits.result_mb * 1_000_000:
        raise RunFailed(f"The result is larger than {limits.result_mb} MB; ask for fewer samples.", code="run_output")


def _progress(line: bytes, heard: Heard) -> tuple[float, str] | None:
    """Read one line; the first tells of the fence, and what is no progress (a library that prints) is nothing."""
    try:
        said = json.loads(line)
        if heard.fence is None:
            heard.fence = tuple(str(seal) for seal in said["fence"])
            return None
        share, doing = float(said["share"]), printable(str(said["doing"]), most=LONGEST_PHASE)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return (min(max(share, 0.0), 1.0), doing) if math.isfinite(share) else None


def printable(text: str, *, most: int) -> str:
    """Return text of a child as it may be stored and shown: no control characters, at most so many characters."""
    return "".join(character if character.isprintable() else " " for character in text[:most])


def _has_ended(child: Process) -> bool:
    # WNOWAIT leaves the child unreaped, so that its number cannot belong to another group when we kill.
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(child: Process, *, patience_s: float) -> int:
    """Wait for the child to end by itself, then kill its whole group, and return its exit status."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until and not _has_ended(child):
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    with child:  # leaving closes the pipes and reaps
        pass
    return child.returncode
