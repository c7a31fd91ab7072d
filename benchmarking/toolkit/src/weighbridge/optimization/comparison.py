"""Compare a variant with its baseline in one process: answers on the same rows, times in interleaved blocks.

The baseline is loaded twice and measured against itself in the same rounds (A/A), so that the noise floor is measured
at the same time.
"""

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.blocks import Blocks, BlockSettings, interleave, is_tied, noise_floor, ratio_of_medians
from weighbridge.measure.inputs.binding import Bound
from weighbridge.measure.inputs.data_set import DataSet, read_data_set
from weighbridge.measure.inputs.queries import Queries, prepare_queries
from weighbridge.measure.inputs.settings import AS_DECLARED, InputSettings
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.loops.state import StateRunner
from weighbridge.measure.quality.answering import Answering
from weighbridge.measure.stopping import Clock, Progress, Tick
from weighbridge.optimization.operators import operator_times
from weighbridge.quality.answers import AS_GIVEN, AnswerSettings
from weighbridge.quality.paired import accuracy_drop, is_non_inferior
from weighbridge.quality.scores import answers_of, outputs_of
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner
from weighbridge.tradeoff.candidates import QualityDrop, SpeedUp

BASELINE, TWIN, VARIANT = "baseline", "twin", "variant"
MAX_DISTINCT_INPUTS = 1_000
# The share of the progress at which answering ends and timing starts.
ANSWERED = 0.3
BLOCKS = BlockSettings(rounds=16, max_duration_s=60.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class VariantComparisonSettings:
    """The allowed drop of accuracy (0.01 is one point), the confidence level, the threads and the blocks.

    `inputs` and `answers` are those of a profile.
    """

    margin: float = 0.01
    confidence: float = 0.95
    threads: int = 1
    blocks: BlockSettings = BLOCKS
    inputs: InputSettings = AS_DECLARED
    answers: AnswerSettings = AS_GIVEN

    def __post_init__(self) -> None:
        """Refuse an invalid margin, confidence level or number of threads."""
        if not 0 < self.margin < 1:
            raise Invalid("The margin must be between 0 and 1: 0.01 allows a loss of one point.", field="margin")
        if not 0 < self.confidence < 1:
            raise Invalid("The confidence level must be between 0 and 1.", field="confidence")
        if self.threads < 1:
            raise Invalid("The number of threads must be at least one.", field="threads")


@dataclasses.dataclass(frozen=True)
class VariantComparison:
    """The paired drop, the speed-up (None with too few complete rounds) and the noise floor of the same rounds.

    Also the milliseconds per inference of both models by type of operator; empty if a model could not be split.
    """

    quality_drop: QualityDrop
    speed_up: SpeedUp | None
    noise_floor: float | None
    baseline_operators_ms: Mapping[str, float] = dataclasses.field(default_factory=dict)
    variant_operators_ms: Mapping[str, float] = dataclasses.field(default_factory=dict)


def compare(
    *,
    baseline: Path,
    variant: Path,
    data: Path,
    settings: VariantComparisonSettings,
    on_progress: Progress,
    clock: Clock = time.perf_counter_ns,
) -> VariantComparison:
    """Compare two ONNX files on a data file; raise Invalid if the data does not match, ModelFailed if a model fails."""
    rows = read_data_set(data)
    runners = {
        name: OnnxRuntimeRunner(path, threads=settings.threads)
        for name, path in ((BASELINE, baseline), (TWIN, baseline), (VARIANT, variant))
    }
    queries = {
        name: prepare_queries(runner.inputs, rows, seed=settings.blocks.seed, settings=settings.inputs)
        for name, runner in runners.items()
    }
    drop = _drop(runners, queries, rows, settings, on_progress)
    feeds = queries[BASELINE].feeds[:MAX_DISTINCT_INPUTS]
    states = queries[BASELINE].bound.states(1)
    blocks = interleave(
        {name: StateRunner(runner, settings.inputs.state, states) for name, runner in runners.items()},
        feeds,
        settings=settings.blocks,
        clock=clock,
        on_tick=lambda share: on_progress(ANSWERED + share * (1 - ANSWERED), "timing side by side"),
    )
    speed, floor = speed_of(blocks, confidence=settings.confidence)
    taken_apart = (
        operators_of(path, {**feeds[0], **states}, threads=settings.threads, clock=clock)
        for path in (baseline, variant)
    )
    return VariantComparison(drop, speed, floor, *taken_apart)


def operators_of(model: Path, feed: Feed, *, threads: int, clock: Clock) -> dict[str, float]:
    """Return `operator_times` of a file; empty if that fails, because the comparison must not fail with it."""
    try:
        return operator_times(model.read_bytes(), feed, threads=threads, clock=clock)
    except Exception:  # noqa: BLE001 -- ONNX Runtime's exception classes share no base
        return {}


def speed_of(blocks: Blocks, *, confidence: float) -> tuple[SpeedUp | None, float | None]:
    """Return the speed-up of VARIANT over BASELINE and the noise floor of TWIN; None with too few rounds."""
    ratio = ratio_of_medians(blocks, BASELINE, VARIANT, confidence=confidence)
    floor = noise_floor(blocks, BASELINE, TWIN, confidence=confidence)
    if ratio is None or floor is None:
        return None, None
    return SpeedUp(**dataclasses.asdict(ratio), is_tied=is_tied(ratio, floor)), floor


def _drop(
    runners: Mapping[str, OnnxRuntimeRunner],
    queries: Mapping[str, Queries],
    rows: DataSet,
    settings: VariantComparisonSettings,
    say: Progress,
) -> QualityDrop:
    truth = classes_of(rows)
    before = answers(
        runners[BASELINE],
        queries[BASELINE].bound,
        rows,
        lambda share: say(share * ANSWERED / 2, "answering, the baseline"),
        settings=settings.answers,
    )
    after = answers(
        runners[VARIANT],
        queries[VARIANT].bound,
        rows,
        lambda share: say((1 + share) * ANSWERED / 2, "answering, the variant"),
        settings=settings.answers,
    )
    drop = accuracy_drop(truth, before, after, confidence=settings.confidence)
    return QualityDrop(
        metric="accuracy",
        margin=settings.margin,
        is_non_inferior=is_non_inferior(drop, settings.margin),
        **dataclasses.asdict(drop),
    )


def classes_of(rows: DataSet) -> NDArray[np.int64]:
    """Return the true classes, shape (rows,); raise Invalid if y has regression targets."""
    if not np.issubdtype(rows.truth.dtype, np.integer):
        text = "y contains no class numbers; variants are judged by their accuracy on classes."
        raise Invalid(text, code="data_type", field="data")
    return rows.truth.astype(np.int64)


def answers(
    runner: OnnxRuntimeRunner, bound: Bound, rows: DataSet, on_tick: Tick, *, settings: AnswerSettings = AS_GIVEN
) -> NDArray[np.int64]:
    """Return the predicted class of each row, shape (rows,); raise ModelFailed if the model fails."""
    answering = Answering.of(runner, bound, rows, settings)
    truth = answering.data.truth
    outputs = outputs_of(answering.answer, len(truth), answering.batch, on_tick)
    return answers_of(outputs, truth, settings).all_labels()
