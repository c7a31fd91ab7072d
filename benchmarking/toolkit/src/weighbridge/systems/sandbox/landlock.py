"""Landlock: a process that only sees the files it was given, for good, and which needs no special right to ask for it.

Linux 5.13 and later; structures and numbers from `linux/landlock.h`. Nothing may be executed or written but what is
named; TCP (from Linux 6.7) and signals and abstract sockets to the outside (6.12) end here too.
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
# Which rights over files each version of Landlock knows, by their number of bits, and what it can close besides.
BITS = {1: 13, 2: 14, 3: 15, 4: 15}
NEWEST_BITS = 16
TCP_FROM, TCP = 4, 0b11
SCOPES_FROM, SCOPES = 6, 0b11
PR_SET_NO_NEW_PRIVS = 38

Prctl = Callable[..., int]
Syscall = Callable[..., int]


def enclose(*, reads: Iterable[Path], writes: Iterable[Path], prctl: Prctl, syscall: Syscall) -> bool:
    """Leave this process only `reads` and `writes` and what lies beneath; False where the kernel has no Landlock.

    Holds for this thread and those it starts. Paths that do not exist are passed over.
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
    """Return what is closed: every right that this version knows."""
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
