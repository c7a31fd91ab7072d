"""Resource limits of a child process."""

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

    `memory_mb` limits the address space, `cpu_s` the processor time of all threads, `wall_s` the elapsed time (enforced
    by the parent), `result_mb` the size of the result, `output_kb` the output of the child, `open_files` its
    descriptors, `tasks` its processes and threads. The child cannot write to any file: it communicates through pipes.
    """

    memory_mb: int = 8_192
    cpu_s: int = 1_800
    wall_s: float = 600.0
    result_mb: int = 64
    output_kb: int = 1_024
    open_files: int = 256
    tasks: int = 1_024

    def __post_init__(self) -> None:
        """Raise Invalid for limits of zero or less."""
        for field in dataclasses.fields(self):
            if getattr(self, field.name) <= 0:
                raise Invalid(f"The limit {field.name} must be positive.", field=field.name)


def apply_limits(
    limits: Limits,
    *,
    counts_tasks: bool = False,
    set_limit: Callable[[int, tuple[int, int]], None] = resource.setrlimit,
) -> None:
    """Apply the limits to this process permanently; lower existing hard limits stay.

    Tasks are limited only if the kernel counts the tasks of this run separately (`counts_tasks`, in its own user
    namespace). Otherwise it counts all tasks of the user, also in other containers, and the limit could stop those.
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
        # At the soft CPU limit, the kernel sends SIGXCPU, which names the cause; at the hard limit, it only kills.
        grace = CPU_GRACE_S if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
        set_limit(kind, (allowed, allowed + grace))


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends, so that it cannot become an orphan (Linux only)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have ended between the fork and the request.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
