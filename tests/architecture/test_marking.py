"""Marked source counts what coverage's own tracer counts: the same lines and the same branches."""

import asyncio
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from coverage import Coverage, CoverageData

from tests import marking

SAMPLE = '''"""A module with every kind of statement."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from functools import (
    cache,
    wraps,
)

ADD = (
    lambda a, b:
    a + b
)
LATER = lambda a: a


@dataclass
class Point:
    """A class."""

    x: int = 0
    others: list[int] = field(default_factory=list)

    def __private(self) -> int:
        return self.x

    @property
    def seen(self) -> int:
        """Mangled."""
        if self.x:
            return self.__private()
        return -1


def around(function):
    @wraps(function)
    def inner(*args):
        return function(*args)
    return inner


@cache
@around
def choose(n):
    if n == 0:
        found = "none"
    elif n == 1:
        found = "one"
    else:
        found = "many"
    return found


def falls_through(n):
    """No else."""
    if n:
        ADD(n, 1)


def loops(n):
    for i in range(n):
        if i == 2:
            continue
        if i == 5:
            break
    else:
        n += 1
    while n > 3:
        n -= 1
        if n == 100:
            n = 0
    for i in ():
        n = i
    return n


def attempts(n):
    try:
        if n == 0:
            raise ValueError
        if n == 1:
            raise KeyError
    except ValueError:
        n = 10
    except KeyError:
        n = 11
    else:
        n = 12
    finally:
        n += 1
    with contextlib.suppress(ValueError), contextlib.suppress(KeyError):
        if n > 11:
            raise KeyError(
                n,
            )
        n = 0
    with contextlib.nullcontext():
        if n:
            n += 1
    return n


def matches(n):
    match n:
        case 0:
            return "zero"
        case 1 | 2 if n > 1:
            return "two"
        case int():
            found = "whole"
        case str():
            found = "text"
    match n:
        case 7:
            found = "seven"
        case _:
            found = "other"
    return found


def yields(n):
    while True:
        yield n
        n -= 1
        if n < 0:
            return


async def later(n):
    if n:
        return n
'''
DRIVES: dict[str, Callable[[ModuleType], object]] = {
    "import": lambda _: None,
    "class": lambda m: (m.Point(1).seen, m.LATER(1)),
    "choose": lambda m: [m.choose(n) for n in (0, 1)],
    "many": lambda m: m.choose(5),
    "through": lambda m: m.falls_through(0),
    "not through": lambda m: m.falls_through(1),
    "short loop": lambda m: m.loops(1),
    "long loop": lambda m: m.loops(9),
    "no error": lambda m: m.attempts(2),
    "errors": lambda m: [m.attempts(n) for n in (0, 1)],
    "match": lambda m: [m.matches(n) for n in (0, 2, 7)],
    "no match": lambda m: m.matches(1.5),
    "yields": lambda m: list(m.yields(2)),
    "async": lambda m: asyncio.run(m.later(0)),
}


def loaded(path: Path, kind: type[SourceFileLoader]) -> ModuleType:
    spec = spec_from_file_location("sample_of_marking", path, loader=kind("sample_of_marking", str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["sample_of_marking"] = module
    spec.loader.exec_module(module)
    return module


def reported(path: Path, coverage: Coverage) -> tuple[object, ...]:
    analysis = coverage._analyze(str(path))
    return analysis.statements - analysis.missing, dict(analysis.executed_branch_arcs()), analysis.missing_branch_arcs()


@pytest.mark.parametrize("drive", DRIVES)
def test_marks_count_what_the_tracer_counts(drive: str, tmp_path: Path) -> None:
    path = tmp_path / "sample_of_marking.py"
    path.write_text(SAMPLE)
    traced = Coverage(data_file=None, branch=True, include=[str(path)], config_file=False)
    traced.start()
    try:
        DRIVES[drive](loaded(path, SourceFileLoader))
    finally:
        traced.stop()
    DRIVES[drive](loaded(path, marking.MarkingLoader))
    data = CoverageData(str(tmp_path / ".coverage"))
    data.add_arcs({str(path): marking.FILES.pop(str(path))})
    data.write()
    marked = Coverage(data_file=str(tmp_path / ".coverage"), branch=True, config_file=False)
    marked.load()
    (lines, taken, missed), (own_lines, own_taken, own_missed) = reported(path, traced), reported(path, marked)
    assert own_lines == lines
    assert {line: sorted(to) for line, to in own_taken.items()} == {line: sorted(to) for line, to in taken.items()}
    assert own_missed == missed


def test_a_docstring_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "sample_of_marking.py"
    path.write_text(SAMPLE)
    module = loaded(path, marking.MarkingLoader)
    said = [each.__doc__ for each in (module, module.Point, module.Point.seen, module.falls_through)]
    assert said == ["A module with every kind of statement.", "A class.", "Mangled.", "No else."]


def test_what_runs_during_a_rest_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "RESTING", [])
    monkeypatch.setattr(marking, "UNCOUNTED", [])
    path = tmp_path / "sample_of_marking.py"
    path.write_text("def one():\n    return 1\n\n\ndef two():\n    return 2\n")
    module = loaded(path, marking.MarkingLoader)
    marking.rest()
    marking.rest()
    module.one()
    marking.resume()
    module.two()
    marking.resume()
    assert not {2, 6} & _lines(path)
    module.one()
    assert _lines(path) >= {1, 2, 5}
    assert 6 not in _lines(path)


def _lines(path: Path) -> set[int]:
    return {line for arc in marking.arcs_of(str(path)) for line in arc}
