"""Comparison: two or more models side by side in this process: answers on the same rows, time in interleaved blocks.

The first model is the baseline. It is loaded twice and measured against itself in the same rounds (A/A), so that the
noise floor is that of these very minutes: what lies within it is tied, not ranked.
"""

import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
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
from weighbridge.measure.conditions.model_file import ModelFile, digest_of_file, read_model
from weighbridge.measure.inputs import DataSet, InputSpec, check_fits, read_data_set
from weighbridge.measure.samples import Queries, prepare_queries
from weighbridge.quality.scores import labels_of, numbers_of
from weighbridge.statistics.standing import doubts, median_latency, quality_drops, ranks_of, speed
from weighbridge.systems.engine_errors import model_failure
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner, engine

SCHEMA = "weighbridge.comparison/1"
TWIN = "baseline, once more"
BATCH = 64
# Where answering ends and timing begins on the way from 0 to 1.
ANSWERED = 0.3
Say = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonSettings:
    """What decides a comparison: how much quality may be lost (in the unit of the metric), level, threads, blocks."""

    margin: float = 0.01
    confidence: float = 0.95
    threads: int = 1
    resamples: int = 1_000
    blocks: BlockSettings = BlockSettings()  # noqa: RUF009 -- frozen, as everything in it

    def __post_init__(self) -> None:
        """Refuse a margin, a level, threads or resamples that mean nothing."""
        if not self.margin > 0:
            raise Invalid(
                "The margin must be above zero: it says how much worse would still be good enough.", field="margin"
            )
        if not 0 < self.confidence < 1:
            raise Invalid("A confidence level lies between 0 and 1.", field="confidence")
        if self.threads < 1:
            raise Invalid("A model runs on at least one thread.", field="threads")
        if self.resamples < 100:
            raise Invalid("An interval by resampling needs at least 100 resamples.", field="resamples")


def compare(
    *,
    models: Mapping[str, Path],
    data: Path | None,
    settings: ComparisonSettings,
    on_progress: Say,
    now: datetime,
    clock: Callable[[], int] = time.perf_counter_ns,
    isolation: str = "none, the caller's own process",
) -> dict[str, Any]:
    """Compare ONNX files by name, the first the baseline, and return a `weighbridge.comparison/1` mapping.

    Raises Invalid for fewer than two models, for models with different inputs and for data that does not fit,
    ModelFailed when a model does not answer. `Enough` from `on_progress` during the rounds keeps the whole ones.
    """
    baseline = _first_of(models)
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
    circumstances = verdict.RunCircumstances(
        interference=seen, governor=manifest.governor(), free_dimensions=queries.free_dimensions
    )
    reasons = (
        *doubts(blocks, noise_floor(blocks, baseline, TWIN, confidence=settings.confidence)),
        *verdict.machine_reasons(circumstances, threads=settings.threads),
    )
    described = {
        "models": {name: {"digest": file.digest} for name, file in files.items()},
        "data": {"digest": digest_of_file(data)} if data is not None else None,
        "inputs": {"origin": queries.origin},
        "settings": to_document(settings),
        "engine": runners[baseline].describe(),
        "libraries": manifest.libraries(),
        "machine": manifest.machine(),
        "isolation": isolation,
    }
    return {
        "schema": SCHEMA,
        "measured_at": now.isoformat(),
        "is_partial": not blocks.is_complete,
        **_standing(files, blocks, answers, rows, settings),
        "verdict": verdict.Verdict(verdict.worst(reasons), reasons).as_document(),
        "run": {
            "duration_s": round(blocks.duration_s, 3),
            "rounds": len(blocks.latencies_ns[baseline]),
            "interference": seen.as_document(),
        },
        "manifest": manifest.sealed(described),
    }


def _standing(
    files: Mapping[str, ModelFile],
    blocks: Blocks,
    answers: Mapping[str, NDArray[Any]],
    rows: DataSet | None,
    settings: ComparisonSettings,
) -> dict[str, Any]:
    """Return what the rounds and the answers say of each model, and how they rank."""
    baseline, confidence = next(iter(files)), settings.confidence
    floor = noise_floor(blocks, baseline, TWIN, confidence=confidence)

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
                **speed(blocks, baseline, name, floor=floor, confidence=confidence),
                "quality_drops": drops(name),
            }
            for name, file in files.items()
        ],
        "ranks": ranks_of(blocks, list(files), floor=floor, confidence=confidence),
    }


def _first_of(models: Mapping[str, Path]) -> str:
    if len(models) < 2 or TWIN in models:
        raise Invalid("Name two models at least, the baseline first, each under a name of its own.", field="models")
    return next(iter(models))


def _check_inputs(declared: Mapping[str, Sequence[InputSpec]], rows: DataSet | None) -> None:
    """Refuse models that cannot be asked the same queries."""
    first, *others = declared
    for name in others:
        if [(spec.name, spec.dtype) for spec in declared[name]] != [
            (spec.name, spec.dtype) for spec in declared[first]
        ]:
            text = f"{name} takes other inputs than {first}; export both with the same names and types of inputs."
            raise Invalid(text, code="model_inputs", field="models")
    if rows is not None:
        for specs in declared.values():
            check_fits(rows, specs)


def _answers(runners: Mapping[str, OnnxRuntimeRunner], queries: Queries, say: Say) -> dict[str, NDArray[Any]]:
    """Return each model's classes or numbers for all rows of the data set; nothing without one."""
    if queries.data is None or queries.spec is None:
        return {}
    x, y = queries.data.x, queries.data.y
    read = numbers_of if np.issubdtype(y.dtype, np.floating) else labels_of
    found = {}
    for place, (name, runner) in enumerate(runners.items()):
        batch = 1 if isinstance(runner.inputs[0].shape[0], int) else BATCH
        parts = []
        for start in range(0, len(x), batch):
            rows = x[start : start + batch]
            try:
                output = runner.first_output({queries.spec.name: rows})
            except Exception as error:
                # ONNX Runtime's exception classes share no base but Exception.
                raise model_failure(f"({name}) on row {start} of the data set", error) from error
            parts.append(read(output, rows=len(rows)))
            say(ANSWERED * (place + start / len(x)) / len(runners), f"asking {name}")
        found[name] = np.concatenate(parts)
    return found


def _rounds(
    runners: Mapping[str, OnnxRuntimeRunner],
    queries: Queries,
    settings: ComparisonSettings,
    say: Say,
    clock: Callable[[], int],
) -> tuple[Blocks, interference.Interference]:
    interference.spin_ns(clock)  # the first one warms the interpreter
    spins = [interference.spin_ns(clock)]

    def tick(share: float) -> None:
        say(ANSWERED + share * (1 - ANSWERED), "timing side by side" if share else "warming up")
        spins.append(interference.spin_ns(clock))

    before = interference.read_counters(clock)
    blocks = interleave(runners, queries.feeds, settings=settings.blocks, clock=clock, on_tick=tick)
    after = interference.read_counters(clock)
    return blocks, interference.between(before, after, spins_ns=spins, cpus=len(os.sched_getaffinity(0)))


def _described(name: str, file: ModelFile, blocks: Blocks, confidence: float) -> dict[str, Any]:
    p50 = median_latency(blocks, name, confidence=confidence)
    return {
        "name": name,
        "digest": file.digest,
        "metrics": {
            "model_size_mb": metrics.single(file.size_mb, "MB"),
            "parameters": metrics.single(file.parameters, "1"),
            **({"latency_p50_ms": metrics.bounded(p50, "ms")} if p50 else {}),
        },
        "failures": dict(blocks.failures[name]),
    }
