"""Routing: which task executes a run, by the kind of machine its plan names; each kind has a queue of its own."""

from collections.abc import Mapping
from typing import Any

from governance.rulebook.domain.benchmark_plans import HardwareClass

TASKS: Mapping[HardwareClass, str] = {
    HardwareClass.CPU: "benchmarking.runs.tasks.execute_run",
    HardwareClass.GPU: "benchmarking.runs.tasks.execute_run_on_gpu",
}


def hardware_of(plan: Mapping[str, Any]) -> HardwareClass:
    """The kind of machine a plan names; a processor where it names none."""
    return HardwareClass(plan.get("hardware", HardwareClass.CPU))


def task_of(plan: Mapping[str, Any]) -> str:
    """The task that executes a run of this plan."""
    return TASKS[hardware_of(plan)]
