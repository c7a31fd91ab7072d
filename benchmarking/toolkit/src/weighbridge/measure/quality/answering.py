"""Answers of a model on the rows of a data set, in batches, each row once."""

import dataclasses
from typing import Any

import numpy as np

from weighbridge.measure.inputs.binding import Bound
from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.quality.answers import AnswerSettings, scored_output
from weighbridge.systems.engine_errors import failing
from weighbridge.systems.registry import LoadedSystem

BATCH = 64


@dataclasses.dataclass(frozen=True)
class Answering:
    """A loaded model with the rows that it answers, `batch` at a time, by the output number `place`.

    States start anew with each batch. A model with a fixed number of rows answers only complete batches, so that
    `data` may lack the last rows.
    """

    runner: LoadedSystem
    bound: Bound
    data: DataSet
    batch: int
    place: int

    @classmethod
    def of(cls, runner: LoadedSystem, bound: Bound, data: DataSet, settings: AnswerSettings) -> "Answering":
        """Prepare to answer a data set; raise Invalid if the output to score is not clear."""
        fixed = bound.fixed_rows
        whole = len(data) // fixed * fixed if fixed else len(data)
        kept = data.take(np.arange(whole)) if whole < len(data) else data
        return cls(runner, bound, kept, fixed or BATCH, scored_output(runner.outputs, settings))

    def answer(self, start: int, stop: int) -> Any:
        """Return the scored output for these rows; raise ModelFailed."""
        with failing(f"on rows {start} to {stop - 1} of the data set"):
            states = self.bound.states(stop - start)
            feed = self.bound.feed(start, stop, np.random.default_rng(start))
            output = self.runner.infer({**feed, **states})[self.place]
        # A row that is a query of its own may have an answer without a dimension for rows.
        is_single = self.batch == 1 and np.shape(output)[:1] != (1,)
        return np.asarray(output)[None] if is_single else output
