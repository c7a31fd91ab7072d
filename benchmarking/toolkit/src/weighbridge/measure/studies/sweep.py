"""Sweeps: throughput and latency of a model for several batch sizes and levels of concurrency, one run per point."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.gpu.watch import ENERGY, PEAK
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.inputs.spec import NO_SIZES
from weighbridge.measure.metrics import PERCENTILES
from weighbridge.measure.scenarios import Offline, ProfileSettings
from weighbridge.measure.stopping import Progress
from weighbridge.measure.verdict import Status
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

SCHEMA = "weighbridge.sweep/1"
MAX_POINTS = 64
TOO_MANY_THREADS = "environment.threads"
UNCHECKED = {
    "code": "answers.unchecked",
    "message": "Answers were not checked: every query that raised no error counts as answered.",
}
THROUGHPUT = Offline.HEADLINE
METRICS = (THROUGHPUT, *PERCENTILES, "error_rate", "peak_memory_mb", PEAK, ENERGY)

ONE_SIZE: Mapping[str, Sequence[int]] = MappingProxyType({})

Profile = Callable[[ProfileSettings, Callable[[float, str], None]], dict[str, Any]]


def sweep(
    profile: Profile,
    *,
    settings: ProfileSettings,
    batches: Sequence[int],
    concurrencies: Sequence[int],
    sizes: Mapping[str, Sequence[int]] = ONE_SIZE,
    on_progress: Progress,
    now: datetime,
) -> dict[str, Any]:
    """Measure every combination of batch, concurrency and `sizes` of free dimensions in the Offline scenario.

    Returns a `weighbridge.sweep/1` mapping. `profile(settings, on_progress)` performs one run. A failed point is
    recorded with its reason; a canceled run ends the sweep, which is then partial. Raises RunFailed if all points
    failed.
    """
    dims = [dict(zip(sizes, each, strict=True)) for each in itertools.product(*sizes.values())]
    places: list[dict[str, Any]] = [
        {"batch": batch, "concurrency": concurrency, "dims": stated}
        for stated in dims
        for concurrency in concurrencies
        for batch in batches
    ]
    if not 1 <= len(places) <= MAX_POINTS:
        raise Invalid(f"A sweep needs 1 to {MAX_POINTS} points, not {len(places)}.", field="batch")
    points: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    is_partial = False
    for index, place in enumerate(places):

        def follow(share: float, _phase: str, done: int = index, phase: str = place_words(place)) -> None:
            on_progress((done + share) / len(places), phase)

        try:
            result = profile(offline(settings, **place), follow)
        except RunCanceled:
            is_partial = True
            break
        except RunFailed as failed:
            if not results and index == len(places) - 1:
                raise
            points.append(place | {"refused": {"code": failed.code, "reason": failed.reason}})
            continue
        results.append(result)
        points.append(place | _point(result))
    described = {**results[0]["manifest"], "sweep": places} if results else None
    return {
        "schema": SCHEMA,
        "measured_at": now.isoformat(),
        "is_partial": is_partial,
        "points": points,
        "notes": [UNCHECKED],
        "manifest": seal_manifest(described) if described else None,
    }


def place_words(place: Mapping[str, Any]) -> str:
    """Return the words for a point of a sweep, like `batch 8 x 2, seq 128`."""
    sizes = [f"{name} {size}" for name, size in place["dims"].items()]
    return ", ".join((f"batch {place['batch']} x {place['concurrency']}", *sizes))


def offline(
    settings: ProfileSettings, *, batch: int, concurrency: int, dims: Mapping[str, int] = NO_SIZES
) -> ProfileSettings:
    """Return the settings with the Offline scenario at one point, without quality, which does not depend on it."""
    common = {
        field.name: getattr(settings.scenario, field.name)
        for field in dataclasses.fields(Offline)
        if field.name not in ("batch", "concurrency") and hasattr(settings.scenario, field.name)
    }
    scenario = Offline(**common, batch=batch, concurrency=concurrency)
    inputs = dataclasses.replace(settings.inputs, dims={**settings.inputs.dims, **dims})
    return dataclasses.replace(settings, scenario=scenario, inputs=inputs, measures_quality=False)


def best_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the point with the highest throughput among those that measured the model; None without any.

    An invalid measurement, and one with more threads than processors, measured something else.
    """
    measured = [
        point
        for point in document["points"]
        if "refused" not in point
        and point["status"] != Status.INVALID
        and THROUGHPUT in point["metrics"]
        and not doubts_of(point)
    ]
    return max(measured, key=lambda point: float(point["metrics"][THROUGHPUT]["value"]), default=None)


def doubts_of(point: Mapping[str, Any]) -> list[str]:
    """Return the messages why the throughput of a measured point is not that of the model."""
    return [
        reason["message"]
        for reason in point.get("reasons", ())
        if reason["status"] == Status.INVALID or reason["code"] == TOO_MANY_THREADS
    ]


def _point(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "metrics": {name: result["metrics"][name] for name in METRICS if name in result["metrics"]},
        "status": result["verdict"]["status"],
        "reasons": result["verdict"]["reasons"],
        "missing": [entry for entry in result["missing"] if entry["metric"] in METRICS],
    }
