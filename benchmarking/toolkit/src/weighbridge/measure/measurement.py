"""A profile: one measurement of a model in this process: load, first inference, scenario, memory and quality.

This module defines the order of the phases and the format of the result. `systems.sandbox.isolated` adds isolation,
limits and cancellation; untrusted models must be profiled there.
"""

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid, Refused
from weighbridge.measure import metrics, scenario_metrics
from weighbridge.measure.conditions import memory
from weighbridge.measure.conditions.gpu.watch import watched
from weighbridge.measure.conditions.model_file import BYTES_PER_MB
from weighbridge.measure.inputs.data_set import read_data_set
from weighbridge.measure.inputs.queries import Queries, prepare_queries
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.loops.state import StateRunner
from weighbridge.measure.quality.answering import Answering
from weighbridge.measure.quality.phase import answering_of, measure_answers
from weighbridge.measure.quality.verdict import with_doubts
from weighbridge.measure.results.document import (
    describe_run,
    missing_entries,
    run_document,
    unmeasured_document,
    with_quality,
    without_quality,
)
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.measure.stopping import Clock, Progress, StopMeasurement
from weighbridge.measure.timed_run import measure_timed_run
from weighbridge.quality.checks import DataDoubt
from weighbridge.systems.engine_errors import failing
from weighbridge.systems.registry import LoadedSystem, SystemUnderTest

NOT_SCORED = "quality.not_scored"
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
    scenario = settings.scenario
    with _pinned(settings.engine.affinity), watched(settings.engine) as watch:
        on_progress(0.02, "loading the model")
        loaded = _load(system, clock)
        runner = loaded.runner
        queries = prepare_queries(
            runner.inputs, data_set, seed=scenario.seed, rows=scenario.rows, settings=settings.inputs
        )
        described = describe_run(system, data, runner, queries, settings) | {"isolation": isolation}
        if queries.unstated:
            document = unmeasured_document(system, queries, scenario, described, loaded.load_time_ms)
            return _done(document | {"measured_at": now.isoformat()}, on_progress)
        on_progress(0.04, "running the first inference")
        states = queries.bound.states(scenario.rows)
        first_inference_ms = _first_inference_ms(runner, {**queries.feeds[0], **states}, clock)
        answering, unclear = _answering(runner, queries, settings)
        stateful = StateRunner(runner, settings.inputs.state, states)
        seen = measure_timed_run(
            stateful, queries, settings, _tick(on_progress, is_scored=answering is not None), clock, watch
        )
        peak_bytes = memory.peak_bytes() if system.is_here else None
        sizes = system.sizes(queries.shapes)
        metric_values: dict[str, Mapping[str, Any]] = {
            **scenario_metrics.metrics_of(seen.run, scenario),
            "load_time_ms": metrics.point_metric(loaded.load_time_ms, "ms"),
            "first_inference_ms": metrics.point_metric(first_inference_ms, "ms"),
            **sizes.metrics,
            **_memory_metrics(loaded.resident_before, peak_bytes),
            **seen.energy,
            **(seen.card.metrics if seen.card is not None else {}),
        }
        document = run_document(seen, queries, settings, metric_values, described, missing_entries(sizes.missing))
        document["measured_at"] = now.isoformat()
        if answering is None:
            return _done(document if unclear is None else _not_scored(document, unclear), on_progress)
        on_checkpoint(without_quality(document))
        if seen.run.is_partial:
            return without_quality(document)
        return _done(_scored(document, answering, settings, on_progress), on_progress)


def _scored(
    document: dict[str, Any], answering: Answering, settings: ProfileSettings, on_progress: Progress
) -> dict[str, Any]:
    """Return the result with the quality of its answers; the times are kept if there is none."""

    def tick(share: float) -> None:
        on_progress(LATENCY_TO + share * (0.97 - LATENCY_TO), "measuring quality")

    try:
        quality, doubts = measure_answers(answering, settings, tick)
    except StopMeasurement:
        return without_quality(document)
    except Refused as refused:
        return _not_scored(document, refused)
    return with_doubts(with_quality(document, quality), doubts)


def _answering(
    runner: LoadedSystem, queries: Queries, settings: ProfileSettings
) -> tuple[Answering | None, Refused | None]:
    """Return how the rows are answered, or why they cannot be scored; raise Invalid for a wrong name or metric."""
    try:
        return answering_of(runner, queries, settings), None
    except Invalid as unclear:
        if settings.answers.output or settings.metrics:
            raise
        return None, unclear


def _not_scored(document: dict[str, Any], refused: Refused) -> dict[str, Any]:
    missing = [*document["missing"], {"metric": "quality", "message": f"Quality has no value: {refused.reason}"}]
    return with_doubts(document | {"missing": missing}, (DataDoubt(NOT_SCORED, True, refused.reason),))


@dataclasses.dataclass(frozen=True)
class _Loaded:
    runner: LoadedSystem
    load_time_ms: float
    resident_before: int | None


def _load(system: SystemUnderTest, clock: Clock) -> _Loaded:
    resident_before = memory.resident_bytes()
    memory.reset_peak()
    # Not timed: a service imports the engine once, but loads every model.
    system.ready()
    begun = clock()
    runner = system.load()
    return _Loaded(runner, (clock() - begun) / 1e6, resident_before)


def _tick(on_progress: Progress, *, is_scored: bool) -> Callable[[float], None]:
    end = LATENCY_TO if is_scored else LATENCY_TO_ALONE

    def tick(share: float) -> None:
        on_progress(LATENCY_FROM + share * (end - LATENCY_FROM), "measuring latency" if share else "warming up")

    return tick


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


def _memory_metrics(resident_before: int | None, peak_bytes: int | None) -> dict[str, dict[str, Any]]:
    if peak_bytes is None:
        return {}
    sizes = {"peak_memory_mb": metrics.point_metric(peak_bytes / BYTES_PER_MB, "MB")}
    if resident_before is not None:
        delta = max(0, peak_bytes - resident_before)
        sizes["peak_memory_delta_mb"] = metrics.point_metric(delta / BYTES_PER_MB, "MB")
    return sizes
