"""Comparison: a variant beside its baseline in one process: answers on the same rows, time in interleaved blocks.

The baseline is loaded twice and measured against itself in the same rounds (A/A), so that the noise floor is that of
these very minutes.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.blocks import Blocks, BlockSettings, interleave, is_tied, noise_floor, ratio_of_medians
from weighbridge.measure.inputs import DataSet, InputSpec, check_fits, read_data_set
from weighbridge.measure.loops.latency import Feed
from weighbridge.optimization.operators import operator_times
from weighbridge.optimization.rows import batches
from weighbridge.quality.paired import accuracy_drop, is_non_inferior
from weighbridge.quality.scores import labels_of
from weighbridge.systems.engine_errors import model_failure
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner
from weighbridge.tradeoff.candidates import QualityDrop, SpeedUp

BASELINE, TWIN, VARIANT = "baseline", "twin", "variant"
MAX_DISTINCT_INPUTS = 1_000
# Where answering ends and timing begins on the way from 0 to 1.
ANSWERED = 0.3
BLOCKS = BlockSettings(rounds=16, max_duration_s=60.0)
Say = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class VariantComparisonSettings:
    """Everything that decides a comparison: the drop of accuracy that is allowed (0.01 is one point), level, blocks."""

    margin: float = 0.01
    confidence: float = 0.95
    threads: int = 1
    blocks: BlockSettings = BLOCKS

    def __post_init__(self) -> None:
        """Refuse a margin and a level that mean nothing."""
        if not 0 < self.margin < 1:
            raise Invalid("The margin lies between 0 and 1: 0.01 allows a loss of one point.", field="margin")
        if not 0 < self.confidence < 1:
            raise Invalid("A confidence level lies between 0 and 1.", field="confidence")
        if self.threads < 1:
            raise Invalid("A model runs on at least one thread.", field="threads")


@dataclasses.dataclass(frozen=True)
class VariantComparison:
    """The paired drop, the speed-up (None with too few whole rounds) and the noise floor of the same rounds.

    Besides, milliseconds per inference by type of operator of both; empty where a model could not be taken apart.
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
    on_progress: Say,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> VariantComparison:
    """Compare two ONNX files on a data file; raise Invalid where it does not fit, ModelFailed where one
    cannot answer.
    """
    rows = read_data_set(data)
    runners = {
        name: OnnxRuntimeRunner(path, threads=settings.threads)
        for name, path in ((BASELINE, baseline), (TWIN, baseline), (VARIANT, variant))
    }
    spec = check_fits(rows, runners[VARIANT].inputs)
    check_fits(rows, runners[BASELINE].inputs)
    drop = _drop(runners, rows, spec, settings, on_progress)
    feeds = [{spec.name: rows.x[row : row + 1]} for row in range(min(len(rows.x), MAX_DISTINCT_INPUTS))]
    blocks = interleave(
        runners,
        feeds,
        settings=settings.blocks,
        clock=clock,
        on_tick=lambda share: on_progress(ANSWERED + share * (1 - ANSWERED), "timing side by side"),
    )
    speed, floor = speed_of(blocks, confidence=settings.confidence)
    taken_apart = (operators_of(path, feeds[0], threads=settings.threads, clock=clock) for path in (baseline, variant))
    return VariantComparison(drop, speed, floor, *taken_apart)


def operators_of(model: Path, feed: Feed, *, threads: int, clock: Callable[[], int]) -> dict[str, float]:
    """Return `operator_times` of a file; empty where it cannot be taken apart, which must not cost the comparison."""
    try:
        return operator_times(model.read_bytes(), feed, threads=threads, clock=clock)
    except Exception:  # noqa: BLE001 -- ONNX Runtime's exception classes share no base
        return {}


def speed_of(blocks: Blocks, *, confidence: float) -> tuple[SpeedUp | None, float | None]:
    """Return the speed-up of VARIANT over BASELINE and the noise floor of TWIN; None where rounds are too few."""
    ratio = ratio_of_medians(blocks, BASELINE, VARIANT, confidence=confidence)
    floor = noise_floor(blocks, BASELINE, TWIN, confidence=confidence)
    if ratio is None or floor is None:
        return None, None
    return SpeedUp(**dataclasses.asdict(ratio), is_tied=is_tied(ratio, floor)), floor


def _drop(
    runners: Mapping[str, OnnxRuntimeRunner],
    rows: DataSet,
    spec: InputSpec,
    settings: VariantComparisonSettings,
    say: Say,
) -> QualityDrop:
    truth = classes_of(rows)
    before = answers(runners[BASELINE], rows, spec, lambda share: say(share * ANSWERED / 2, "answering, the baseline"))
    after = answers(
        runners[VARIANT], rows, spec, lambda share: say((1 + share) * ANSWERED / 2, "answering, the variant")
    )
    drop = accuracy_drop(truth, before, after, confidence=settings.confidence)
    return QualityDrop(
        metric="accuracy",
        margin=settings.margin,
        is_non_inferior=is_non_inferior(drop, settings.margin),
        **dataclasses.asdict(drop),
    )


def classes_of(rows: DataSet) -> NDArray[np.int64]:
    """Return the true classes, shape (rows,); raise Invalid where y holds numbers to be met instead."""
    if not np.issubdtype(rows.y.dtype, np.integer):
        text = "y holds numbers, not classes: variants are judged by how often they name the right class."
        raise Invalid(text, code="data_type", field="data")
    return rows.y.astype(np.int64)


def answers(
    runner: OnnxRuntimeRunner, rows: DataSet, spec: InputSpec, on_tick: Callable[[float], None]
) -> NDArray[np.int64]:
    """Return the class a model names for each row, shape (rows,); raise ModelFailed where it cannot answer."""
    found: list[NDArray[np.int64]] = []
    done = 0
    for feed in batches(rows, spec):
        size = len(feed[spec.name])
        try:
            output = runner.first_output(feed)
        except Exception as error:
            # ONNX Runtime's exception classes share no base but Exception.
            raise model_failure(f"on rows {done} to {done + size - 1} of the data set", error) from error
        found.append(labels_of(output, rows=size))
        done += size
        on_tick(done / len(rows.x))
    return np.concatenate(found)
