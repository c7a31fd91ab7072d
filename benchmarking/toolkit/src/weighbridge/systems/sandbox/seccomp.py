"""The system call filter: prevents a process from starting processes, opening sockets and changing files.

A seccomp filter in classic BPF; see `man 2 seccomp` and the kernel documentation, `Documentation/userspace-api/`. It
allows everything that a measurement needs: memory, threads, reading, clocks. It cannot be removed, and also applies to
later threads.
"""

import ctypes
import os
import struct
from collections.abc import Callable, Sequence
from errno import EACCES, ENOSYS, EPERM

from weighbridge.systems.sandbox.system_calls import NEWEST, Processor

Instruction = tuple[int, int, int, int]

# Opcodes of classic BPF, and the offsets of number, architecture and arguments of a system call.
LOAD, AND, IF_EQUAL, IF_GREATER, RETURN = 0x20, 0x54, 0x15, 0x25, 0x06
NUMBER_AT, PROCESSOR_AT, ARGUMENTS_AT = 0, 4, 16
ALLOW, KILL, REFUSE = 0x7FFF_0000, 0x8000_0000, 0x0005_0000

CLONE_THREAD = 0x1_0000
CREATE_FLAGS = os.O_CREAT | os.O_TRUNC | 0o20_000_000  # the last is O_TMPFILE without its O_DIRECTORY
OPENS = ("open", "openat")
MAP_SHARED, MAP_ANONYMOUS = 0x01, 0x20
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
SET_MODE_FILTER, ALL_THREADS, NO_SLOWER_BRANCHES = 1, 1, 4

Prctl = Callable[..., int]
Syscall = Callable[..., int]


def install_filter(
    processor: Processor, *, pid: int, prctl: Prctl, syscall: Syscall, allow_create: bool = False
) -> bool:
    """Install the filter in this process permanently; return False if the kernel does not support filters."""
    instructions = filter_program(processor, pid=pid, allow_create=allow_create)
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    length_and_address = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    descriptor = ctypes.create_string_buffer(length_and_address, len(length_and_address))
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    # Without the last flag, kernels before 5.16 slow this process down and distort the measurement.
    return syscall(processor.seccomp, SET_MODE_FILTER, ALL_THREADS | NO_SLOWER_BRANCHES, descriptor) == 0


def filter_program(processor: Processor, *, pid: int, allow_create: bool = False) -> list[Instruction]:
    """Return the filter's instructions; signals may be sent only to `pid`, this process.

    With `allow_create`, files may be opened for creation or truncation, which other layers must then prevent.
    """
    conditional = {
        name: number for name, number in processor.conditional.items() if not (allow_create and name in OPENS)
    }
    return [
        *_load(PROCESSOR_AT),
        (IF_EQUAL, 1, 0, processor.audit_arch),
        (RETURN, 0, 0, KILL),
        *_load(NUMBER_AT),
        (IF_GREATER, 0, 1, NEWEST),
        (RETURN, 0, 0, REFUSE | ENOSYS),
        *(line for number in processor.missing for line in _when(number, [(RETURN, 0, 0, REFUSE | ENOSYS)])),
        *(line for name, number in conditional.items() for line in _when(number, _condition(name, pid))),
        *(line for number in processor.refused for line in _when(number, [(RETURN, 0, 0, REFUSE | EPERM)])),
        (RETURN, 0, 0, ALLOW),
    ]


def _condition(name: str, pid: int) -> list[Instruction]:
    """Return the instructions that decide on a call by its arguments; checks lower halves, like the kernel types."""
    match name:
        case "clone":  # threads, but no processes
            return [*_load(_argument(0)), (AND, 0, 0, CLONE_THREAD), *_allow_only(CLONE_THREAD, EPERM)]
        case "kill" | "tgkill":  # itself, as abort() does
            return [*_load(_argument(0)), *_allow_only(pid, EPERM)]
        case "prlimit64":  # reading limits only: the pointer to new limits must be null in both halves
            return [
                *_load(_argument(2)),
                (IF_EQUAL, 1, 0, 0),
                (RETURN, 0, 0, REFUSE | EPERM),
                *_load(_argument(2) + 4),
                *_allow_only(0, EPERM),
            ]
        case "prctl":  # anything except clearing the parent-death signal
            return [*_load(_argument(0)), *_refuse_only(PR_SET_PDEATHSIG, EPERM)]
        case "mmap":  # writes to a shared file mapping would bypass the file size limit
            kind = MAP_SHARED | MAP_ANONYMOUS
            return [*_load(_argument(3)), (AND, 0, 0, kind), *_refuse_only(MAP_SHARED, EACCES)]
        case _:  # open and openat: only existing files
            flags = _argument(1 if name == "open" else 2)
            return [*_load(flags), (AND, 0, 0, CREATE_FLAGS), *_allow_only(0, EACCES)]


def _load(offset: int) -> list[Instruction]:
    return [(LOAD, 0, 0, offset)]


def _argument(index: int) -> int:
    return ARGUMENTS_AT + 8 * index


def _when(number: int, then: Sequence[Instruction]) -> list[Instruction]:
    """Return instructions that run `then`, which must end with a return, for one system call only."""
    return [(IF_EQUAL, 0, len(then), number), *then]


def _allow_only(value: int, error: int) -> list[Instruction]:
    return [(IF_EQUAL, 0, 1, value), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE | error)]


def _refuse_only(value: int, error: int) -> list[Instruction]:
    return [(IF_EQUAL, 0, 1, value), (RETURN, 0, 0, REFUSE | error), (RETURN, 0, 0, ALLOW)]
