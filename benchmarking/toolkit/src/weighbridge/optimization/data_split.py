"""Split a data set into rows for calibration and rows for testing, without overlap."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.binding import Bound, bind
from weighbridge.measure.inputs.data_set import DataSet, read_data_set
from weighbridge.measure.inputs.settings import AS_DECLARED, InputSettings
from weighbridge.measure.loops.latency import Feed
from weighbridge.measure.stopping import Progress
from weighbridge.quality.checks import was_seen
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

LEAST_TEST_ROWS = 100
BATCH = 32


def split(data: DataSet, *, calibrate: int, seed: int) -> tuple[DataSet, DataSet]:
    """Return `calibrate` rows drawn by `seed`, and the others that repeat none of them, in order.

    Raises Invalid if too few are left to test.
    """
    total = len(data)
    _check_count(calibrate)
    if total - calibrate < LEAST_TEST_ROWS:
        text = (
            f"The data set has {total} rows; {calibrate} for calibration leave {max(0, total - calibrate)} to test "
            f"on, and fewer than {LEAST_TEST_ROWS} show nothing. Calibrate with fewer rows (--calibrate), or give "
            "other rows for it (--calibration)."
        )
        raise Invalid(text, code="data_rows", field="calibrate")
    order = np.random.default_rng(seed).permutation(total)
    shown, tested = data.take(np.sort(order[:calibrate])), data.take(np.sort(order[calibrate:]))
    # A row that repeats a calibration row was seen too.
    unseen = ~was_seen(tested.fingerprints, shown.fingerprints)
    if unseen.sum() < LEAST_TEST_ROWS:
        text = (
            f"Only {unseen.sum()} of {len(tested)} rows do not repeat a calibration row, and fewer than "
            f"{LEAST_TEST_ROWS} show nothing. Remove repeated rows, or give other rows for calibration (--calibration)."
        )
        raise Invalid(text, code="data_rows", field="calibrate")
    return shown, tested.take(unseen)


def drawn(data: DataSet, *, calibrate: int, seed: int) -> DataSet:
    """Return at most `calibrate` rows, drawn by `seed`, of a data set that is not used for testing."""
    _check_count(calibrate)
    return data.take(np.sort(np.random.default_rng(seed).permutation(len(data))[:calibrate]))


def _check_count(calibrate: int) -> None:
    if calibrate < 1:
        raise Invalid("The number of calibration rows must be at least one.", code="data_rows", field="calibrate")


def batches(data: DataSet, bound: Bound) -> Iterator[Feed]:
    """Yield the rows in batches: BATCH rows each, or as many as the model is fixed at."""
    size = bound.fixed_rows or BATCH
    for start in range(0, len(data), size):
        yield bound.feed(start, min(start + size, len(data)), np.random.default_rng(start))


def shown(
    model: Path, data: Path, *, threads: int, say: Progress, settings: InputSettings = AS_DECLARED
) -> Iterator[Feed]:
    """Yield the batches of a data file for a model file and report progress; raise Invalid if they do not match."""
    rows = read_data_set(data)
    bound = bind(OnnxRuntimeRunner(model, threads=threads).inputs, rows, settings)
    fed = 0
    for feed in batches(rows, bound):
        yield {**feed, **bound.states(bound.fixed_rows or min(BATCH, len(rows) - fed))}
        fed = min(len(rows), fed + (bound.fixed_rows or BATCH))
        say(fed / len(rows), "calibrating")
