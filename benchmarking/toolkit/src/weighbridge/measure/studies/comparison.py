"""Comparison of two or more models in this process: answers on the same rows, times in interleaved blocks.

The first model is the baseline. It is loaded twice and measured against itself in the same rounds (A/A), which gives
the noise floor of this measurement: models within it are tied.
"""

import dataclasses
import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure import metrics, verdict
from weighbridge.measure.blocks import Blocks, BlockSettings, interleave, noise_floor
from weighbridge.measure.conditions import interference, manifest
from weighbridge.measure.conditions.model_file import ModelFile, file_entry, read_model
from weighbridge.measure.inputs import DataSet, InputSpec, Queries, check_fits, prepare_queries, read_data_set
from weighbridge.measure.stopping import Clock, Progress
from weighbridge.quality.scores import labels_of, numbers_of
from weighbridge.statistics.ranking import compare_speed, comparison_reasons, median_latency, quality_drops, ranks_of
from weighbridge.systems.engine_errors import failing
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner, engine

SCHEMA = "weighbridge.comparison/1"
TWIN = "baseline, once more"
BATCH = 64
# Share of progress at which answering ends and timing starts.
ANSWERED_SHARE = 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonSettings:
    """The settings of a comparison: acceptable loss of quality (in the unit of the metric), level, threads, blocks."""

    margin: float = 0.01
    confidence: float = 0.95
    threads: int = 1
    resamples: int = 1_000
    blocks: BlockSettings = BlockSettings()  # noqa: RUF009 -- frozen, as everything in it

    def __post_init__(self) -> None:
        """Raise Invalid for an invalid margin, level, number of threads or resamples."""
        if not self.margin > 0:
            raise Invalid("The margin must be above zero: it is the acceptable loss.", field="margin")
        if not 0 < self.confidence < 1:
            raise Invalid("The confidence level must be between 0 and 1.", field="confidence")
        if self.threads < 1:
            raise Invalid("A model needs at least one thread.", field="threads")
        if self.resamples < 100:
            raise Invalid("A bootstrap interval needs at least 100 resamples.", field="resamples")


def compare(
    *,
    models: Mapping[str, Path],
    data: Path | None,
    settings: ComparisonSettings,
    on_progress: Progress,
    now: datetime,
    clock: Clock = time.perf_counter_ns,
    isolation: str = "none, the caller's own process",
) -> dict[str, Any]:
    """Compare ONNX files by name, the first the baseline, and return a `weighbridge.comparison/1` mapping.

    Raises Invalid for fewer than two models, for models with different inputs and for data that does not fit, and
    ModelFailed if a model does not answer. `StopMeasurement` from `on_progress` during the rounds keeps complete
    rounds.
    """
    if len(models) < 2 or TWIN in models:
        raise Invalid("Give at least two models with different names, the baseline first.", field="models")
    baseline = next(iter(models))
    on_progress(0.0, "reading the models")
    files = {name: read_model(path) for name, path in models.items()}
    rows = read_data_set(data) if data is not None else None
    engine()
    runners = {name: OnnxRuntimeRunner(path, threads=settings.threads) for name, path in models.items()}
    _check_inputs({name: runner.inputs for name, runner in runners.items()}, rows)
    queries = prepare_queries(runners[baseline].inputs, rows, seed=settings.blocks.seed)
    answers = _answers(runners, queries, on_progress)
    runners[TWIN] = OnnxRuntimeRunner(models[baseline], threads=settings.threads)
    blocks, seen = _rounds(runners, queries, settings, on_progress, clock)
    governor = manifest.cpu_governors()
    floor = noise_floor(blocks, baseline, TWIN, confidence=settings.confidence)
    reasons = (
        *comparison_reasons(blocks, floor),
        *verdict.machine_reasons(seen, queries.free_dimensions, governor=governor, threads=settings.threads),
    )
    described = {
        "models": {name: {"digest": file.digest} for name, file in files.items()},
        "data": file_entry(data),
        "inputs": {"origin": queries.origin},
        "settings": to_document(settings),
        "engine": runners[baseline].describe(),
        "libraries": manifest.library_versions(),
        "machine": manifest.describe_machine(),
        "isolation": isolation,
    }
    return {
        "schema": SCHEMA,
        "measured_at": now.isoformat(),
        "is_partial": not blocks.is_complete,
        **_ranking(files, blocks, floor, answers, rows, settings),
        "verdict": verdict.Verdict(reasons).as_document(),
        "run": {
            "duration_s": round(blocks.duration_s, 3),
            "rounds": len(blocks.latencies_ns[baseline]),
            "interference": seen.as_document(),
        },
        "manifest": manifest.seal_manifest(described),
    }


def _ranking(
    files: Mapping[str, ModelFile],
    blocks: Blocks,
    floor: float | None,
    answers: Mapping[str, NDArray[Any]],
    rows: DataSet | None,
    settings: ComparisonSettings,
) -> dict[str, Any]:
    """Return the results of each model and the ranking."""
    baseline, confidence = next(iter(files)), settings.confidence

    def drops(name: str) -> list[dict[str, Any]]:
        if rows is None or name == baseline:
            return []
        return quality_drops(
            rows.y,
            answers[baseline],
            answers[name],
            margin=settings.margin,
            confidence=confidence,
            resamples=settings.resamples,
            seed=settings.blocks.seed,
        )

    return {
        "baseline": baseline,
        "noise_floor": floor,
        "candidates": [
            {
                **_described(name, file, blocks, confidence),
                **compare_speed(blocks, baseline, name, floor=floor, confidence=confidence),
                "quality_drops": drops(name),
            }
            for name, file in files.items()
        ],
        "ranks": ranks_of(blocks, list(files), floor=floor, confidence=confidence),
    }


def _check_inputs(declared: Mapping[str, Sequence[InputSpec]], rows: DataSet | None) -> None:
    """Raise Invalid for models with different inputs."""
    types = {name: [(spec.name, spec.dtype) for spec in specs] for name, specs in declared.items()}
    first, *others = declared
    for name in others:
        if types[name] != types[first]:
            text = f"{name} has other inputs than {first}; export both with the same input names and types."
            raise Invalid(text, code="model_inputs", field="models")
    if rows is not None:
        for specs in declared.values():
            check_fits(rows, specs)


def _answers(runners: Mapping[str, OnnxRuntimeRunner], queries: Queries, say: Progress) -> dict[str, NDArray[Any]]:
    """Return each model's classes or numbers for all rows of the data set; empty without one."""
    if queries.data is None or queries.spec is None:
        return {}
    x, y = queries.data.x, queries.data.y
    read = numbers_of if np.issubdtype(y.dtype, np.floating) else labels_of
    answers = {}
    for index, (name, runner) in enumerate(runners.items()):
        batch = 1 if isinstance(runner.inputs[0].shape[0], int) else BATCH
        parts = []
        for start in range(0, len(x), batch):
            rows = x[start : start + batch]
            with failing(f"({name}) on row {start} of the data set"):
                output = runner.first_output({queries.spec.name: rows})
            parts.append(read(output, rows=len(rows)))
            say(ANSWERED_SHARE * (index + start / len(x)) / len(runners), f"running {name}")
        answers[name] = np.concatenate(parts)
    return answers


def _rounds(
    runners: Mapping[str, OnnxRuntimeRunner],
    queries: Queries,
    settings: ComparisonSettings,
    say: Progress,
    clock: Clock,
) -> tuple[Blocks, interference.Interference]:
    interference.spin_ns(clock)  # the first call warms up the interpreter
    spins = [interference.spin_ns(clock)]

    def tick(share: float) -> None:
        say(ANSWERED_SHARE + share * (1 - ANSWERED_SHARE), "timing side by side" if share else "warming up")
        spins.append(interference.spin_ns(clock))

    before = interference.read_counters(clock)
    blocks = interleave(runners, queries.feeds, settings=settings.blocks, clock=clock, on_tick=tick)
    after = interference.read_counters(clock)
    return blocks, interference.interference_between(before, after, spins_ns=spins, cpus=len(os.sched_getaffinity(0)))


def _described(name: str, file: ModelFile, blocks: Blocks, confidence: float) -> dict[str, Any]:
    p50 = median_latency(blocks, name, confidence=confidence)
    return {
        "name": name,
        "digest": file.digest,
        "metrics": {
            "model_size_mb": metrics.point_metric(file.size_mb, "MB"),
            "parameters": metrics.point_metric(file.parameters, "1"),
            **({"latency_p50_ms": metrics.interval_metric(p50, "ms")} if p50 else {}),
        },
        "failures": dict(blocks.failures[name]),
    }
