"""The queries of a run, taken from a data set or drawn from the declared input shapes of a model."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.measure import inputs
from weighbridge.measure.loops.latency import Feed

MAX_DISTINCT_INPUTS = 10_000
# All drawn batches are in memory at once.
MAX_DRAWN_ROWS = 1_024


@dataclasses.dataclass(frozen=True)
class Queries:
    """The queries of a run, their origin, and their data set."""

    feeds: Sequence[Feed]
    origin: str
    spec: inputs.InputSpec | None
    data: inputs.DataSet | None
    free_dimensions: tuple[str, ...]


def prepare_queries(
    specs: Sequence[inputs.InputSpec], data: inputs.DataSet | None, *, seed: int, rows: int = 1
) -> Queries:
    """Split a data set into queries of `rows` rows, or draw queries from the declared shapes of the model."""
    for spec in specs:
        inputs.check_batch(spec, rows=rows)
    if data is None:
        free = tuple(name for spec in specs for name in spec.free_dimensions)
        count = max(2, min(inputs.GENERATED_ROWS, MAX_DRAWN_ROWS // rows))
        description = f"{count} rows" if rows == 1 else f"{count} batches of {rows} rows"
        feeds = inputs.draw_inputs(specs, seed=seed, rows=count, batch=rows)
        return Queries(feeds, f"{description} drawn from the declared shapes, seed {seed}", None, None, free)
    spec = inputs.check_fits(data, specs, rows=rows)
    if len(data.x) < rows:
        text = f"The data set has {len(data.x)} rows, but each query needs {rows}."
        raise Invalid(text, code="data_shape", field="data")
    starts = np.arange(len(data.x) // rows) * rows
    chosen = np.sort(np.random.default_rng(seed).permutation(starts)[:MAX_DISTINCT_INPUTS])
    cut = [{spec.name: data.x[start : start + rows]} for start in chosen]
    what = "rows" if rows == 1 else f"batches of {rows} rows"
    return Queries(cut, f"{len(cut)} distinct {what} of the data set", spec, data, ())
