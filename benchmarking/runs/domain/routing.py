"""Routing: the machine type in a plan determines the task that executes a run. Each type has its own queue."""

from collections.abc import Mapping
from typing import Any

from governance.rulebook.domain.benchmark_plans import HardwareClass

TASKS: Mapping[HardwareClass, str] = {
    HardwareClass.CPU: "benchmarking.runs.tasks.execute_run",
    HardwareClass.GPU: "benchmarking.runs.tasks.execute_run_on_gpu",
}


def hardware_of(plan: Mapping[str, Any]) -> HardwareClass:
    """Return the machine type of a plan; default: CPU."""
    return HardwareClass(plan.get("hardware", HardwareClass.CPU))


def task_of(plan: Mapping[str, Any]) -> str:
    """Return the task that executes a run of this plan."""
    return TASKS[hardware_of(plan)]
