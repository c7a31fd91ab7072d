"""A profile: one measurement of a model in this process: load, first inference, scenario, memory and quality.

This module defines the order of the phases and the format of the result. `systems.sandbox.isolated` adds isolation,
limits and cancellation; untrusted models must be profiled there.
"""

import contextlib
import dataclasses
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure import metrics, scenario_metrics
from weighbridge.measure.conditions import energy, manifest, memory
from weighbridge.measure.conditions.model_file import BYTES_PER_MB, file_entry
from weighbridge.measure.inputs import Queries, prepare_queries, read_data_set
from weighbridge.measure.loops.arrivals import ServerRun
from weighbridge.measure.loops.latency import Feed, LatencyRun
from weighbridge.measure.quality_verdict import with_doubts
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.measure.stopping import Clock, Progress, StopMeasurement
from weighbridge.measure.timed_run import TimedRun, judge_run, measure_timed_run
from weighbridge.quality.checks import DataDoubt, answer_doubts, data_doubts
from weighbridge.quality.scores import Quality, measure_quality
from weighbridge.statistics.order_statistics import tukey_counts
from weighbridge.systems.engine_errors import failing
from weighbridge.systems.registry import LoadedSystem, SystemUnderTest

SCHEMA = "weighbridge.result/1"
MAX_STORED_SAMPLES = 20_000
QUALITY_BATCH = 64
# Progress (0 to 1) at the start and the end of the latency phase, with and without a data set.
LATENCY_FROM, LATENCY_TO, LATENCY_TO_ALONE = 0.05, 0.65, 0.97


def measure(
    system: SystemUnderTest,
    *,
    settings: ProfileSettings,
    data: Path | None,
    on_progress: Progress,
    now: datetime,
    clock: Clock = time.perf_counter_ns,
    isolation: str,
    on_checkpoint: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure a system once in this process and return a `weighbridge.result/1` mapping.

    `isolation` describes the sandbox; `on_checkpoint` receives the result before quality is measured. Raises Invalid
    for invalid input and ModelFailed if the system does not answer. Exceptions of `on_progress` pass through and so
    stop the run, but `StopMeasurement` after the first timed query ends it with a partial result. Resets the memory
    high-water mark of this process.
    """
    data_set = read_data_set(data) if data is not None else None
    with _pinned(settings.engine.affinity):
        resident_before = memory.resident_bytes()
        memory.reset_peak()
        on_progress(0.02, "loading the model")
        # Not timed: a service imports the engine once, but loads every model.
        system.ready()
        begun = clock()
        runner = system.load()
        loaded = clock()
        scenario = settings.scenario
        queries = prepare_queries(runner.inputs, data_set, seed=scenario.seed, rows=scenario.rows)
        on_progress(0.04, "running the first inference")
        first_inference_ms = _first_inference_ms(runner, queries.feeds[0], clock)
        seen = measure_timed_run(runner, queries, settings, _tick(on_progress, queries, settings), clock)
        described = _manifest(system, data, runner, queries, settings) | {"isolation": isolation}
        metric_values: dict[str, Mapping[str, Any]] = {
            **scenario_metrics.metrics_of(seen.run, scenario),
            "load_time_ms": metrics.point_metric((loaded - begun) / 1e6, "ms"),
            "first_inference_ms": metrics.point_metric(first_inference_ms, "ms"),
            **system.sizes,
            **_memory_metrics(resident_before, memory.peak_bytes() if system.is_here else None),
            **seen.energy,
        }
        document = _document(seen, queries, settings, metric_values, described, system.missing)
        document["measured_at"] = now.isoformat()
        if not _has_quality(queries, settings):
            return _done(document, on_progress)
        on_checkpoint(_without_quality(document))
        if seen.run.is_partial:
            return _without_quality(document)
        try:
            quality, doubts = _measure_quality(runner, queries, settings, on_progress)
            return _done(with_doubts(_with_quality(document, quality), doubts), on_progress)
        except StopMeasurement:
            return _without_quality(document)


def _tick(on_progress: Progress, queries: Queries, settings: ProfileSettings) -> Callable[[float], None]:
    end = LATENCY_TO if _has_quality(queries, settings) else LATENCY_TO_ALONE

    def tick(share: float) -> None:
        on_progress(LATENCY_FROM + share * (end - LATENCY_FROM), "measuring latency" if share else "warming up")

    return tick


def _document(
    seen: TimedRun,
    queries: Queries,
    settings: ProfileSettings,
    metric_values: dict[str, Mapping[str, Any]],
    described: dict[str, Any],
    missing: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    scenario = settings.scenario
    return {
        "schema": SCHEMA,
        "is_partial": seen.run.is_partial,
        "scenario": scenario.NAME,
        "headline": scenario.HEADLINE,
        "verdict": judge_run(seen, queries, settings).as_document(),
        "metrics": metric_values,
        "early_stopping": scenario_metrics.early_stopping(seen.run),
        "limit": scenario_metrics.limit_answer(seen.run, scenario),
        "missing": [
            *scenario_metrics.missing_metrics(seen.run, scenario),
            *missing,
            *energy.missing_energy(tuple(metric_values)),
        ],
        "run": {
            "duration_s": round(seen.run.duration_s, 3),
            "failures": seen.run.failures,
            "distinct_inputs": seen.run.distinct_inputs,
            "warmup": dataclasses.asdict(seen.run.warmup),
            "outliers": tukey_counts(seen.run.latencies_ns),
            "interference": seen.interference.as_document(),
        },
        "confusion": None,
        "per_class": None,
        "quality_verdict": None,
        "manifest": manifest.seal_manifest(described),
        "samples": _samples(seen.run),
    }


def _with_quality(document: dict[str, Any], quality: Quality) -> dict[str, Any]:
    scored = document["metrics"] | metrics.quality_metrics(quality)
    confusion = quality.confusion.tolist() if quality.confusion is not None else None
    return document | {"metrics": scored, "confusion": confusion, "per_class": metrics.class_metrics(quality)}


def _without_quality(document: dict[str, Any]) -> dict[str, Any]:
    entry = {"metric": "accuracy", "message": "Quality was not measured: the run ended before."}
    return document | {"is_partial": True, "missing": [*document["missing"], entry]}


def _done(document: dict[str, Any], on_progress: Progress) -> dict[str, Any]:
    # A stop request has no effect at the end.
    with contextlib.suppress(StopMeasurement):
        on_progress(1.0, "done")
    return document


@contextlib.contextmanager
def _pinned(cpus: Sequence[int]) -> Iterator[None]:
    """Pin this thread, and threads that it starts, to these processors; without any, to all allowed processors."""
    before = os.sched_getaffinity(0)
    if not set(cpus) <= before:
        text = f"This process may use only the processors {sorted(before)}, not {sorted(cpus)}."
        raise Invalid(text, code="affinity", field="affinity")
    if cpus:
        os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _first_inference_ms(runner: LoadedSystem, feed: Feed, clock: Clock) -> float:
    with failing("on its first inference"):
        begun = clock()
        runner.infer(feed)
        return (clock() - begun) / 1e6


def _has_quality(queries: Queries, settings: ProfileSettings) -> bool:
    return queries.data is not None and settings.measures_quality


def _measure_quality(
    runner: LoadedSystem, queries: Queries, settings: ProfileSettings, on_progress: Progress
) -> tuple[Quality, tuple[DataDoubt, ...]]:
    """Score the rows, and check them; the doubts say what the score is worth."""
    if queries.data is None or queries.spec is None:
        raise ValueError("quality needs a data set")
    fixed = queries.spec.shape[0]
    batch = fixed if isinstance(fixed, int) else QUALITY_BATCH
    # A model with a fixed batch size answers only complete batches; the remaining rows are not scored.
    scored = len(queries.data.x) // batch * batch if isinstance(fixed, int) else len(queries.data.x)
    name, x, truth = queries.spec.name, queries.data.x[:scored], queries.data.y[:scored]

    def predict(start: int, stop: int) -> NDArray[Any]:
        with failing(f"on rows {start} to {stop - 1} of the data set"):
            return runner.first_output({name: x[start:stop]})

    quality = measure_quality(
        predict,
        truth,
        batch=batch,
        confidence=settings.quality_confidence,
        resamples=settings.bootstraps,
        seed=settings.scenario.seed,
        on_tick=lambda share: on_progress(LATENCY_TO + share * (0.97 - LATENCY_TO), "measuring quality"),
    )
    return quality, (*data_doubts(x, truth), *answer_doubts(x, quality.metrics.get("accuracy")))


def _memory_metrics(resident_before: int | None, peak_bytes: int | None) -> dict[str, dict[str, Any]]:
    if peak_bytes is None:
        return {}
    sizes = {"peak_memory_mb": metrics.point_metric(peak_bytes / BYTES_PER_MB, "MB")}
    if resident_before is not None:
        delta = max(0, peak_bytes - resident_before)
        sizes["peak_memory_delta_mb"] = metrics.point_metric(delta / BYTES_PER_MB, "MB")
    return sizes


def _samples(run: LatencyRun) -> dict[str, Any]:
    """Return the latencies in order of time, every `stride`-th if there are many; the metrics use all of them."""
    stride = max(1, math.ceil(len(run.latencies_ns) / MAX_STORED_SAMPLES))
    responses = {"response_ns": run.responses_ns[::stride].tolist()} if isinstance(run, ServerRun) else {}
    return {"latency_ns": run.latencies_ns[::stride].tolist(), **responses, "stride": stride}


def _manifest(
    system: SystemUnderTest, data: Path | None, runner: LoadedSystem, queries: Queries, settings: ProfileSettings
) -> dict[str, Any]:
    return {
        "model": dict(system.model),
        "data": file_entry(data),
        "inputs": {"origin": queries.origin, "declared": [dataclasses.asdict(spec) for spec in runner.inputs]},
        "settings": to_document(settings),
        "engine": runner.describe(),
        "libraries": manifest.library_versions(),
        "machine": manifest.describe_machine(),
    }
