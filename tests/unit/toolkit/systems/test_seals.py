"""Seals: which are laid on, and which hold."""

import ctypes
import os

import pytest

from weighbridge.systems.sandbox import landlock, seals, seccomp
from weighbridge.systems.sandbox.seals import SEALS, Kernel, apply_seals
from weighbridge.systems.sandbox.system_calls import PROCESSORS

NOTHING = object()


@pytest.fixture
def asked(monkeypatch):
    """Let both seals hold, and keep what they were asked."""
    calls = []
    monkeypatch.setattr(landlock, "restrict_process", lambda **options: calls.append(("landlock", options)) or True)
    monkeypatch.setattr(
        seccomp, "install_filter", lambda *part, **options: calls.append(("filter", part, options)) or True
    )
    monkeypatch.setattr(seals.platform, "machine", lambda: "aarch64")
    return calls


def test_both_are_laid_on_landlock_first(asked, tmp_path):
    kernel = Kernel()
    assert apply_seals(SEALS, reads=[tmp_path], call=kernel) == ["Landlock", "kernel call filter"]
    doors = {"prctl": kernel.prctl, "syscall": kernel.syscall}
    assert asked == [
        ("landlock", {"reads": [tmp_path], "writes": seals.OWN, **doors}),
        ("filter", (PROCESSORS["aarch64"],), {"pid": os.getpid(), **doors}),
    ]


@pytest.mark.parametrize("wanted", [(), ("Landlock",), ("kernel call filter",)])
def test_only_what_is_wanted_is_laid_on(asked, wanted):
    assert apply_seals(wanted, reads=[]) == list(wanted)
    assert len(asked) == len(wanted)


def test_what_does_not_hold_is_not_claimed(asked, monkeypatch):
    monkeypatch.setattr(landlock, "restrict_process", lambda **_: False)
    monkeypatch.setattr(seccomp, "install_filter", lambda *_, **__: False)
    assert apply_seals(SEALS, reads=[]) == []


def test_a_processor_without_numbers_has_no_filter(asked, monkeypatch):
    monkeypatch.setattr(seals.platform, "machine", lambda: "riscv64")
    assert apply_seals(SEALS, reads=[]) == ["Landlock"]


class Library:
    def __init__(self):
        self.asked = []

    def syscall(self, *arguments):
        self.asked.append(arguments)
        return 7


def test_numbers_fill_whole_registers_and_pointers_stay():
    library = Library()
    kernel = Kernel(library=lambda name: library if name is None else NOTHING)
    assert kernel.syscall(444, None, 2**40) == 7
    (arguments,) = library.asked
    assert [type(argument) for argument in arguments] == [ctypes.c_long, type(None), ctypes.c_long]
    assert (arguments[0].value, arguments[2].value) == (444, 2**40)


def test_a_library_without_the_door_answers_no():
    assert Kernel(library=lambda _: Library()).prctl(38, 1, 0, 0, 0) == -1


def test_other_systems_are_not_called_by_linux_numbers(monkeypatch):
    monkeypatch.setattr(seals.platform, "system", lambda: "Darwin")
    library = Library()
    assert Kernel(library=lambda _: library).syscall(444, None, 0, 1) == -1
    assert library.asked == []


def test_the_real_kernel_answers():
    assert Kernel().prctl(3, 0, 0, 0, 0) in {0, 1}  # PR_GET_DUMPABLE


def test_a_filter_that_lets_open_is_another_seal(asked):
    assert apply_seals((seals.OPENING_FILTER,), reads=[]) == [seals.OPENING_FILTER]
    assert asked[0][2]["allow_create"] is True
