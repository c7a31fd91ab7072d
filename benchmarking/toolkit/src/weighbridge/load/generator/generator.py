"""The generator: one process per core, started together, stopped together, their raw samples laid together."""

import contextlib
import dataclasses
import io
import json
import selectors
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, cast

from weighbridge.core.addresses import Pinned
from weighbridge.core.errors import Refused
from weighbridge.load.plan import LoadPlan
from weighbridge.load.results.samples import LoadSamples, merged, read_samples

PROGRAM = (sys.executable, "-m", "weighbridge.load.generator.child")
ROOT = Path(__file__).parents[3]
LEAD_S = 0.1
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 5.0
LOOK_EVERY_S = 0.05


class GeneratorFailed(Refused):
    """The generator itself failed; nothing was measured."""

    default_code = "generator_failed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shard:
    """Which requests of the plan are fired here: the parts in `mine` of `of` equal parts, one process for each."""

    mine: Sequence[int]
    of: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fired:
    """What the processes brought home. `lost_processes` ended without their samples."""

    samples: LoadSamples
    is_stopped: bool
    lost_processes: int
    opened: int
    cpu_s: float
    complaints: dict[str, str]


@dataclasses.dataclass
class Child:
    """One process, and the latest it said."""

    process: "subprocess.Popen[bytes]"
    inbox: IO[bytes]
    mouth: io.BufferedReader
    samples: Path
    rest: bytes = b""
    is_ready: bool = False
    settled: int = 0
    failed: int = 0
    done: dict[str, Any] | None = None

    def tell(self, **words: object) -> None:
        """Send one line; a process that has ended hears nothing."""
        with contextlib.suppress(BrokenPipeError):
            self.inbox.write(json.dumps(words).encode() + b"\n")
            self.inbox.flush()

    def hear(self, piece: bytes) -> None:
        """Take in what it said; raise its refusal."""
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for said in map(json.loads, lines):
            if "refusal" in said:
                raise GeneratorFailed(**said["refusal"])
            self.is_ready = self.is_ready or "ready" in said
            self.settled, self.failed = said.get("settled", self.settled), said.get("failed", self.failed)
            self.done = said.get("done", self.done)


def fire(
    plan: LoadPlan,
    target: Pinned,
    *,
    share: Shard,
    answer_bytes: int,
    folder: Path,
    on_progress: Callable[[float, str], None],
    should_stop: Callable[[], bool],
    starts_at_s: float | None = None,
) -> Fired:
    """Fire the plan's share and return what became of each request.

    `starts_at_s` is the common start in seconds since 1970, by default as soon as every process is ready. The callbacks
    are called several times a second; once `should_stop()` is true, the processes end within a second and what was
    measured is returned. Writes into `folder` alone. Raises GeneratorFailed where nothing could be measured.
    """
    crew = Crew(plan, target, share=share, answer_bytes=answer_bytes, folder=folder)
    try:
        is_stopped = crew.follow(plan, on_progress=on_progress, should_stop=should_stop, starts_at_s=starts_at_s)
        return crew.bring_home(is_stopped=is_stopped)
    finally:
        crew.end()


class Crew:
    """The processes of one test."""

    def __init__(self, plan: LoadPlan, target: Pinned, *, share: Shard, answer_bytes: int, folder: Path) -> None:
        """Start one process for each part."""
        document = {**dataclasses.asdict(plan), "headers": list(plan.headers)}
        self.children: list[Child] = []
        for part in share.mine:
            order = {
                "plan": document,
                "target": dataclasses.asdict(target),
                "share": part,
                "of": share.of,
                "answer_bytes": answer_bytes,
                "samples": str(folder / f"samples-{part}.npz"),
            }
            child = start(Path(str(order["samples"])))
            self.children.append(child)
            child.tell(**order)

    def follow(
        self,
        plan: LoadPlan,
        *,
        on_progress: Callable[[float, str], None],
        should_stop: Callable[[], bool],
        starts_at_s: float | None,
    ) -> bool:
        """Start them together, and listen until each has ended; True where they were told to stop."""
        began_s, start_s, stop_by_s = time.monotonic(), 0.0, 0.0
        with selectors.DefaultSelector() as ears:
            for child in self.children:
                ears.register(child.mouth, selectors.EVENT_READ, child)
            while ears.get_map():
                for key, _ in ears.select(LOOK_EVERY_S):
                    if not self._heard(key.data):
                        ears.unregister(key.fileobj)
                now_s = time.monotonic()
                if not start_s and all(child.is_ready for child in self.children):
                    start_s = now_s + LEAD_S if starts_at_s is None else now_s + starts_at_s - time.time()
                    self._tell_all(start_ns=int(start_s * 1e9))
                if not stop_by_s and (should_stop() or (not start_s and now_s - began_s > READY_WITHIN_S)):
                    stop_by_s = now_s + STOP_WITHIN_S
                    self._tell_all(stop=True)
                if stop_by_s and now_s > stop_by_s:
                    break
                on_progress(*self._progress(plan, now_s - start_s if start_s else 0.0))
        return bool(stop_by_s)

    def bring_home(self, *, is_stopped: bool) -> Fired:
        """Lay the samples of the processes together."""
        home = [child for child in self.children if child.done is not None]
        if not home:
            why = "It was stopped before it began." if is_stopped else "Its processes ended without a word."
            raise GeneratorFailed(f"The load generator measured nothing. {why}")
        parts = []
        for child in home:
            with child.samples.open("rb") as file:
                parts.append(read_samples(file))
        said = [child.done for child in home if child.done is not None]
        complaints: dict[str, str] = {}
        for each in said:
            complaints = {**each["complaints"], **complaints}
        totals = Counter[str]()
        for each in said:
            totals.update({"opened": each["opened"], "cpu_s": each["cpu_s"]})
        return Fired(
            samples=merged(parts),
            is_stopped=is_stopped,
            lost_processes=len(self.children) - len(home),
            opened=totals["opened"],
            cpu_s=totals["cpu_s"],
            complaints=complaints,
        )

    def end(self) -> None:
        """Leave no process behind."""
        for child in self.children:
            if child.done is None:
                child.process.kill()
            with contextlib.suppress(BrokenPipeError):
                child.inbox.close()
            child.mouth.close()
            child.process.wait()

    def _heard(self, child: Child) -> bool:
        """Listen to a child once; False when it has nothing more to say."""
        piece = child.mouth.read1(65_536)
        child.hear(piece)
        return bool(piece)

    def _tell_all(self, **words: object) -> None:
        for child in self.children:
            child.tell(**words)

    def _progress(self, plan: LoadPlan, elapsed_s: float) -> tuple[float, str]:
        settled, failed = (sum(getattr(child, name) for child in self.children) for name in ("settled", "failed"))
        if elapsed_s <= 0:
            return 0.0, "opening connections"
        return min(1.0, elapsed_s / plan.duration_s), f"{settled:,} done, {failed:,} failed"


def start(samples: Path) -> Child:
    """Start a process that will write its samples to the file named."""
    process = subprocess.Popen(  # noqa: S603 -- our own module, no shell
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    return Child(process, cast("IO[bytes]", process.stdin), cast("io.BufferedReader", process.stdout), samples)
