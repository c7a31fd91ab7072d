"""Queries: what a run asks, cut from a data set or drawn from the shapes that a model declares."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.measure import inputs
from weighbridge.measure.loops.latency import Feed

MAX_DISTINCT_INPUTS = 10_000
# Drawn batches are kept in memory all at once.
MOST_DRAWN_ROWS = 1_024


@dataclasses.dataclass(frozen=True)
class Queries:
    """The queries of a run, where they come from, and the data set behind them."""

    feeds: Sequence[Feed]
    origin: str
    spec: inputs.InputSpec | None
    data: inputs.DataSet | None
    free_dimensions: tuple[str, ...]


def prepare_queries(
    specs: Sequence[inputs.InputSpec], data: inputs.DataSet | None, *, seed: int, rows: int = 1
) -> Queries:
    """Cut a data set into queries of `rows` rows that fit the model, or draw them from its declared shapes."""
    for spec in specs:
        inputs.check_batch(spec, rows=rows)
    if data is None:
        free = tuple(name for spec in specs for name in spec.free_dimensions)
        count = max(2, min(inputs.GENERATED_ROWS, MOST_DRAWN_ROWS // rows))
        what = f"{count} rows" if rows == 1 else f"{count} batches of {rows} rows"
        feeds = inputs.draw_inputs(specs, seed=seed, rows=count, batch=rows)
        return Queries(feeds, f"{what} drawn from the declared shapes, seed {seed}", None, None, free)
    spec = inputs.check_fits(data, specs, rows=rows)
    if len(data.x) < rows:
        text = f"The data set has {len(data.x)} rows, but each query takes {rows}."
        raise Invalid(text, code="data_shape", field="data")
    starts = np.arange(len(data.x) // rows) * rows
    chosen = np.sort(np.random.default_rng(seed).permutation(starts)[:MAX_DISTINCT_INPUTS])
    cut = [{spec.name: data.x[start : start + rows]} for start in chosen]
    what = "rows" if rows == 1 else f"batches of {rows} rows"
    return Queries(cut, f"{len(cut)} distinct {what} of the data set", spec, data, ())
