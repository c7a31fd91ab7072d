"""Comparison of two or more models in this process: answers on the same rows, times in interleaved blocks.

The first model is the baseline. It is loaded twice and measured against itself in the same rounds (A/A), which gives
the noise floor of this measurement: models within it are tied.
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
from weighbridge.core.errors import Invalid, Refused
from weighbridge.measure import metrics, verdict
from weighbridge.measure.blocks import Blocks, BlockSettings, interleave, noise_floor
from weighbridge.measure.conditions import interference, manifest
from weighbridge.measure.conditions.model_file import ModelFile, file_entry, model_entry, read_model
from weighbridge.measure.inputs.data_set import DataSet, read_data_set
from weighbridge.measure.inputs.queries import Queries, prepare_queries, words_without_sizes
from weighbridge.measure.inputs.settings import AS_DECLARED, InputSettings
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.loops.state import StateRunner
from weighbridge.measure.quality.answering import Answering
from weighbridge.measure.stopping import Clock, Progress
from weighbridge.quality.answers import AS_GIVEN, AnswerSettings
from weighbridge.quality.scores import answers_of, numbered, numbers_of, outputs_of
from weighbridge.statistics.ranking import compare_speed, comparison_reasons, median_latency, quality_drops, ranks_of
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner, engine

SCHEMA = "weighbridge.comparison/1"
TWIN = "baseline, once more"
# Share of progress at which answering ends and timing starts.
ANSWERED_SHARE = 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonSettings:
    """The settings of a comparison: acceptable loss of quality (in the unit of the metric), level, threads, blocks.

    `inputs` and `answers` are those of a profile.
    """

    margin: float = 0.01
    confidence: float = 0.95
    threads: int = 1
    resamples: int = 1_000
    blocks: BlockSettings = BlockSettings()  # noqa: RUF009 -- frozen, as everything in it
    inputs: InputSettings = AS_DECLARED
    answers: AnswerSettings = AS_GIVEN

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
    _check_inputs({name: runner.inputs for name, runner in runners.items()})
    queries = {
        name: prepare_queries(runner.inputs, rows, seed=settings.blocks.seed, settings=settings.inputs)
        for name, runner in runners.items()
    }
    _check_sizes(queries)
    answers = _answers(runners, queries, settings, on_progress)
    runners[TWIN] = OnnxRuntimeRunner(models[baseline], threads=settings.threads)
    queries[TWIN] = queries[baseline]
    blocks, seen = _rounds(_stateful(runners, queries), queries[baseline].feeds, settings, on_progress, clock)
    governor = manifest.cpu_governors()
    floor = noise_floor(blocks, baseline, TWIN, confidence=settings.confidence)
    reasons = (
        *comparison_reasons(blocks, floor),
        *verdict.machine_reasons(seen, governor=governor, threads=settings.threads),
    )
    described = {
        "models": {name: model_entry(path) for name, path in models.items()},
        "data": file_entry(data),
        "inputs": {"origin": queries[baseline].origin},
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
    answers: Mapping[str, NDArray[Any] | str],
    rows: DataSet | None,
    settings: ComparisonSettings,
) -> dict[str, Any]:
    """Return the results of each model and the ranking."""
    baseline, confidence = next(iter(files)), settings.confidence

    def drops(name: str) -> list[dict[str, Any]]:
        given, own = answers.get(baseline), answers.get(name)
        if rows is None or name == baseline or not isinstance(given, np.ndarray) or not isinstance(own, np.ndarray):
            return []
        return quality_drops(
            numbered(rows.truth),
            given,
            own,
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
                "not_scored": reason if isinstance(reason := answers.get(name), str) else None,
            }
            for name, file in files.items()
        ],
        "ranks": ranks_of(blocks, list(files), floor=floor, confidence=confidence),
    }


def has_failed(candidate: Mapping[str, Any]) -> bool:
    """Whether a candidate of a comparison failed on a query, or has answers that cannot be scored."""
    return bool(candidate["failures"] or candidate["not_scored"])


def _check_inputs(declared: Mapping[str, Sequence[InputSpec]]) -> None:
    """Raise Invalid for models with different inputs."""
    types = {name: [(spec.name, spec.dtype) for spec in specs] for name, specs in declared.items()}
    first, *others = declared
    for name in others:
        if types[name] != types[first]:
            text = f"{name} has other inputs than {first}; export both with the same input names and types."
            raise Invalid(text, code="model_inputs", field="models")


def _check_sizes(queries: Mapping[str, Queries]) -> None:
    """Raise Invalid for free dimensions without a size: models are not compared on inputs of size 1."""
    unstated = dict.fromkeys(label for each in queries.values() for label in each.unstated)
    if unstated:
        raise Invalid(words_without_sizes(list(unstated)), code="model_dimension", field="dim")


def _stateful(runners: Mapping[str, OnnxRuntimeRunner], queries: Mapping[str, Queries]) -> dict[str, StateRunner]:
    return {
        name: StateRunner(runner, queries[name].bound.settings.state, queries[name].bound.states(1))
        for name, runner in runners.items()
    }


def _answers(
    runners: Mapping[str, OnnxRuntimeRunner],
    queries: Mapping[str, Queries],
    settings: ComparisonSettings,
    say: Progress,
) -> dict[str, NDArray[Any] | str]:
    """Return each model's classes or numbers for all rows, or why it has none; empty without a truth."""
    answers: dict[str, NDArray[Any] | str] = {}
    for index, (name, runner) in enumerate(runners.items()):
        data = queries[name].data
        if data is None or data.y is None:
            return {}
        answering = Answering.of(runner, queries[name].bound, data, settings.answers)

        def tick(done: float, index: int = index, name: str = name) -> None:
            say(ANSWERED_SHARE * (index + done) / len(runners), f"running {name}")

        try:
            answers[name] = _answered(answering, settings, tick)
        except Refused as refused:
            # The times of this model and the answers of the others must not be lost.
            answers[name] = refused.reason
    return answers


def _answered(answering: Answering, settings: ComparisonSettings, on_tick: Callable[[float], None]) -> NDArray[Any]:
    truth = answering.data.truth
    outputs = outputs_of(answering.answer, len(truth), answering.batch, on_tick)
    if np.issubdtype(truth.dtype, np.floating):
        return np.concatenate([numbers_of(output, rows=size) for output, size in outputs])
    return answers_of(outputs, truth, settings.answers).all_labels()


def _rounds(
    runners: Mapping[str, StateRunner],
    feeds: Sequence[Feed],
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
    blocks = interleave(runners, feeds, settings=settings.blocks, clock=clock, on_tick=tick)
    after = interference.read_counters(clock)
    return blocks, interference.interference_between(before, after, spins_ns=spins, cpus=len(os.sched_getaffinity(0)))


def _described(name: str, file: ModelFile, blocks: Blocks, confidence: float) -> dict[str, Any]:
    p50 = median_latency(blocks, name, confidence=confidence)
    return {
        "name": name,
        "digest": file.digest,
        "metrics": {
            "model_size_mb": metrics.point_metric(file.size_mb, "MB"),
            **({"parameters": metrics.point_metric(file.parameters, "1")} if file.parameters else {}),
            **({"latency_p50_ms": metrics.interval_metric(p50, "ms")} if p50 else {}),
        },
        "failures": dict(blocks.failures[name]),
    }
