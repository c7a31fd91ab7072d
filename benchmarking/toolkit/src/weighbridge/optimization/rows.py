"""Rows: which rows of a data set calibrate a variant and which ones judge it; none does both."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs import DataSet, InputSpec, check_fits, read_data_set
from weighbridge.measure.loops.latency import Feed
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

LEAST_TEST_ROWS = 100
BATCH = 32


def split(data: DataSet, *, calibrate: int, seed: int) -> tuple[DataSet, DataSet]:
    """Return `calibrate` rows drawn by `seed`, and all others, each in the order of the data set.

    Raises Invalid where that would leave fewer than LEAST_TEST_ROWS to test on.
    """
    total = len(data.x)
    _check_count(calibrate)
    if total - calibrate < LEAST_TEST_ROWS:
        text = (
            f"The data set has {total} rows; {calibrate} to calibrate with leave {max(0, total - calibrate)} to test "
            "on, "
            f"and fewer than {LEAST_TEST_ROWS} show nothing. Calibrate with fewer rows (--calibrate), or give other "
            "rows "
            "for it (--calibration)."
        )
        raise Invalid(text, code="data_rows", field="calibrate")
    order = np.random.default_rng(seed).permutation(total)
    return _taken(data, order[:calibrate]), _taken(data, order[calibrate:])


def drawn(data: DataSet, *, calibrate: int, seed: int) -> DataSet:
    """Return at most `calibrate` rows of a data set that is not tested on, drawn by `seed`."""
    _check_count(calibrate)
    return _taken(data, np.random.default_rng(seed).permutation(len(data.x))[:calibrate])


def _check_count(calibrate: int) -> None:
    if calibrate < 1:
        raise Invalid("Calibrate with at least one row.", code="data_rows", field="calibrate")


def _taken(data: DataSet, rows: NDArray[np.int64]) -> DataSet:
    kept = np.sort(rows)
    return DataSet(data.x[kept], data.y[kept])


def batches(data: DataSet, spec: InputSpec) -> Iterator[Feed]:
    """Yield the rows as a model with the input `spec` takes them: BATCH at a time, or one where its batch is fixed."""
    size = 1 if isinstance(spec.shape[0], int) else BATCH
    for start in range(0, len(data.x), size):
        yield {spec.name: data.x[start : start + size]}


def shown(model: Path, data: Path, *, threads: int, say: Callable[[float, str], None]) -> Iterator[Feed]:
    """Yield the batches of a data file that fit a model file, saying how far it is; raise Invalid where they do not
    fit.
    """
    rows = read_data_set(data)
    spec = check_fits(rows, OnnxRuntimeRunner(model, threads=threads).inputs)
    fed = 0
    for feed in batches(rows, spec):
        yield feed
        fed += len(feed[spec.name])
        say(fed / len(rows.x), "calibrating")
