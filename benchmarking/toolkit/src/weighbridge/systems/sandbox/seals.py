"""Seals: restrictions that a process applies to itself before it opens a model, if the kernel supports them.

They must be applied before other threads exist, because some apply only to a thread and its descendants.
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
# For an engine that opens a file for creation, even if it is a pipe; only inside bubblewrap, where no file can be
# created.
OPENING_FILTER = "kernel call filter but for opening files anew"
# Resetting peak memory writes to a file of this process in /proc.
OWN = (Path("/proc/self"), Path("/dev/null"))


def apply_seals(wanted: Sequence[str], *, reads: Sequence[Path], call: "Kernel | None" = None) -> list[str]:
    """Apply the requested seals and return those that are active; `reads` are the readable files and folders."""
    kernel = call or Kernel()
    active = []
    if LANDLOCK in wanted and landlock.restrict_process(
        reads=reads, writes=OWN, prctl=kernel.prctl, syscall=kernel.syscall
    ):
        active.append(LANDLOCK)
    processor = PROCESSORS.get(platform.machine())
    filters: dict[str, Callable[..., bool]] = {
        CALL_FILTER: seccomp.install_filter,
        OPENING_FILTER: partial(seccomp.install_filter, allow_create=True),
    }
    for name, install in filters.items():
        if (
            name in wanted
            and processor
            and install(processor, pid=os.getpid(), prctl=kernel.prctl, syscall=kernel.syscall)
        ):
            active.append(name)
    return active


class Kernel:
    """Access to prctl and syscall, which the Python library lacks; every call returns -1 if not available."""

    def __init__(self, library: Callable[[None], ctypes.CDLL] = ctypes.CDLL) -> None:
        """Open the C library of this process; only on Linux, because the numbers differ elsewhere."""
        self._library = library(None) if platform.system() == "Linux" else None

    def prctl(self, *arguments: int) -> int:
        """Call `prctl(2)`."""
        return self._call("prctl", *arguments)

    def syscall(self, *arguments: object) -> int:
        """Call any system call by its number."""
        return self._call("syscall", *arguments)

    def _call(self, name: str, *arguments: object) -> int:
        function = getattr(self._library, name, None)
        if function is None:
            return -1
        # Variadic functions read full registers; a plain Python int would fill only half of one.
        return int(
            function(*(ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments))
        )
