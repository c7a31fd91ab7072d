"""A sweep: throughput and latency of a model over sizes of batch and numbers of batches under way, each point a run."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import sealed
from weighbridge.measure.scenarios import Offline, ProfileSettings
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

SCHEMA = "weighbridge.sweep/1"
MOST_POINTS = 64
METRICS = (
    "throughput_samples_per_s",
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "error_rate",
    "peak_memory_mb",
)

Profile = Callable[[ProfileSettings, Callable[[float, str], None]], dict[str, Any]]


def sweep(
    profile: Profile,
    *,
    settings: ProfileSettings,
    batches: Sequence[int],
    concurrencies: Sequence[int],
    on_progress: Callable[[float, str], None],
    now: datetime,
) -> dict[str, Any]:
    """Measure every pair of batch and concurrency in the Offline scenario; return a `weighbridge.sweep/1` mapping.

    `profile(settings, on_progress)` is one run. A point that cannot be measured is kept with its reason; a run that is
    canceled ends the sweep, which is then partial. Raises RunFailed where no point could be measured.
    """
    pairs = [(batch, concurrency) for concurrency in concurrencies for batch in batches]
    if not 1 <= len(pairs) <= MOST_POINTS:
        raise Invalid(f"A sweep has 1 to {MOST_POINTS} points, not {len(pairs)}.", field="batch")
    points: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    is_partial = False
    for place, (batch, concurrency) in enumerate(pairs):

        def follow(share: float, _doing: str, done: int = place, doing: str = f"batch {batch} x {concurrency}") -> None:
            on_progress((done + share) / len(pairs), doing)

        try:
            result = profile(offline(settings, batch=batch, concurrency=concurrency), follow)
        except RunCanceled:
            is_partial = True
            break
        except RunFailed as failed:
            if not results and place == len(pairs) - 1:
                raise
            points.append(_place(batch, concurrency) | {"refused": {"code": failed.code, "reason": failed.reason}})
            continue
        results.append(result)
        points.append(_point(batch, concurrency, result))
    return {
        "schema": SCHEMA,
        "measured_at": now.isoformat(),
        "is_partial": is_partial,
        "points": points,
        "manifest": _manifest(results[0]["manifest"], pairs) if results else None,
    }


def offline(settings: ProfileSettings, *, batch: int, concurrency: int) -> ProfileSettings:
    """Return the settings with the Offline scenario at one point; the quality does not depend on it and is left out."""
    common = {
        field.name: getattr(settings.scenario, field.name)
        for field in dataclasses.fields(Offline)
        if field.name not in ("batch", "concurrency") and hasattr(settings.scenario, field.name)
    }
    scenario = Offline(**common, batch=batch, concurrency=concurrency)
    return dataclasses.replace(settings, scenario=scenario, measures_quality=False)


def best_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the point with the highest throughput among those whose measurement is not invalid."""
    measured = [
        point
        for point in document["points"]
        if "refused" not in point and point["status"] != "invalid" and METRICS[0] in point["metrics"]
    ]
    return max(measured, key=lambda point: float(point["metrics"][METRICS[0]]["value"]), default=None)


def _place(batch: int, concurrency: int) -> dict[str, Any]:
    return {"batch": batch, "concurrency": concurrency}


def _point(batch: int, concurrency: int, result: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: result["metrics"][name] for name in METRICS if name in result["metrics"]}
    return _place(batch, concurrency) | {
        "metrics": kept,
        "status": result["verdict"]["status"],
        "reasons": result["verdict"]["reasons"],
        "missing": [entry for entry in result["missing"] if entry["metric"] in METRICS],
    }


def _manifest(first: Mapping[str, Any], pairs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Return the manifest of the first point, sealed anew with all points instead of its own."""
    return sealed({**first, "sweep": [list(pair) for pair in pairs]})
