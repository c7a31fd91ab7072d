"""What two runs must have in common before a value of one is called better than that of the other.

Quality depends on the data set; speed, memory and energy depend on everything; the size of a file depends on nothing.
How long and how often was measured changes the interval alone, and is no condition.
"""

from collections.abc import Mapping
from typing import Any

from weighbridge.core.metrics.standard import is_quality_metric

DATA, SCENARIO, HARDWARE, CONDITIONS = "data set", "scenario", "hardware", "conditions"
ASPECTS = (DATA, SCENARIO, HARDWARE, CONDITIONS)
OF_THE_FILE = frozenset({"model_size_mb", "parameters"})
_MACHINE = ("cpu", "cpus_usable", "architecture", "gpu", "gpus", "accelerators")
_EFFORT = frozenset(
    {
        *("min_samples", "min_duration_s", "max_duration_s", "warmup", "seed", "bootstraps", "quality_confidence"),
        *("metrics", "tdp_w", "url"),
    }
)


def basis_of(*, data_digest: str, scenario: str, hardware: str, manifest: Mapping[str, Any]) -> dict[str, str]:
    """What a run was measured on and how, as one text for each aspect; equal texts mean equal circumstances.

    Data sets count as equal by their digest, never by their name: two teams may give one name to different data.
    """
    data, machine = manifest.get("data"), manifest.get("machine")
    digest = str(data.get("digest", "")) if isinstance(data, Mapping) else ""
    known = machine if isinstance(machine, Mapping) else {}
    return {
        DATA: data_digest or digest,
        SCENARIO: scenario,
        HARDWARE: ", ".join([hardware, *(f"{name} {_text(known[name])}" for name in _MACHINE if name in known)]),
        CONDITIONS: _text({part: manifest.get(part) for part in ("engine", "settings")}),
    }


def differing_aspects(metric: str, one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, ...]:
    """The aspects in which two runs differ, so that their values of the metric cannot be compared."""
    if metric in OF_THE_FILE:
        return ()
    needed = (DATA,) if is_quality_metric(metric) else ASPECTS
    return tuple(aspect for aspect in needed if one.get(aspect, "") != other.get(aspect, ""))


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        parts = (f"{name}={_text(value[name])}" for name in sorted(map(str, value)) if name not in _EFFORT)
        return "{" + "; ".join(parts) + "}"
    if isinstance(value, list):
        return "[" + "; ".join(map(_text, value)) + "]"
    return str(value)
