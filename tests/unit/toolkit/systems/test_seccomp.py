"""The filter, run by an interpreter of classic BPF that knows nothing of how it was assembled."""

import ctypes
import os
import struct
from errno import EACCES, ENOSYS, EPERM

import pytest

from weighbridge.systems.sandbox import seccomp
from weighbridge.systems.sandbox.system_calls import NEWEST, PROCESSORS, Processor

X86, ARM = PROCESSORS["x86_64"], PROCESSORS["aarch64"]
PID = 4_711
LET, KILLED = "let", "killed"


def answer(
    processor: Processor, number: int, *arguments: int, arch: int | None = None, allow_create: bool = False
) -> str | int:
    """What the kernel would do: let the call through, kill the process, or answer an error number."""
    data = struct.pack("=IIQ6Q", number, arch or processor.audit_arch, 0, *arguments, *[0] * (6 - len(arguments)))
    lines, at, register = seccomp.filter_program(processor, pid=PID, allow_create=allow_create), 0, 0
    while True:
        code, true, false, k = lines[at]
        at += 1
        match code:
            case 0x20:
                (register,) = struct.unpack_from("=I", data, k)
            case 0x54:
                register &= k
            case 0x15:
                at += true if register == k else false
            case 0x25:
                at += true if register > k else false
            case 0x06:
                return {0x7FFF0000: LET, 0x80000000: KILLED}.get(k, k & 0xFFFF)


@pytest.mark.parametrize(
    ("processor", "calls"),
    [
        (X86, {"read": 0, "write": 1, "close": 3, "mprotect": 10, "exit_group": 231, "futex": 202, "getrandom": 318}),
        (ARM, {"read": 63, "write": 64, "close": 57, "mprotect": 226, "exit_group": 94, "futex": 98, "getrandom": 278}),
    ],
)
def test_what_measuring_needs_is_let_through(processor, calls):
    assert {name: answer(processor, number) for name, number in calls.items()} == dict.fromkeys(calls, LET)


@pytest.mark.parametrize(
    ("processor", "calls"),
    [
        (
            X86,
            {"fork": 57, "execve": 59, "socket": 41, "ptrace": 101, "io_uring_setup": 425, "unlink": 87, "setsid": 112},
        ),
        (ARM, {"execve": 221, "socket": 198, "ptrace": 117, "io_uring_setup": 425, "unlinkat": 35, "setsid": 157}),
    ],
)
def test_what_reaches_outside_is_refused(processor, calls):
    assert {name: answer(processor, number) for name, number in calls.items()} == dict.fromkeys(calls, EPERM)


@pytest.mark.parametrize("processor", [X86, ARM])
def test_every_listed_call_is_answered_once(processor):
    numbers = [*processor.refused, *processor.missing, *processor.conditional.values()]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) <= NEWEST
    assert {answer(processor, number) for number in processor.refused} == {EPERM}
    assert {answer(processor, number) for number in processor.missing} == {ENOSYS}


def test_calls_newer_than_the_list_and_those_of_a_second_interface_are_missing():
    assert answer(X86, NEWEST + 1) == ENOSYS
    assert answer(X86, 0x40000000) == ENOSYS  # x32
    assert answer(X86, NEWEST) == LET


def test_calls_in_the_dress_of_another_processor_kill():
    assert answer(X86, 1, arch=0x40000003) == KILLED  # 32-bit x86


@pytest.mark.parametrize("processor", [X86, ARM])
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (0x3D0F00,), LET),  # as glibc makes a thread
        ("clone", (0x1200011,), EPERM),  # as glibc forks
        ("kill", (PID, 6), LET),
        ("kill", (PID + 1, 6), EPERM),
        ("kill", (2**32 - 1, 9), EPERM),  # everybody
        ("tgkill", (PID, PID, 6), LET),
        ("tgkill", (1, 1, 6), EPERM),
        ("prlimit64", (0, 7, 0), LET),
        ("prlimit64", (0, 7, 0x7FFF_0000), EPERM),
        ("prlimit64", (0, 7, 0x7FFF_0000_0000), EPERM),
        ("prctl", (15,), LET),
        ("prctl", (1, 0), EPERM),
        ("openat", (0, 0, os.O_RDONLY | os.O_CLOEXEC), LET),
        ("openat", (0, 0, os.O_WRONLY), LET),  # which files is Landlock's business; they cannot grow
        ("openat", (0, 0, os.O_WRONLY | os.O_CREAT), EACCES),
        ("openat", (0, 0, os.O_WRONLY | os.O_TRUNC), EACCES),
        ("openat", (0, 0, os.O_RDWR | os.O_TMPFILE), EACCES),
        ("mmap", (0, 4096, 3, 0x22), LET),
        ("mmap", (0, 4096, 3, 0x21), LET),
        ("mmap", (0, 4096, 1, 0x02, 3), LET),
        ("mmap", (0, 4096, 1, 0x01, 3), EACCES),
        ("mmap", (0, 4096, 3, 0x03, 3), EACCES),
    ],
)
def test_some_calls_are_weighed_by_what_they_ask(processor, name, arguments, expected):
    assert answer(processor, processor.conditional[name], *arguments) == expected


def test_the_old_way_to_open_is_weighed_too():
    assert [answer(X86, X86.conditional["open"], 0, flags) for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT)] == [
        LET,
        EACCES,
    ]
    assert "open" not in ARM.conditional


@pytest.mark.parametrize(
    ("allowed", "taken", "worn", "asked"), [(0, 0, True, 2), (0, -1, False, 2), (0, 7, False, 2), (-1, 0, False, 1)]
)
def test_it_is_worn_by_all_threads_and_without_new_rights(allowed, taken, worn, asked):
    calls = []

    def prctl(*arguments):
        calls.append(arguments)
        return allowed

    def syscall(number, operation, flags, described):
        length, at = struct.unpack("@HP", described.raw)
        calls.append((number, operation, flags))
        assert ctypes.string_at(at, length * 8) == b"".join(
            struct.pack("=HBBI", *line) for line in seccomp.filter_program(X86, pid=PID)
        )
        return taken

    assert seccomp.install_filter(X86, pid=PID, prctl=prctl, syscall=syscall) is worn
    assert calls == [(38, 1, 0, 0, 0), (317, 1, 5)][:asked]


@pytest.mark.parametrize(("processor", "number", "place"), [(X86, 2, 1), (X86, 257, 2), (ARM, 56, 2)])
def test_a_filter_may_let_files_be_opened_anew_and_nothing_else(processor, number, place):
    anew = [0] * place + [os.O_WRONLY | os.O_CREAT | os.O_TRUNC]
    assert answer(processor, number, *anew) == EACCES
    assert answer(processor, number, *anew, allow_create=True) == LET
    refused = processor.refused[:40]
    assert {answer(processor, call, allow_create=True) for call in refused} == {EPERM}
