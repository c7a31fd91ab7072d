"""Every write leaves an event: all public functions of every `actions/` are found, called, and watched."""

import inspect
import pkgutil
from datetime import datetime
from functools import wraps
from importlib import import_module
from typing import Any

import pytest

from governance.audit.actions import record as audit
from governance.audit.models import AuditEvent
from governance.rulebook.models import PolicyVersion
from tests.factories.people import Cast
from tests.integration.benchmarking.load_tests.audited import LOAD_ACTIONS, LOAD_JOBS
from tests.integration.governance.bills.audited import BILL_ACTIONS, BILL_JOBS
from tests.integration.governance.budgets.audited import FLOOR_ACTIONS, RUN_JOBS
from tests.integration.reviews.evidence.audited import PACKET_JOBS, REVIEWS_ACTIONS
from tests.integration.reviews.quarterly.audited import CYCLE_ACTIONS, CYCLE_JOBS
from tests.integration.reviews.tickets.audited import INBOUND_ACTIONS

CALLS = {**FLOOR_ACTIONS, **BILL_ACTIONS, **REVIEWS_ACTIONS, **INBOUND_ACTIONS, **LOAD_ACTIONS, **CYCLE_ACTIONS}
ROOMS = ("governance.actions", "benchmarking.actions", "reviews.actions")
JOBS = {**RUN_JOBS, **BILL_JOBS, **PACKET_JOBS, **CYCLE_JOBS, **LOAD_JOBS}


def writes() -> list[str]:
    """Full names of all public functions of all actions."""
    found = []
    rooms = [import_module(name) for name in ROOMS]
    named = [info.name for room in rooms for info in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")]
    for module in map(import_module, [*named, "governance.people.approvals.actions"]):
        functions = inspect.getmembers(module, inspect.isfunction)
        found += [
            f"{module.__name__}.{name}"
            for name, function in functions
            if function.__module__ == module.__name__ and not name.startswith("_")
        ]
    return found


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
    assert sorted(set(writes()) - set(CALLS)) == []
    assert sorted(set(CALLS) - set(writes())) == []


@pytest.mark.parametrize("name", writes())
def test_a_write_leaves_an_event(
    name: str, cast: Cast, policy: PolicyVersion, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = watch(monkeypatch, name)
    CALLS[name](cast, now)
    assert left, f"{name} was never called by its entry"
    assert left[-1] >= 1, f"{name} left no event"
    assert audit.first_broken() is None


@pytest.mark.parametrize("kind", JOBS)
def test_a_step_of_a_job_leaves_its_event(kind: str, cast: Cast, policy: PolicyVersion, now: datetime) -> None:
    JOBS[kind](cast, now)
    assert AuditEvent.objects.filter(kind=kind).count() == 1
    assert audit.first_broken() is None
