"""Landlock: restricts this process permanently to the given files, without special privileges.

Linux 5.13 and later; structures and numbers are from `linux/landlock.h`. It forbids execution and writes except to the
given files, TCP (Linux 6.7 and later), and signals and abstract sockets to other processes (6.12 and later).
"""

import ctypes
import os
import stat
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every processor
ASK_VERSION, PATH_BENEATH = 1, 1
WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
# Number of file access rights in each version of Landlock, and the versions that restrict TCP and IPC scopes.
BITS = {1: 13, 2: 14, 3: 15, 4: 15}
NEWEST_BITS = 16
TCP_FROM, TCP = 4, 0b11
SCOPES_FROM, SCOPES = 6, 0b11
PR_SET_NO_NEW_PRIVS = 38

Prctl = Callable[..., int]
Syscall = Callable[..., int]


def restrict_process(*, reads: Iterable[Path], writes: Iterable[Path], prctl: Prctl, syscall: Syscall) -> bool:
    """Restrict this process to `reads`, `writes` and their contents; return False without Landlock in the kernel.

    Applies to this thread and the threads that it starts. Paths that do not exist are ignored.
    """
    version = syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    if version < 1 or prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    attributes = ruleset(version)
    rules = syscall(CREATE_RULESET, ctypes.create_string_buffer(attributes, len(attributes)), len(attributes), 0)
    if rules < 0:
        return False
    try:
        for path in reads:
            _allow(rules, path, READ_FILE | READ_DIR, syscall)
        for path in writes:
            _allow(rules, path, READ_FILE | READ_DIR | WRITE_FILE, syscall)
        return syscall(RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)


def ruleset(version: int) -> bytes:
    """Return the ruleset attributes, which restrict all rights of this version."""
    files = (1 << BITS.get(version, NEWEST_BITS)) - 1
    if version < TCP_FROM:
        return struct.pack("=Q", files)
    if version < SCOPES_FROM:
        return struct.pack("=QQ", files, TCP)
    return struct.pack("=QQQ", files, TCP, SCOPES)


def _allow(rules: int, path: Path, rights: int, syscall: Syscall) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        granted = rights if is_folder else rights & ~READ_DIR
        rule = ctypes.create_string_buffer(struct.pack("=Qi", granted, descriptor), 12)
        syscall(ADD_RULE, rules, PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)
