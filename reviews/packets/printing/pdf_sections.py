"""Print the sections of a packet in parallel, in child processes that each print many sections.

Each child has the same limits and restrictions as the printer of a single packet. It is replaced after a number of
sections to bound its memory, and killed if one section takes too long. Results are passed on immediately, so that only
a few are in memory.
"""

import json
import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reviews.packets.ports import PrintFailed
from reviews.packets.printing.pdf import CHILD_ENVIRONMENT, MEMORY_MAX_BYTES, PROJECT, decoded, encoded, limit, render

PROCESSES = 2
SECTION_MAX_S = 60.0
CPU_MAX_S = 900
RENEW_AFTER = 60
WAITING_MAX = 4
FEW = 8
"""A child needs almost a second to start, so one child prints this number of sheets faster than two."""


@dataclass(frozen=True)
class PrintSection:
    """A section to print. `key` identifies its PDF; `assets` are used in addition to the shared ones."""

    key: str
    html: str
    assets: Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True)
class SectionPrinter:
    """Prints sheets in `processes` children of `memory_max_bytes`, each sheet in at most `section_max_s` seconds."""

    processes: int = PROCESSES
    section_max_s: float = SECTION_MAX_S
    memory_max_bytes: int = MEMORY_MAX_BYTES

    def print(
        self, sheets: Iterable[PrintSection], *, shared: Mapping[str, bytes], on_printed: Callable[[str, bytes], None]
    ) -> None:
        """Print every sheet and pass each PDF to `on_printed` in this thread. Raises the first PrintFailed."""
        work = _SheetQueue(iter(sheets))
        done: queue.Queue[tuple[str, bytes] | PrintFailed | None] = queue.Queue(maxsize=WAITING_MAX)
        threads = [
            threading.Thread(target=self._work, args=(work, shared, done), daemon=True) for _ in range(self.processes)
        ]
        for thread in threads:
            thread.start()
        try:
            _forward(done, len(threads), on_printed)
        finally:
            work.stop()
            _drain(done, threads)

    def _work(self, work: "_SheetQueue", shared: Mapping[str, bytes], done: "queue.Queue[Any]") -> None:
        child = None
        try:
            for sheet in work:
                if child is None or child.printed >= RENEW_AFTER:
                    child = _renewed(child, shared, self.memory_max_bytes)
                done.put((sheet.key, child.print(sheet, wall_max_s=self.section_max_s)))
        except PrintFailed as failure:
            done.put(failure)
        except Exception as error:  # noqa: BLE001 -- the waiting thread must receive every error
            done.put(PrintFailed(f"The printer of sections failed: {type(error).__name__}: {error}."))
        finally:
            if child is not None:
                child.close()
            done.put(None)


def processes_for(sheets: int) -> int:
    """The fastest number of children for this number of sheets."""
    return 1 if sheets <= FEW else PROCESSES


class _SheetQueue:
    """A thread-safe iterator over the remaining sheets."""

    def __init__(self, sheets: Iterator[PrintSection]) -> None:
        self._sheets = sheets
        self._lock = threading.Lock()
        self._is_stopped = False

    def stop(self) -> None:
        """Stop the iteration."""
        self._is_stopped = True

    def __iter__(self) -> Iterator[PrintSection]:
        while True:
            with self._lock:
                sheet = None if self._is_stopped else next(self._sheets, None)
            if sheet is None:
                return
            yield sheet


class _Child:
    """A child process that prints sheet after sheet."""

    def __init__(self, shared: Mapping[str, bytes], memory_max_bytes: int) -> None:
        self.printed = 0
        self._is_late = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reviews.packets.printing.pdf_sections"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=PROJECT,
            env=CHILD_ENVIRONMENT,
        )
        self._send({"shared": encoded(shared), "memory_max_bytes": memory_max_bytes, "cpu_max_s": CPU_MAX_S})

    def print(self, sheet: PrintSection, *, wall_max_s: float) -> bytes:
        """Print one sheet."""
        timer = threading.Timer(wall_max_s, self._kill_late)
        timer.start()
        try:
            self._send({"html": sheet.html, "assets": encoded(sheet.assets)})
            answer = self._read(sheet.key, wall_max_s)
        finally:
            timer.cancel()
        self.printed += 1
        return answer

    def close(self) -> None:
        """End the child."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.kill()
        self._process.wait()

    def _send(self, job: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 -- opened as a pipe
        try:
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return  # the child ended; _read reports how

    def _read(self, key: str, wall_max_s: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 -- opened as a pipe
        word, _, rest = self._process.stdout.readline().decode(errors="replace").rstrip("\n").partition(" ")
        if word == "ok":
            return self._process.stdout.read(int(rest))
        if word == "no":
            raise PrintFailed(f"The section {key}: {rest}")
        why = (
            f"took longer than {wall_max_s:g} s"
            if self._is_late
            else "ended its printer, most likely because of its memory"
        )
        raise PrintFailed(f"The section {key} {why}. Shorten its longest texts, then try again.")

    def _kill_late(self) -> None:
        self._is_late = True
        self._process.kill()


def _renewed(child: _Child | None, shared: Mapping[str, bytes], memory_max_bytes: int) -> _Child:
    if child is not None:
        child.close()
    return _Child(shared, memory_max_bytes)


def _forward(done: "queue.Queue[Any]", workers: int, on_printed: Callable[[str, bytes], None]) -> None:
    while workers:
        result = done.get()
        if result is None:
            workers -= 1
        elif isinstance(result, PrintFailed):
            raise result
        else:
            on_printed(*result)


def _drain(done: "queue.Queue[Any]", threads: Sequence[threading.Thread]) -> None:
    """Discard remaining results until all threads have ended, so that none blocks on a full queue."""
    while any(thread.is_alive() for thread in threads):
        try:
            done.get(timeout=0.1)
        except queue.Empty:
            continue


def main() -> int:
    """The child process: one JSON line per sheet on stdin; on stdout `ok LENGTH` and the PDF, or `no REASON`."""
    logging.getLogger("weasyprint").addHandler(logging.NullHandler())
    limits = json.loads(sys.stdin.readline())
    limit(cpu_max_s=limits["cpu_max_s"], memory_max_bytes=limits["memory_max_bytes"])
    from weasyprint.text.fonts import FontConfiguration

    shared, fonts, out = decoded(limits["shared"]), FontConfiguration(), sys.stdout.buffer
    for line in sys.stdin:
        job = json.loads(line)
        try:
            pdf = render(job["html"], assets=shared | decoded(job["assets"]), fonts=fonts)
            out.write(f"ok {len(pdf)}\n".encode() + pdf)
        except (PrintFailed, MemoryError, OSError, RuntimeError) as failure:
            reason = failure.reason if isinstance(failure, PrintFailed) else f"{type(failure).__name__}: {failure}"
            out.write(f"no {' '.join(reason.split())}\n".encode())
        out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
