"""Every write leaves an event: all public functions of every `actions/` are found, called, and watched."""

import inspect
import pkgutil
from collections import ChainMap
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from importlib import import_module
from typing import Any

import pytest

from governance.audit.models import AuditEvent
from governance.audit.queries.trail import first_broken
from governance.rulebook.models import PolicyVersion
from tests.factories.people import Cast
from tests.late_locks import late_locks
from tests.tables import PACKAGES

NOT_WRITES = (
    "governance.audit.actions.record",
    "governance.jobs.actions",
    "governance.inventory.actions.stored_files",
)
"""The recording itself; the steps of every job, which leave the events of the job's own kind: `JOBS`; and reads of
stored files, which leave an event only where a file is damaged: `test_stored_files.py` tests it.
"""


def modules_below(package: str) -> list[str]:
    """Full names of all modules of a package, however deep."""
    path = import_module(package).__path__
    return [info.name for info in pkgutil.walk_packages(path, f"{package}.")]


def calls(kind: str) -> dict[str, Callable[[Cast, datetime], object]]:
    """How to call what is watched: the tables of that name in the `audited.py` of every subject."""
    modules = [import_module(name) for name in modules_below("tests.integration") if name.endswith(".audited")]
    tables = [getattr(module, kind, {}) for module in modules]
    assert len(set().union(*tables)) == sum(map(len, tables)), "two subjects call the same write"
    return dict(ChainMap(*tables))


ACTIONS, JOBS = calls("ACTIONS"), calls("JOBS")


def writes() -> list[str]:
    """Full names of all public functions of all actions."""
    names = [name for package in PACKAGES for name in modules_below(package) if "actions" in name.split(".")]
    modules = [import_module(name) for name in names if name not in NOT_WRITES]
    return [
        f"{module.__name__}.{name}"
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]


def watch(monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    """How many events each call of the named function leaves."""
    module_name, _, function_name = name.rpartition(".")
    module = import_module(module_name)
    function = getattr(module, function_name)
    left: list[int] = []

    @wraps(function)
    def watched(**arguments: Any) -> Any:
        before = AuditEvent.objects.count()
        answer = function(**arguments)
        left.append(AuditEvent.objects.count() - before)
        return answer

    monkeypatch.setattr(module, function_name, watched)
    return left


def test_there_are_writes_to_watch() -> None:
    assert len(writes()) > 40


def test_every_write_has_a_way_to_call_it() -> None:
    assert sorted(set(writes()) - set(ACTIONS)) == []
    assert sorted(set(ACTIONS) - set(writes())) == []


@pytest.mark.parametrize("name", writes())
def test_a_write_leaves_an_event(
    name: str, cast: Cast, policy: PolicyVersion, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = watch(monkeypatch, name)
    with late_locks() as late:
        ACTIONS[name](cast, now)
    assert left, f"{name} was never called by its entry"
    assert left[-1] >= 1, f"{name} left no event"
    assert first_broken() is None
    assert late == []


@pytest.mark.parametrize("kind", JOBS)
def test_a_step_of_a_job_leaves_its_event(kind: str, cast: Cast, policy: PolicyVersion, now: datetime) -> None:
    JOBS[kind](cast, now)
    assert AuditEvent.objects.filter(kind=kind).count() == 1
    assert first_broken() is None
