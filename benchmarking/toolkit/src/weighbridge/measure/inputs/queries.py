"""The queries of a run: rows of a data set, or drawn inputs."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.binding import Bound, bind
from weighbridge.measure.inputs.columns import Ragged
from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.measure.inputs.settings import AS_DECLARED, InputSettings
from weighbridge.measure.inputs.spec import ROWS, InputSpec
from weighbridge.measure.loops.latency import Feed

GENERATED_ROWS = 64
MAX_DISTINCT_INPUTS = 10_000
# All drawn batches are in memory at once.
MAX_DRAWN_ROWS = 1_024


@dataclasses.dataclass(frozen=True)
class Queries:
    """The queries of a run, their origin, their data set, and the free dimensions that have no size.

    `sizes` is the number of values of each query if queries differ in size, otherwise None.
    """

    feeds: Sequence[Feed]
    origin: str
    bound: Bound
    data: DataSet | None
    unstated: tuple[str, ...]
    sizes: NDArray[np.int64] | None = None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]] | None:
        """The shape of each input in a query, None if queries differ in size or a size is not stated."""
        if self.unstated or self.sizes is not None:
            return None
        states = self.bound.states(1)
        return {name: array.shape for name, array in {**self.feeds[0], **states}.items()}


def words_without_sizes(unstated: Sequence[str]) -> str:
    """Return why nothing is timed if free dimensions have no size, and what to do."""
    is_one, names = len(unstated) == 1, ", ".join(unstated)
    what = f"The free dimension {names} has" if is_one else f"The free dimensions {names} have"
    options = " ".join(f"--dim {name}=SIZE" for name in unstated)
    return (
        f"{what} no size, so that no time means anything. State {'it' if is_one else 'each'} with {options} (=rows is "
        "the number of rows), or measure with a data set (--data)."
    )


def prepare_queries(
    specs: Sequence[InputSpec],
    data: DataSet | None,
    *,
    seed: int,
    rows: int = 1,
    settings: InputSettings = AS_DECLARED,
) -> Queries:
    """Split a data set into queries of `rows` rows, or draw queries from the declared shapes of the model.

    Raises Invalid, with the fix, for data that does not fit, and for a fixed number of rows other than `rows`.
    """
    bound = bind(specs, data, settings)
    for spec in specs:
        _check_rows(spec, bound, rows)
    rng = np.random.default_rng(seed)
    unstated = settings.dimensions.unstated([spec for spec in specs if spec.name not in bound.columns])
    if data is None:
        count = max(2, min(GENERATED_ROWS, MAX_DRAWN_ROWS // rows))
        feeds = [bound.feed(0, rows, rng) for _ in range(count)]
        origin = f"{_words(count, rows)} drawn from the declared shapes, seed {seed}{_stated(settings)}"
        return Queries(feeds, origin, bound, None, unstated)
    if rows > 1 and bound.fixed_rows == 1:
        text = f"Each row of the data set is a query of its own, so {rows} of them cannot be one query; use --batch 1."
        raise Invalid(text, code="data_shape", field="batch")
    if len(data) < rows:
        text = f"The data set has {len(data)} rows, but each query needs {rows}."
        raise Invalid(text, code="data_shape", field="data")
    starts = np.arange(len(data) // rows) * rows
    chosen = np.sort(rng.permutation(starts)[:MAX_DISTINCT_INPUTS])
    feeds = [bound.feed(int(start), int(start) + rows, rng) for start in chosen]
    is_ragged = any(isinstance(column, Ragged) for column in bound.columns.values())
    sizes = np.array([sum(array.size for array in feed.values()) for feed in feeds]) if is_ragged else None
    what = "rows" if rows == 1 else f"batches of {rows} rows"
    origin = f"{len(feeds)} distinct {what} of the data set{_stated(settings)}"
    return Queries(feeds, origin, bound, data, unstated, sizes)


def _words(count: int, rows: int) -> str:
    return f"{count} rows" if rows == 1 else f"{count} batches of {rows} rows"


def _stated(settings: InputSettings) -> str:
    dims = [f"{name}={'rows' if size == ROWS else size}" for name, size in settings.dims.items()]
    values = [f"{name}={value}" for name, value in settings.values.items()]
    states = [f"{name} from {output}" for name, output in settings.state.items()]
    parts = [*dims, *values, *states]
    return f"; {', '.join(parts)}" if parts else ""


def _check_rows(spec: InputSpec, bound: Bound, rows: int) -> None:
    """Raise Invalid for an input with another fixed number of rows, which makes times not comparable.

    A first dimension is taken for the number of rows unless its size is stated, another one counts the rows, or the
    input is a value or a state.
    """
    settings, column = bound.settings, bound.columns.get(spec.name)
    if not spec.shape or spec.name in settings.values or spec.name in settings.state:
        return
    if column is not None and (isinstance(column, Ragged) or column.ndim > len(spec.shape)):
        return
    size = spec.shape[0]
    is_stated = f"{spec.name}[0]" in settings.dims
    is_elsewhere = any(settings.dimensions.size(spec, axis) == ROWS for axis in range(1, len(spec.shape)))
    if isinstance(size, int) and size != rows and not is_stated and not is_elsewhere:
        text = (
            f"The first dimension of the model's input {spec.name!r} is fixed at {size}, but a query has {rows} "
            f"{'row' if rows == 1 else 'rows'}. If it is a number of rows, export the model with a free one or with "
            f"{rows}; if it is not, state that with --dim {spec.name}[0]={size}."
        )
        raise Invalid(text, code="model_batch", field="model")
