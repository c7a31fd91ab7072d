"""Limits: what a child process may use before the kernel stops it."""

import ctypes
import dataclasses
import os
import resource
import signal
from collections.abc import Callable

from weighbridge.core.errors import Invalid

PR_SET_PDEATHSIG = 1
CPU_GRACE_S = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one isolated run.

    `memory_mb` bounds the address space, `cpu_s` processor time over all threads, `wall_s` real time (kept by the
    parent), `result_mb` the result that is read back, `output_kb` what the child may say, `open_files` its descriptors,
    `tasks` its processes and threads. No file may grow at all: what a child has to tell goes through pipes.
    """

    memory_mb: int = 8_192
    cpu_s: int = 1_800
    wall_s: float = 600.0
    result_mb: int = 64
    output_kb: int = 1_024
    open_files: int = 256
    tasks: int = 1_024

    def __post_init__(self) -> None:
        """Refuse limits that stop everything."""
        for field in dataclasses.fields(self):
            if getattr(self, field.name) <= 0:
                raise Invalid(f"The limit {field.name} must be positive.", field=field.name)


def confine(
    limits: Limits,
    *,
    counts_tasks: bool = False,
    set_limit: Callable[[int, tuple[int, int]], None] = resource.setrlimit,
) -> None:
    """Lay the limits on this process for good; a hard limit that is lower already stays.

    Tasks are limited only where the kernel counts this run's alone (`counts_tasks`: in a user namespace of its own);
    elsewhere it counts all that the user runs, in other containers too, and a limit would stop the innocent.
    """
    megabyte = 1_000_000
    wanted = {
        resource.RLIMIT_AS: limits.memory_mb * megabyte,
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
        **({resource.RLIMIT_NPROC: limits.tasks} if counts_tasks else {}),
    }
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # At the soft limit of processor time the kernel names the cause (SIGXCPU), at the hard one it just kills.
        above = CPU_GRACE_S if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
        set_limit(kind, (allowed, allowed + above))


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends, so that no orphan measures on; Linux alone can."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have ended between the fork and the request.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
