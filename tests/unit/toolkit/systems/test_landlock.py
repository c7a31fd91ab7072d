"""What is asked of the kernel, against the numbers of `linux/landlock.h`."""

import os
import struct
from pathlib import Path

import pytest

from weighbridge.systems.sandbox import landlock


class Kernel:
    """Answers as a kernel with a version of Landlock, and keeps what it was asked."""

    def __init__(self, version, *, ruleset=None, privileges=0, restricted=0):
        self.version, self.ruleset, self.privileges, self.restricted = version, ruleset, privileges, restricted
        self.created, self.rules, self.closed = [], [], []

    def prctl(self, *arguments):
        assert arguments == (38, 1, 0, 0, 0)
        return self.privileges

    def syscall(self, number, *arguments):
        match number, arguments:
            case 444, (None, 0, 1):
                return self.version
            case 444, (attributes, size, 0):
                self.created.append(attributes.raw[:size])
                return os.open(os.devnull, os.O_RDONLY) if self.ruleset is None else self.ruleset
            case 445, (_, 1, rule, 0):
                rights, descriptor = struct.unpack("=Qi", rule.raw)
                self.rules.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), rights))
                return 0
        assert number == 446
        assert arguments[1] == 0
        return self.restricted

    def enclose(self, reads=(), writes=()):
        return landlock.restrict_process(reads=reads, writes=writes, prctl=self.prctl, syscall=self.syscall)


@pytest.mark.parametrize(
    ("version", "closed"),
    [
        (1, struct.pack("=Q", 0x1FFF)),
        (2, struct.pack("=Q", 0x3FFF)),
        (3, struct.pack("=Q", 0x7FFF)),
        (4, struct.pack("=QQ", 0x7FFF, 3)),
        (5, struct.pack("=QQ", 0xFFFF, 3)),
        (6, struct.pack("=QQQ", 0xFFFF, 3, 3)),
        (9, struct.pack("=QQQ", 0xFFFF, 3, 3)),
    ],
)
def test_each_version_closes_all_it_knows(version, closed):
    kernel = Kernel(version)
    assert kernel.enclose() is True
    assert kernel.created == [closed]


def test_files_and_folders_get_the_rights_they_can_have(tmp_path):
    file, folder, scratch = tmp_path / "model.onnx", tmp_path / "lib", tmp_path / "scratch"
    file.write_text("x")
    folder.mkdir()
    scratch.mkdir()
    kernel = Kernel(7)
    assert kernel.enclose([file, folder, tmp_path / "none"], [scratch]) is True
    assert kernel.rules == [(str(file), 0b0100), (str(folder), 0b1100), (str(scratch), 0b1110)]


@pytest.mark.parametrize(
    ("kernel", "asked"),
    [
        (Kernel(-1), 0),
        (Kernel(0), 0),
        (Kernel(7, privileges=-1), 0),
        (Kernel(7, ruleset=-1), 1),
        (Kernel(7, restricted=-1), 1),
    ],
)
def test_a_kernel_that_will_not_is_told(kernel, asked):
    assert kernel.enclose() is False
    assert len(kernel.created) == asked
