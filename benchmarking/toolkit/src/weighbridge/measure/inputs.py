"""Model inputs and the queries of a run, from a data set or drawn from declared shapes.

A data set is an `.npz` file with `x` of shape (rows, ...) and `y` of shape (rows,): integers are classes, floats are
regression targets. Nothing is cast silently: a wrong type or shape raises Invalid with the fix.
"""

import dataclasses
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.loops.latency import Feed

DRAWN_TYPES = (
    *(f"float{bits}" for bits in (16, 32, 64)),
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    "bool",
)
GENERATED_ROWS = 64
MAX_DISTINCT_INPUTS = 10_000
# All drawn batches are in memory at once.
MAX_DRAWN_ROWS = 1_024


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """A declared input of a model: its NumPy dtype and its dimensions; a text or None is a free dimension."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]

    @property
    def free_dimensions(self) -> tuple[str, ...]:
        """The free dimensions, except the first, which is the batch."""
        return tuple(
            f"{self.name}[{axis}] {size or 'unnamed'}"
            for axis, size in enumerate(self.shape)
            if axis > 0 and not isinstance(size, int)
        )


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Rows with their true classes (int64) or regression targets (float64)."""

    x: NDArray[Any]
    y: NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Queries:
    """The queries of a run, their origin, and their data set."""

    feeds: Sequence[Feed]
    origin: str
    spec: InputSpec | None
    data: DataSet | None
    free_dimensions: tuple[str, ...]


def read_data_set(path: Path) -> DataSet:
    """Read an `.npz` data set; raise Invalid if it is missing, unreadable, pickled or malformed."""
    if not path.is_file():
        raise Invalid(f"There is no data file {path.name}.", code="data_missing", field="data")
    arrays = _arrays(path)
    missing = [name for name in ("x", "y") if name not in arrays]
    if missing:
        text = f"{path.name} has no array {' and '.join(missing)}; create it with numpy.savez(path, x=..., y=...)."
        raise Invalid(text, code="data_form", field="data")
    x, y = arrays["x"], arrays["y"]
    return DataSet(x, _truth(x, y))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        # Opened here, because NumPy leaves the file open if the archive is truncated.
        with path.open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                return {}
            return {name: archive[name] for name in ("x", "y") if name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        text = f"{path.name} cannot be read as an .npz file without pickles ({error}); create it with numpy.savez."
        raise Invalid(text, code="data_unreadable", field="data") from error


def _truth(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    if x.ndim == 0 or len(x) == 0:
        raise Invalid("The data set has no rows.", code="data_empty", field="data")
    if y.shape != (len(x),):
        text = f"y has shape {y.shape}, but x has {len(x)} rows: y must have shape ({len(x)},)."
        raise Invalid(text, code="data_shape", field="data")
    if np.issubdtype(y.dtype, np.integer):
        return y.astype(np.int64)
    if not np.issubdtype(y.dtype, np.floating):
        text = (
            f"y contains {y.dtype}; save classes with y.astype('int64'), regression targets with y.astype('float64')."
        )
        raise Invalid(text, code="data_type", field="data")
    if not np.isfinite(y).all():
        raise Invalid("y contains NaN or infinite numbers; remove those rows.", code="data_type", field="data")
    return y.astype(np.float64)


def check_fits(data: DataSet, inputs: Sequence[InputSpec], *, rows: int = 1) -> InputSpec:
    """Return the only input of the model if `x` fits it in queries of `rows`; raise Invalid with the fix if not."""
    if len(inputs) != 1:
        names = ", ".join(spec.name for spec in inputs) or "none"
        text = (
            f"A data set needs a model with one input; this model has {len(inputs)} ({names}). Omit --data to "
            "measure only speed."
        )
        raise Invalid(text, code="model_inputs", field="data")
    spec = inputs[0]
    if data.x.ndim != len(spec.shape) or any(
        isinstance(size, int) and size != got for size, got in zip(spec.shape[1:], data.x.shape[1:], strict=True)
    ):
        expected = ", ".join(["rows", *(str(size) if size is not None else "any" for size in spec.shape[1:])])
        text = f"x has shape {data.x.shape}, but the model's input {spec.name!r} needs ({expected})."
        raise Invalid(text, code="data_shape", field="data")
    if data.x.dtype != np.dtype(spec.dtype):
        text = (
            f"x contains {data.x.dtype}, but the model's input {spec.name!r} needs {spec.dtype}; save it with "
            f"x.astype({spec.dtype!r})."
        )
        raise Invalid(text, code="data_type", field="data")
    check_batch(spec, rows=rows)
    return spec


def check_batch(spec: InputSpec, *, rows: int = 1) -> None:
    """Raise Invalid for a model with a fixed batch size other than `rows`."""
    if spec.shape and isinstance(spec.shape[0], int) and spec.shape[0] != rows:
        text = (
            f"The model's input {spec.name!r} has the fixed batch size {spec.shape[0]}; export it with a free batch "
            f"size or with {rows}."
        )
        raise Invalid(text, code="model_batch", field="model")


def prepare_queries(specs: Sequence[InputSpec], data: DataSet | None, *, seed: int, rows: int = 1) -> Queries:
    """Split a data set into queries of `rows` rows, or draw queries from the declared shapes of the model."""
    for spec in specs:
        check_batch(spec, rows=rows)
    if data is None:
        free = tuple(name for spec in specs for name in spec.free_dimensions)
        count = max(2, min(GENERATED_ROWS, MAX_DRAWN_ROWS // rows))
        description = f"{count} rows" if rows == 1 else f"{count} batches of {rows} rows"
        feeds = draw_inputs(specs, seed=seed, rows=count, batch=rows)
        return Queries(feeds, f"{description} drawn from the declared shapes, seed {seed}", None, None, free)
    spec = check_fits(data, specs, rows=rows)
    if len(data.x) < rows:
        text = f"The data set has {len(data.x)} rows, but each query needs {rows}."
        raise Invalid(text, code="data_shape", field="data")
    starts = np.arange(len(data.x) // rows) * rows
    chosen = np.sort(np.random.default_rng(seed).permutation(starts)[:MAX_DISTINCT_INPUTS])
    cut = [{spec.name: data.x[start : start + rows]} for start in chosen]
    what = "rows" if rows == 1 else f"batches of {rows} rows"
    return Queries(cut, f"{len(cut)} distinct {what} of the data set", spec, data, ())


def draw_inputs(
    inputs: Sequence[InputSpec], *, seed: int, rows: int = GENERATED_ROWS, batch: int = 1
) -> list[dict[str, NDArray[Any]]]:
    """Draw `rows` distinct queries from the declared shapes; a free first dimension gets `batch`, other free ones 1.

    Floats are standard normal, integers 0 or 1 (valid for every embedding table), booleans random. Raises Invalid for
    other types.
    """
    rng = np.random.default_rng(seed)
    return [{spec.name: _draw(spec, rng, batch) for spec in inputs} for _ in range(rows)]


def _draw(spec: InputSpec, rng: np.random.Generator, batch: int) -> NDArray[Any]:
    free = [batch if axis == 0 else 1 for axis in range(len(spec.shape))]
    shape = tuple(size if isinstance(size, int) else free[axis] for axis, size in enumerate(spec.shape))
    if spec.dtype not in DRAWN_TYPES:
        text = f"Inputs cannot be drawn for {spec.name!r} of type {spec.dtype}, only for {', '.join(DRAWN_TYPES)}."
        raise Invalid(text, code="model_inputs", field="model")
    if spec.dtype.startswith("float"):
        return rng.standard_normal(shape).astype(spec.dtype)
    return rng.integers(0, 2, shape).astype(spec.dtype)
