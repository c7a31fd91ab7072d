"""Replace assumed service times in a spec by measured ones after a benchmark."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The path of the service time for each kind of serving.
REPLICAS: Mapping[str, tuple[str, ...]] = {"self-hosted": ("serving",), "endpoint": ("serving", "replicas")}


@dataclass(frozen=True)
class ServiceTime:
    """The time that one request occupies a slot, in seconds: bounds of the mean."""

    low_s: float
    high_s: float


def with_measured(spec: Mapping[str, Any], *, option: str, time: ServiceTime) -> dict[str, Any] | None:
    """Return the spec with the measured `service_s` of an option.

    None if the option has no replicas, or sizes them by tokens per second, which a service time does not replace.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(spec))
    for found in changed["options"]:
        path = REPLICAS.get(found["serving"]["kind"])
        if found["id"] == option and path is not None:
            replicas = found
            for key in path:
                replicas = replicas[key]
            if replicas.get("tokens_per_s") is not None:
                return None
            replicas["service_s"] = [time.low_s, time.high_s]
            return changed
    return None
