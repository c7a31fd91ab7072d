"""Seals: what a process takes away from itself before it opens a model, as far as this kernel lets it.

Laid on before any other thread exists, since some hold for a thread and its descendants alone.
"""

import ctypes
import os
import platform
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from weighbridge.systems.sandbox import landlock, seccomp
from weighbridge.systems.sandbox.system_calls import PROCESSORS

LANDLOCK, CALL_FILTER = "Landlock", "kernel call filter"
SEALS = (LANDLOCK, CALL_FILTER)
# For an engine that insists on opening a file anew, even where that is a pipe; only behind a wall that has no file to
# open.
OPENING_FILTER = "kernel call filter but for opening files anew"
# Resetting the peak of memory writes to a file of the process's own.
OWN = (Path("/proc/self"), Path("/dev/null"))


def seal(wanted: Sequence[str], *, reads: Sequence[Path], call: "Kernel | None" = None) -> list[str]:
    """Lay on the seals wanted and return those that hold; `reads` are the files and folders left to read."""
    kernel = call or Kernel()
    held = []
    if LANDLOCK in wanted and landlock.enclose(reads=reads, writes=OWN, prctl=kernel.prctl, syscall=kernel.syscall):
        held.append(LANDLOCK)
    processor = PROCESSORS.get(platform.machine())
    filters: dict[str, Callable[..., bool]] = {
        CALL_FILTER: seccomp.wear,
        OPENING_FILTER: partial(seccomp.wear, opens_anew=True),
    }
    for name, wear in filters.items():
        if (
            name in wanted
            and processor
            and wear(processor, pid=os.getpid(), prctl=kernel.prctl, syscall=kernel.syscall)
        ):
            held.append(name)
    return held


class Kernel:
    """The two doors to the kernel that Python's library lacks; every call answers -1 where there is no such door."""

    def __init__(self, library: Callable[[None], ctypes.CDLL] = ctypes.CDLL) -> None:
        """Open the C library of this process; elsewhere than on Linux the same numbers mean other things."""
        self._library = library(None) if platform.system() == "Linux" else None

    def prctl(self, *arguments: int) -> int:
        """Call `prctl(2)`."""
        return self._call("prctl", *arguments)

    def syscall(self, *arguments: object) -> int:
        """Call any kernel function by its number."""
        return self._call("syscall", *arguments)

    def _call(self, name: str, *arguments: object) -> int:
        function = getattr(self._library, name, None)
        if function is None:
            return -1
        # Variadic functions take whole registers; a bare Python number would fill half of one.
        return int(
            function(*(ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments))
        )
