"""Limits are laid on, and only on, the process that asks."""

import resource
import signal

import pytest

from weighbridge.core.converter import from_document, to_document
from weighbridge.core.errors import Invalid
from weighbridge.systems.sandbox import limits
from weighbridge.systems.sandbox.limits import Limits, apply_limits, die_with_parent


def test_limits_survive_json():
    assert from_document(Limits, to_document(Limits(memory_mb=7)), name="limits") == Limits(memory_mb=7)


def test_a_limit_that_stops_everything_is_refused():
    with pytest.raises(Invalid) as refusal:
        Limits(cpu_s=0)
    assert refusal.value.field == "cpu_s"


def test_limits_are_laid_on_soft_and_hard(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    laid = {}
    apply_limits(Limits(memory_mb=2, cpu_s=3, open_files=5), set_limit=laid.__setitem__)
    assert laid == {
        resource.RLIMIT_AS: (2_000_000, 2_000_000),
        resource.RLIMIT_CPU: (3, 8),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_NOFILE: (5, 5),
        resource.RLIMIT_CORE: (0, 0),
    }


def test_tasks_are_limited_only_where_they_are_counted_for_this_run_alone(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    laid = {}
    apply_limits(Limits(tasks=9), counts_tasks=True, set_limit=laid.__setitem__)
    assert laid[resource.RLIMIT_NPROC] == (9, 9)


def test_a_lower_limit_that_is_there_already_stays(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1, 1))
    laid = {}
    apply_limits(Limits(), set_limit=laid.__setitem__)
    assert set(laid.values()) == {(1, 1), (0, 0)}


class Prctl:
    def __init__(self):
        self.asked = []

    def prctl(self, *arguments):
        self.asked.append(arguments)


@pytest.mark.parametrize(("parent", "killed"), [(4_711, []), (1, [(99, signal.SIGKILL)])])
def test_a_child_dies_with_its_parent_even_one_that_is_gone_already(monkeypatch, parent, killed):
    library, kills = Prctl(), []
    monkeypatch.setattr(limits.ctypes, "CDLL", lambda *_, **__: library)
    monkeypatch.setattr(limits.os, "getppid", lambda: 4_711)
    monkeypatch.setattr(limits.os, "getpid", lambda: 99)
    monkeypatch.setattr(limits.os, "kill", lambda *arguments: kills.append(arguments))
    die_with_parent(parent)
    assert library.asked == [(1, signal.SIGKILL, 0, 0, 0)]
    assert kills == killed
