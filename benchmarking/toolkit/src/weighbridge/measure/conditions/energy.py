"""Energy: read from the processor's own counters where the kernel shows them, else absent; a model only when asked for.

RAPL counts the whole package, whoever used it, so a metric is of the machine during the run. The model is named so
(`basis: estimated`): nominal power, times the share of the processors that the run used.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MICRO = 1e-6
SYS = Path("/sys")
MEASURED, ESTIMATED = "measured", "estimated"
NOT_VISIBLE = (
    "Energy is not visible here: no RAPL counter can be read (virtual machines hide them, the fence does, and most "
    "systems "
    "keep them for root). --tdp-w gives an estimate, which is labeled as one."
)


@dataclasses.dataclass(frozen=True)
class Counter:
    """One package's counter in joules, and where it starts anew."""

    joules: float
    wraps_at: float


def read_counters(sys: Path = SYS) -> Mapping[str, Counter]:
    """Return the counters of all processor packages by name; none where they are not there or may not be read."""
    found = {}
    for zone in sorted(sys.glob("class/powercap/intel-rapl:*")):
        # intel-rapl:0 is a package, intel-rapl:0:1 a part of it that the package counts too.
        if zone.name.count(":") == 1:
            try:
                values = [int((zone / name).read_text()) * MICRO for name in ("energy_uj", "max_energy_range_uj")]
            except (OSError, ValueError):
                return {}
            found[zone.name] = Counter(*values)
    return found


def joules_between(before: Mapping[str, Counter], after: Mapping[str, Counter]) -> float | None:
    """Return the energy of all packages between two readings, one wrap of each counter allowed; None
    without counters.
    """
    if not before or before.keys() != after.keys():
        return None
    spans = ((after[name].joules - before[name].joules, before[name].wraps_at) for name in before)
    return sum(span if span >= 0 else span + wraps_at for span, wraps_at in spans)


def estimated_joules(*, tdp_w: float, cpu_s: float, cpus: int) -> float:
    """Return nominal power x processor seconds used / processors: what a machine at full load would spend on them."""
    return tdp_w * cpu_s / cpus


def energy_metrics(joules: float | None, *, queries: int, basis: str) -> dict[str, dict[str, Any]]:
    """Return `energy_per_query_j` with its basis; nothing without energy or queries."""
    if joules is None or queries == 0:
        return {}
    metric = {"value": joules / queries, "lower": None, "upper": None, "confidence": None, "n": queries, "unit": "J"}
    return {"energy_per_query_j": {**metric, "basis": basis}}


def missing(metrics: Sequence[str]) -> list[dict[str, str]]:
    """Say why there is no metric of energy, if there is none."""
    return [] if "energy_per_query_j" in metrics else [{"metric": "energy_per_query_j", "message": NOT_VISIBLE}]
