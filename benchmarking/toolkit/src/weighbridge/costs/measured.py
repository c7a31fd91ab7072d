"""Measured service times in the place of assumed ones: a spec as it reads once the benchmark has ended."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Where each kind of serving keeps how long one request keeps a slot busy.
REPLICAS: Mapping[str, tuple[str, ...]] = {"self-hosted": ("serving",), "endpoint": ("serving", "replicas")}


@dataclass(frozen=True)
class ServiceTime:
    """How long one request keeps a slot busy, in seconds: the bounds of its mean."""

    low_s: float
    high_s: float


def with_measured(spec: Mapping[str, Any], *, option: str, time: ServiceTime) -> dict[str, Any] | None:
    """Return the spec with the option's `service_s` as measured; None where it serves without replicas."""
    changed: dict[str, Any] = copy.deepcopy(dict(spec))
    for found in changed["options"]:
        path = REPLICAS.get(found["serving"]["kind"])
        if found["id"] == option and path is not None:
            replicas = found
            for key in path:
                replicas = replicas[key]
            replicas["service_s"] = [time.low_s, time.high_s]
            return changed
    return None
