"""The kernel call filter: a process that wears it starts no process, opens no socket, changes no file; nor can it
undress.

A seccomp filter in classic BPF, assembled here; see `man 2 seccomp` and the kernel's `Documentation/userspace-api/`.
Everything a measurement needs stays: memory, threads, reading, clocks. It holds for every later thread too.
"""

import ctypes
import os
import struct
from collections.abc import Callable, Sequence
from errno import EACCES, ENOSYS, EPERM

from weighbridge.systems.sandbox.system_calls import NEWEST, Processor

Instruction = tuple[int, int, int, int]

# Codes of classic BPF, and where the kernel lays the number, the processor and the arguments of a call.
LOAD, AND, IF_EQUAL, IF_GREATER, RETURN = 0x20, 0x54, 0x15, 0x25, 0x06
NUMBER_AT, PROCESSOR_AT, ARGUMENTS_AT = 0, 4, 16
ALLOW, KILL, REFUSE = 0x7FFF_0000, 0x8000_0000, 0x0005_0000

CLONE_THREAD = 0x1_0000
OPENS_ANEW = os.O_CREAT | os.O_TRUNC | 0o20_000_000  # the last is O_TMPFILE without its O_DIRECTORY
OPENS = ("open", "openat")
MAP_SHARED, MAP_ANONYMOUS = 0x01, 0x20
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
SET_MODE_FILTER, ALL_THREADS, NO_SLOWER_BRANCHES = 1, 1, 4

Prctl = Callable[..., int]
Syscall = Callable[..., int]


def wear(processor: Processor, *, pid: int, prctl: Prctl, syscall: Syscall, opens_anew: bool = False) -> bool:
    """Put the filter on this process for good; False where the kernel has no filters."""
    lines = program(processor, pid=pid, opens_anew=opens_anew)
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in lines)
    kept = ctypes.create_string_buffer(code, len(code))
    length_and_address = struct.pack("@HP", len(code) // 8, ctypes.addressof(kept))
    described = ctypes.create_string_buffer(length_and_address, len(length_and_address))
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    # Without the last flag, kernels before 5.16 would slow this process down, and so falsify what it measures.
    return syscall(processor.seccomp, SET_MODE_FILTER, ALL_THREADS | NO_SLOWER_BRANCHES, described) == 0


def program(processor: Processor, *, pid: int, opens_anew: bool = False) -> list[Instruction]:
    """Return the filter's instructions; signals may go to `pid`, which is the wearer, and to nobody else.

    With `opens_anew` a file may be opened to be made or cut, which other walls must then forbid.
    """
    weighed = {name: number for name, number in processor.weighed.items() if not (opens_anew and name in OPENS)}
    return [
        *_load(PROCESSOR_AT),
        (IF_EQUAL, 1, 0, processor.audit_arch),
        (RETURN, 0, 0, KILL),
        *_load(NUMBER_AT),
        (IF_GREATER, 0, 1, NEWEST),
        (RETURN, 0, 0, REFUSE | ENOSYS),
        *(line for number in processor.missing for line in _when(number, [(RETURN, 0, 0, REFUSE | ENOSYS)])),
        *(line for name, number in weighed.items() for line in _when(number, _weighing(name, pid))),
        *(line for number in processor.refused for line in _when(number, [(RETURN, 0, 0, REFUSE | EPERM)])),
        (RETURN, 0, 0, ALLOW),
    ]


def _weighing(name: str, pid: int) -> list[Instruction]:
    """Return what decides on one call, by its arguments; only their lower halves, as the kernel's own types are."""
    match name:
        case "clone":  # threads, but no processes
            return [*_load(_argument(0)), (AND, 0, 0, CLONE_THREAD), *_allow_only(CLONE_THREAD, EPERM)]
        case "kill" | "tgkill":  # itself, as abort() does
            return [*_load(_argument(0)), *_allow_only(pid, EPERM)]
        case "prlimit64":  # reading limits; the new ones lie at an address, and no address is zero in both halves
            return [
                *_load(_argument(2)),
                (IF_EQUAL, 1, 0, 0),
                (RETURN, 0, 0, REFUSE | EPERM),
                *_load(_argument(2) + 4),
                *_allow_only(0, EPERM),
            ]
        case "prctl":  # anything but outliving the parent
            return [*_load(_argument(0)), *_refuse_only(PR_SET_PDEATHSIG, EPERM)]
        case "mmap":  # writing into a mapped file would pass by every limit of size
            kind = MAP_SHARED | MAP_ANONYMOUS
            return [*_load(_argument(3)), (AND, 0, 0, kind), *_refuse_only(MAP_SHARED, EACCES)]
        case _:  # open and openat: what is there already
            flags = _argument(1 if name == "open" else 2)
            return [*_load(flags), (AND, 0, 0, OPENS_ANEW), *_allow_only(0, EACCES)]


def _load(offset: int) -> list[Instruction]:
    return [(LOAD, 0, 0, offset)]


def _argument(index: int) -> int:
    return ARGUMENTS_AT + 8 * index


def _when(number: int, then: Sequence[Instruction]) -> list[Instruction]:
    """Return instructions that do `then`, which must end with an answer, for one call, and pass over it for others."""
    return [(IF_EQUAL, 0, len(then), number), *then]


def _allow_only(value: int, error: int) -> list[Instruction]:
    return [(IF_EQUAL, 0, 1, value), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE | error)]


def _refuse_only(value: int, error: int) -> list[Instruction]:
    return [(IF_EQUAL, 0, 1, value), (RETURN, 0, 0, REFUSE | error), (RETURN, 0, 0, ALLOW)]
