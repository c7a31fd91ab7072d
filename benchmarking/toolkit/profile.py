"""A profile: one model, measured once in this process: load, first inference, SingleStream latency, memory, quality.

In scope: the order of the phases and the shape of the result. Not in scope: isolation, limits and cancelling, which
`runners.isolated` adds around it. A model that cannot be trusted is profiled there, never here.
"""

import dataclasses
import math
import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarking.toolkit.measure import inputs, interference, manifest, memory, metrics, verdict
from benchmarking.toolkit.measure.latency import Feed, LatencyRun, single_stream
from benchmarking.toolkit.measure.model import BYTES_PER_MB, ModelFile, digest_of_file, read_model
from benchmarking.toolkit.measure.quality import Quality, measure_quality
from benchmarking.toolkit.measure.scenarios import ProfileSettings
from benchmarking.toolkit.measure.stats import minimum_samples
from benchmarking.toolkit.runners.onnx_runtime import OnnxRuntimeRunner, engine
from governance.domain.refusals import Refused

SCHEMA = "weighbridge.result/1"
MAX_DISTINCT_INPUTS = 10_000
MAX_KEPT_SAMPLES = 20_000
QUALITY_BATCH = 64
# Where the phases stand on the way from 0 to 1, with and without a data set.
LATENCY_FROM, LATENCY_TO, LATENCY_TO_ALONE = 0.05, 0.65, 0.97

Progress = Callable[[float, str], None]


class ModelFailed(Refused):
    """The model could not answer."""

    default_code = "model_failed"


@dataclasses.dataclass(frozen=True)
class Queries:
    """The single-row queries of a run, where they come from, and the data set behind them."""

    feeds: Sequence[Feed]
    origin: str
    spec: inputs.InputSpec | None
    data: inputs.DataSet | None
    free_dimensions: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Start:
    """How long loading and the first answer took, and the resident memory before."""

    load_ms: float
    first_inference_ms: float
    resident_before: int | None


def profile(
    *,
    model: Path,
    settings: ProfileSettings,
    data: Path | None,
    on_progress: Progress,
    now: datetime,
    clock: Callable[[], int] = time.perf_counter_ns,
    isolation: str = "none, the caller's own process",
) -> dict[str, Any]:
    """Profile an ONNX model and return a `weighbridge.result/1` mapping; `isolation` says what fences the model in.

    Raises Invalid for input that cannot be measured and ModelFailed when the model does not answer; whatever
    `on_progress` raises passes through, which is how a run is stopped. Sets this process's memory high-water mark back.
    """
    on_progress(0.0, "reading the model")
    file = read_model(model)
    data_set = inputs.read_data_set(data) if data is not None else None
    resident_before = memory.resident_bytes()
    memory.reset_peak()
    on_progress(0.02, "loading the model")
    # Imported before the clock starts: a service pays for the engine once, for each model it pays the load.
    engine()
    begun = clock()
    runner = OnnxRuntimeRunner(model, threads=settings.scenario.threads)
    loaded = clock()
    queries = prepare_queries(runner.inputs, data_set, seed=settings.scenario.seed)
    on_progress(0.04, "asking for the first time")
    start = Start((loaded - begun) / 1e6, _first_inference_ms(runner, queries.feeds[0], clock), resident_before)
    run, seen = _measure_latency(runner, queries, settings, on_progress, clock)
    peak_bytes = memory.peak_bytes()
    quality = _measure_quality(runner, queries, settings, on_progress)
    on_progress(1.0, "done")
    return {
        "schema": SCHEMA,
        "measured_at": now.isoformat(),
        "scenario": settings.scenario.NAME,
        "headline": settings.scenario.HEADLINE,
        "verdict": _judged(run, seen, queries, settings).as_document(),
        "metrics": {
            **metrics.latency_metrics(run),
            **metrics.rate_metrics(run),
            **_start_metrics(start),
            **_size_metrics(file, start, peak_bytes),
            **_quality_metrics(quality),
        },
        "early_stopping": metrics.early_stopping(run),
        "missing": metrics.missing_figures(run),
        "run": _run_document(run, seen),
        "confusion": quality.confusion.tolist() if quality else None,
        "manifest": manifest.sealed(_manifest(file, data, runner, queries, settings) | {"isolation": isolation}),
        "samples": _samples(run),
    }


def prepare_queries(specs: Sequence[inputs.InputSpec], data: inputs.DataSet | None, *, seed: int) -> Queries:
    """Cut a data set into single rows that fit the model, or draw rows from its declared shapes."""
    for spec in specs:
        inputs.check_batch(spec)
    if data is None:
        free = tuple(name for spec in specs for name in spec.free_dimensions)
        origin = f"{inputs.GENERATED_ROWS} rows drawn from the declared shapes, seed {seed}"
        return Queries(inputs.draw_inputs(specs, seed=seed), origin, None, None, free)
    spec = inputs.check_fits(data, specs)
    rows = np.random.default_rng(seed).permutation(len(data.x))[:MAX_DISTINCT_INPUTS]
    feeds = [{spec.name: data.x[row : row + 1]} for row in np.sort(rows)]
    return Queries(feeds, f"{len(feeds)} distinct rows of the data set", spec, data, ())


def _first_inference_ms(runner: OnnxRuntimeRunner, feed: Feed, clock: Callable[[], int]) -> float:
    begun = clock()
    try:
        runner.infer(feed)
    except Exception as error:
        # ONNX Runtime's exception classes share no base but Exception.
        raise model_failure("on its first inference", error) from error
    return (clock() - begun) / 1e6


def model_failure(where: str, error: BaseException) -> ModelFailed:
    """Put an engine's exception into words; running out of memory gets a code of its own."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or "alloc" in str(error).lower():
        return ModelFailed(f"The model ran out of memory {where} ({text}).", code="model_memory", field="model")
    return ModelFailed(f"The model failed {where} ({text}).", field="model")


def _measure_latency(
    runner: OnnxRuntimeRunner,
    queries: Queries,
    settings: ProfileSettings,
    on_progress: Progress,
    clock: Callable[[], int],
) -> tuple[LatencyRun, interference.Interference]:
    end = LATENCY_TO if queries.data is not None else LATENCY_TO_ALONE
    interference.spin_ns(clock)  # the first one warms the interpreter
    spins = [interference.spin_ns(clock)]

    def tick(share: float) -> None:
        on_progress(LATENCY_FROM + share * (end - LATENCY_FROM), "measuring latency" if share else "warming up")
        spins.append(interference.spin_ns(clock))

    before = interference.read_counters(clock)
    run = single_stream(runner, queries.feeds, scenario=settings.scenario, clock=clock, on_tick=tick)
    after = interference.read_counters(clock)
    spins.append(interference.spin_ns(clock))
    seen = interference.between(before, after, spins_ns=spins, cpus=len(os.sched_getaffinity(0)))
    return run, seen


def _measure_quality(
    runner: OnnxRuntimeRunner, queries: Queries, settings: ProfileSettings, on_progress: Progress
) -> Quality | None:
    if queries.data is None or queries.spec is None:
        return None
    name, x = queries.spec.name, queries.data.x
    batch = 1 if isinstance(queries.spec.shape[0], int) else QUALITY_BATCH

    def predict(start: int, stop: int) -> NDArray[Any]:
        try:
            return runner.first_output({name: x[start:stop]})
        except Exception as error:
            # ONNX Runtime's exception classes share no base but Exception.
            raise model_failure(f"on rows {start} to {stop - 1} of the data set", error) from error

    return measure_quality(
        predict,
        queries.data.y,
        batch=batch,
        confidence=settings.quality_confidence,
        resamples=settings.bootstraps,
        seed=settings.scenario.seed,
        on_tick=lambda share: on_progress(LATENCY_TO + share * (0.97 - LATENCY_TO), "measuring quality"),
    )


def _judged(
    run: LatencyRun, seen: interference.Interference, queries: Queries, settings: ProfileSettings
) -> verdict.Verdict:
    circumstances = verdict.Circumstances(
        interference=seen, governor=manifest.governor(), free_dimensions=queries.free_dimensions
    )
    minimum = minimum_samples(metrics.PERCENTILES[settings.scenario.HEADLINE])
    return verdict.judge(run, scenario=settings.scenario, minimum=minimum, circumstances=circumstances)


def _quality_metrics(quality: Quality | None) -> dict[str, dict[str, Any]]:
    return metrics.quality_metrics(quality) if quality is not None else {}


def _start_metrics(start: Start) -> dict[str, dict[str, Any]]:
    return {
        "load_time_ms": metrics.single(start.load_ms, "ms"),
        "first_inference_ms": metrics.single(start.first_inference_ms, "ms"),
    }


def _size_metrics(file: ModelFile, start: Start, peak_bytes: int | None) -> dict[str, dict[str, Any]]:
    sizes = {
        "model_size_mb": metrics.single(file.size_mb, "MB"),
        "parameters": metrics.single(file.parameters, "1"),
    }
    if peak_bytes is not None:
        sizes["peak_memory_mb"] = metrics.single(peak_bytes / BYTES_PER_MB, "MB")
        if start.resident_before is not None:
            delta = max(0, peak_bytes - start.resident_before)
            sizes["peak_memory_delta_mb"] = metrics.single(delta / BYTES_PER_MB, "MB")
    return sizes


def _samples(run: LatencyRun) -> dict[str, Any]:
    """Keep the latencies in order of time, every `stride`-th where they are many; the metrics stand on all of them."""
    stride = max(1, math.ceil(len(run.latencies_ns) / MAX_KEPT_SAMPLES))
    return {"latency_ns": run.latencies_ns[::stride].tolist(), "stride": stride}


def _run_document(run: LatencyRun, seen: interference.Interference) -> dict[str, Any]:
    return {
        "duration_s": round(run.duration_s, 3),
        "failures": run.failures,
        "distinct_inputs": run.distinct_inputs,
        "warmup": dataclasses.asdict(run.warmup),
        "interference": seen.as_document(),
    }


def _manifest(
    file: ModelFile, data: Path | None, runner: OnnxRuntimeRunner, queries: Queries, settings: ProfileSettings
) -> dict[str, Any]:
    return {
        "model": {"digest": file.digest, "opsets": file.opsets, "operators": file.operators},
        "data": {"digest": digest_of_file(data)} if data is not None else None,
        "inputs": {"origin": queries.origin, "declared": [dataclasses.asdict(spec) for spec in runner.inputs]},
        "settings": settings.as_document(),
        "engine": runner.describe(),
        "libraries": manifest.libraries(),
        "machine": manifest.machine(),
    }
