"""Split a data set into rows for calibration and rows for testing, without overlap."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs import DataSet, InputSpec, check_fits, read_data_set
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
    total = len(data.x)
    _check_count(calibrate)
    if total - calibrate < LEAST_TEST_ROWS:
        text = (
            f"The data set has {total} rows; {calibrate} for calibration leave {max(0, total - calibrate)} to test "
            f"on, and fewer than {LEAST_TEST_ROWS} show nothing. Calibrate with fewer rows (--calibrate), or give "
            "other rows for it (--calibration)."
        )
        raise Invalid(text, code="data_rows", field="calibrate")
    order = np.random.default_rng(seed).permutation(total)
    shown, tested = _taken(data, order[:calibrate]), _taken(data, order[calibrate:])
    # A row that repeats a calibration row was seen too.
    unseen = ~was_seen(tested.x, shown.x)
    if unseen.sum() < LEAST_TEST_ROWS:
        text = (
            f"Only {unseen.sum()} of {len(tested.x)} rows do not repeat a calibration row, and fewer than "
            f"{LEAST_TEST_ROWS} show nothing. Remove repeated rows, or give other rows for calibration (--calibration)."
        )
        raise Invalid(text, code="data_rows", field="calibrate")
    return shown, DataSet(tested.x[unseen], tested.y[unseen])


def drawn(data: DataSet, *, calibrate: int, seed: int) -> DataSet:
    """Return at most `calibrate` rows, drawn by `seed`, of a data set that is not used for testing."""
    _check_count(calibrate)
    return _taken(data, np.random.default_rng(seed).permutation(len(data.x))[:calibrate])


def _check_count(calibrate: int) -> None:
    if calibrate < 1:
        raise Invalid("The number of calibration rows must be at least one.", code="data_rows", field="calibrate")


def _taken(data: DataSet, rows: NDArray[np.int64]) -> DataSet:
    kept = np.sort(rows)
    return DataSet(data.x[kept], data.y[kept])


def batches(data: DataSet, spec: InputSpec) -> Iterator[Feed]:
    """Yield the rows in batches for a model with input `spec`: BATCH rows each, or one if the batch size is fixed."""
    size = 1 if isinstance(spec.shape[0], int) else BATCH
    for start in range(0, len(data.x), size):
        yield {spec.name: data.x[start : start + size]}


def shown(model: Path, data: Path, *, threads: int, say: Progress) -> Iterator[Feed]:
    """Yield the batches of a data file for a model file and report progress; raise Invalid if they do not match."""
    rows = read_data_set(data)
    spec = check_fits(rows, OnnxRuntimeRunner(model, threads=threads).inputs)
    fed = 0
    for feed in batches(rows, spec):
        yield feed
        fed += len(feed[spec.name])
        say(fed / len(rows.x), "calibrating")
