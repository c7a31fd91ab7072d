"""The memory of this process and of its children while something runs, as Linux counts it."""

import threading
from pathlib import Path
from types import TracebackType

import psutil

EVERY_S = 0.05


class Watched:
    """Keeps the largest resident memory in MiB of this process, as `worker`, and of each module that its children run.

    A child that just forked still has the memory of this process, so it counts only once it runs its module.
    """

    def __init__(self) -> None:
        self.peaks_mib: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watched":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._over.wait(EVERY_S):
            self._keep("worker", own)
            for child in own.children():
                try:
                    command = child.cmdline()
                except psutil.Error:
                    continue
                if command[1:2] == ["-m"]:
                    self._keep(Path(command[2]).suffix[1:], child)

    def _keep(self, name: str, process: psutil.Process) -> None:
        try:
            mib = process.memory_info().rss / 1024**2
        except psutil.Error:
            return
        self.peaks_mib[name] = max(self.peaks_mib.get(name, 0.0), mib)
