"""The generator: several processes that start and stop together, with merged raw samples."""

import base64
import contextlib
import dataclasses
import io
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import Refused
from weighbridge.load.chat.results.samples import ChatSamples, chat_file, merge_chat_samples, read_chat_samples
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.results.samples import LoadSamples, merge_samples, read_samples, schedule_order
from weighbridge.measure.stopping import Progress

PROGRAM = (sys.executable, "-m", "weighbridge.load.generator.child")
ROOT = Path(__file__).parents[3]
LEAD_S = 0.1
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 5.0
POLL_INTERVAL_S = 0.05


class GeneratorFailed(Refused):
    """The generator failed and measured nothing."""

    default_code = "generator_failed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shard:
    """The requests of the plan sent here: the parts in `mine` of `of` equal parts, one process per part."""

    mine: Sequence[int]
    of: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class GeneratorResult:
    """The results of all processes; `lost_processes` ended without samples.

    `opened` counts connections, `peak` those open at once; `pool_limits` are what kept the pool from growing.
    `processor_share` is the share of its processor that the busiest process used, or of all processors that all used,
    whichever is larger; `crowding` is the number of processes for each processor. `streamed` of the first answers were
    streamed. `streams` is the number of requests that a connection could have at once, above 1 only with HTTP/2.
    `reading_s` is the processor time of reading streams of events, which `chat` has the samples of.
    """

    samples: LoadSamples
    is_stopped: bool
    lost_processes: int
    opened: int
    cpu_s: float
    complaints: dict[str, str]
    peak: int = 0
    pool_limits: tuple[str, ...] = ()
    processor_share: float = 0.0
    crowding: float = 0.0
    streamed: int = 0
    streams: int = 1
    reading_s: float = 0.0
    chat: ChatSamples | None = None

    def counters(self) -> dict[str, Any]:
        """Return the counters of this part, as `merge_counters` reads them."""
        return {name: getattr(self, name) for name in COUNTERS}


COUNTERS = (
    "opened",
    "peak",
    "pool_limits",
    "streamed",
    "streams",
    "cpu_s",
    "reading_s",
    "processor_share",
    "crowding",
    "complaints",
)


def merge_counters(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the counters of a whole test as fields of `GeneratorResult`, from those of its parts."""
    sums = {name: sum(part[name] for part in parts) for name in ("opened", "peak", "streamed", "cpu_s", "reading_s")}
    return {
        **sums,
        "streams": min(part["streams"] for part in parts),
        "pool_limits": tuple(sorted({limit for part in parts for limit in part["pool_limits"]})),
        **{name: max(part[name] for part in parts) for name in ("processor_share", "crowding")},
        "complaints": {kind: text for part in reversed(parts) for kind, text in part["complaints"].items()},
    }


@dataclasses.dataclass
class GeneratorProcess:
    """One process and its latest state."""

    process: "subprocess.Popen[bytes]"
    input: IO[bytes]
    output: io.BufferedReader
    samples: Path
    rest: bytes = b""
    is_ready: bool = False
    settled: int = 0
    failed: int = 0
    done: dict[str, Any] | None = None

    def send(self, **message: object) -> None:
        """Send one message; ignored if the process has ended."""
        with contextlib.suppress(BrokenPipeError):
            self.input.write(json.dumps(message).encode() + b"\n")
            self.input.flush()

    def receive(self) -> bool:
        """Read from the process once; return False at end of file; raise GeneratorFailed if it reports an error."""
        chunk = self.output.read1(65_536)
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for message in map(json.loads, lines):
            if "refusal" in message:
                raise GeneratorFailed(**message["refusal"])
            self.is_ready = self.is_ready or "ready" in message
            self.settled, self.failed = message.get("settled", self.settled), message.get("failed", self.failed)
            self.done = message.get("done", self.done)
        return bool(chunk)


def generate_load(
    plan: LoadPlan,
    target: PinnedAddress,
    *,
    share: Shard,
    caps: LoadCaps,
    folder: Path,
    on_progress: Progress,
    should_stop: Callable[[], bool],
    starts_at_s: float | None = None,
) -> GeneratorResult:
    """Send the requests of the share and return the samples.

    `starts_at_s` is the common start in seconds since 1970, by default as soon as every process is ready. The callbacks
    are called several times a second; once `should_stop()` is true, the processes end within a second and the partial
    result is returned. Writes only to `folder`. Raises GeneratorFailed if nothing was measured.
    """
    processes = GeneratorProcesses()
    try:
        processes.start(plan, target, share=share, caps=caps, folder=folder)
        is_stopped = processes.follow(plan, on_progress=on_progress, should_stop=should_stop, starts_at_s=starts_at_s)
        return processes.collect(is_stopped=is_stopped)
    finally:
        processes.end()


class GeneratorProcesses:
    """The processes of one test."""

    def __init__(self) -> None:
        """Begin without processes."""
        self.children: list[GeneratorProcess] = []
        self.is_chat = False

    def start(self, plan: LoadPlan, target: PinnedAddress, *, share: Shard, caps: LoadCaps, folder: Path) -> None:
        """Start one process for each part; raise GeneratorFailed if the system allows no more processes or files."""
        document, self.is_chat = {**dataclasses.asdict(plan), "headers": list(plan.headers)}, plan.chat is not None
        for part in share.mine:
            order = {
                "plan": document,
                "target": dataclasses.asdict(target),
                "share": part,
                "of": share.of,
                "caps": dataclasses.asdict(caps),
                "samples": str(folder / f"samples-{part}.npz"),
            }
            try:
                child = start(Path(str(order["samples"])))
            except OSError as error:
                text = (
                    f"Process {part + 1} of {share.of} of the generator cannot start: {error.strerror}. Use fewer "
                    "--processes, or raise the limits of this session (ulimit -n, ulimit -u)."
                )
                raise GeneratorFailed(text, field="processes") from error
            self.children.append(child)
            child.send(**order)

    def follow(
        self, plan: LoadPlan, *, on_progress: Progress, should_stop: Callable[[], bool], starts_at_s: float | None
    ) -> bool:
        """Start all processes together and wait until all have ended; return True if they were stopped."""
        began_s, start_s, stop_by_s = time.monotonic(), 0.0, 0.0
        with selectors.DefaultSelector() as selector:
            for child in self.children:
                selector.register(child.output, selectors.EVENT_READ, child)
            while selector.get_map():
                for key, _ in selector.select(POLL_INTERVAL_S):
                    if not key.data.receive():
                        selector.unregister(key.fileobj)
                now_s = time.monotonic()
                if not start_s and all(child.is_ready for child in self.children):
                    start_s = now_s + LEAD_S if starts_at_s is None else now_s + starts_at_s - time.time()
                    self._send_all(start_ns=int(start_s * 1e9))
                if not stop_by_s and (should_stop() or (not start_s and now_s - began_s > READY_WITHIN_S)):
                    stop_by_s = now_s + STOP_WITHIN_S
                    self._send_all(stop=True)
                if stop_by_s and now_s > stop_by_s:
                    break
                on_progress(*self._progress(plan, now_s - start_s if start_s else 0.0))
        return bool(stop_by_s)

    def collect(self, *, is_stopped: bool) -> GeneratorResult:
        """Merge the samples of the processes."""
        finished = {child.samples: child.done for child in self.children if child.done is not None}
        if not finished:
            why = "It was stopped before it started." if is_stopped else "Its processes ended without a result."
            raise GeneratorFailed(f"The load generator measured nothing. {why}")
        processors, shares = len(os.sched_getaffinity(0)), [done["processor_share"] for done in finished.values()]
        crowding = {"crowding": len(self.children) / processors}
        counters = merge_counters([done | crowding for done in finished.values()])
        parts = [read_samples(_content_of(path, done, "samples")) for path, done in finished.items()]
        return GeneratorResult(
            samples=merge_samples(parts),
            chat=_chat_of(finished, schedule_order(parts)) if self.is_chat else None,
            is_stopped=is_stopped,
            lost_processes=len(self.children) - len(finished),
            **{**counters, "processor_share": max(*shares, sum(shares) / processors)},
        )

    def end(self) -> None:
        """Terminate all processes."""
        for child in self.children:
            if child.done is None:
                child.process.kill()
            with contextlib.suppress(BrokenPipeError):
                child.input.close()
            child.output.close()
            child.process.wait()

    def _send_all(self, **message: object) -> None:
        for child in self.children:
            child.send(**message)

    def _progress(self, plan: LoadPlan, elapsed_s: float) -> tuple[float, str]:
        if elapsed_s <= 0:
            return 0.0, "opening connections"
        settled, failed = (sum(getattr(child, name) for child in self.children) for name in ("settled", "failed"))
        return min(1.0, elapsed_s / plan.duration_s), f"{settled:,} done, {failed:,} failed"


def _chat_of(finished: Mapping[Path, Mapping[str, Any]], order: NDArray[np.int64]) -> ChatSamples:
    parts = [read_chat_samples(_content_of(chat_file(path), done, "chat")) for path, done in finished.items()]
    return merge_chat_samples(parts, order)


def _content_of(path: Path, done: Mapping[str, Any], name: str) -> io.BytesIO:
    """Return the samples of a process from its file, or from its message if it could not write one."""
    return io.BytesIO(base64.b64decode(done[name]) if name in done else path.read_bytes())


def start(samples: Path) -> GeneratorProcess:
    """Start a process that writes its samples to the given file."""
    process = subprocess.Popen(  # noqa: S603 -- our own module, no shell
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    return GeneratorProcess(
        process, cast("IO[bytes]", process.stdin), cast("io.BufferedReader", process.stdout), samples
    )
