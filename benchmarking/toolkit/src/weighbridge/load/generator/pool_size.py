"""How many connections one process of the generator may hold, and what sets that limit."""

import dataclasses
import errno
import resource
from enum import StrEnum

from weighbridge.load.plan import LoadPlan

# Files that a process of the generator needs besides its connections.
RESERVED_FILES = 32


class PoolLimit(StrEnum):
    """What keeps a pool from growing: the user, the cap, file descriptors, or the ports of this machine."""

    FIXED = "fixed"
    CAP = "cap"
    FILES = "files"
    PORTS = "ports"


# Errors of a connection attempt that come from this machine, not from the target.
OWN_ERRORS = {
    errno.EMFILE: PoolLimit.FILES,
    errno.ENFILE: PoolLimit.FILES,
    errno.EADDRNOTAVAIL: PoolLimit.PORTS,
}


@dataclasses.dataclass(frozen=True)
class PoolSize:
    """The connections opened before the start, the most that may be open, and what limits them."""

    warm: int
    most: int
    limit: PoolLimit


def pool_size(plan: LoadPlan, *, part: int, of: int, cap: int) -> PoolSize:
    """Return the pool of one of `of` equal parts of a plan; `cap` is for all parts together.

    A user of a closed loop has one connection.
    Raises the soft limit of file descriptors of this process, up to its hard limit.
    """
    most = len(range(part, plan.connections or plan.users or cap, of))
    limit = PoolLimit.FIXED if plan.connections else PoolLimit.CAP
    files = _allowed_files(most + RESERVED_FILES) - RESERVED_FILES
    if files < most:
        most, limit = max(1, files), PoolLimit.FILES
    warm = len(range(part, plan.connections or plan.users or plan.warm_connections, of))
    return PoolSize(max(1, min(most, warm)), most, limit)


def _allowed_files(wanted: int) -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft
