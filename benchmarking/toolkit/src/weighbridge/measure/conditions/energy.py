"""Energy: read from the RAPL counters of the processor if the kernel shows them, or estimated on request.

RAPL counts the whole package, including other processes, so the metric describes the machine during the run. An
estimate has `basis: estimated` and is the rated power times the share of the processors that the run used.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.measure.metrics import point_metric

MICRO = 1e-6
SYS = Path("/sys")
MEASURED, ESTIMATED = "measured", "estimated"
NOT_VISIBLE = (
    "Energy is not visible here: no RAPL counter can be read (virtual machines and the sandbox hide them, and most "
    "systems reserve them for root). --tdp-w adds an estimate, which is labeled as such."
)


@dataclasses.dataclass(frozen=True)
class Counter:
    """The counter of one package in joules, and the value at which it wraps around."""

    joules: float
    wraps_at: float


def read_counters(sys: Path = SYS) -> Mapping[str, Counter]:
    """Return the counters of all processor packages by name; empty if they are missing or not readable."""
    counters = {}
    for zone in sorted(sys.glob("class/powercap/intel-rapl:*")):
        # intel-rapl:0 is a package; intel-rapl:0:1 is a part of it and already included.
        if zone.name.count(":") == 1:
            try:
                values = [int((zone / name).read_text()) * MICRO for name in ("energy_uj", "max_energy_range_uj")]
            except (OSError, ValueError):
                return {}
            counters[zone.name] = Counter(*values)
    return counters


def joules_between(before: Mapping[str, Counter], after: Mapping[str, Counter]) -> float | None:
    """Return the energy of all packages between two readings, with at most one wraparound; None without counters."""
    if not before or before.keys() != after.keys():
        return None
    spans = ((after[name].joules - before[name].joules, before[name].wraps_at) for name in before)
    return sum(span if span >= 0 else span + wraps_at for span, wraps_at in spans)


def estimated_joules(*, tdp_w: float, cpu_s: float, cpus: int) -> float:
    """Estimate the energy as rated power x processor seconds / processors."""
    return tdp_w * cpu_s / cpus


def energy_metrics(joules: float | None, *, queries: int, basis: str) -> dict[str, dict[str, Any]]:
    """Return `energy_per_query_j` with its basis; empty without energy or queries."""
    if joules is None or queries == 0:
        return {}
    return {"energy_per_query_j": {**point_metric(joules / queries, "J"), "n": queries, "basis": basis}}


def missing_energy(metrics: Sequence[str]) -> list[dict[str, str]]:
    """Return the reason for a missing energy metric, if it is missing."""
    return [] if "energy_per_query_j" in metrics else [{"metric": "energy_per_query_j", "message": NOT_VISIBLE}]
