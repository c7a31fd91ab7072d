"""What a run asks."""

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.measure import inputs
from weighbridge.measure.inputs import DataSet, InputSpec, prepare_queries

SPECS = [InputSpec("x", "float32", ("n", 1))]


def rows_of(count):
    x = np.arange(count, dtype=np.float32).reshape(count, 1)
    return DataSet(x, np.zeros(count, dtype=np.int64))


def test_many_rows_are_cut_to_a_seeded_choice(monkeypatch):
    monkeypatch.setattr(inputs, "MAX_DISTINCT_INPUTS", 5)
    rows = [float(feed["x"][0, 0]) for feed in prepare_queries(SPECS, rows_of(100), seed=3).feeds]
    again = prepare_queries(SPECS, rows_of(100), seed=3).feeds
    assert (len(set(rows)), rows) == (5, [float(feed["x"][0, 0]) for feed in again])


def test_batches_hold_rows_that_follow_each_other_and_the_rest_is_left_out():
    cut = prepare_queries(SPECS, rows_of(11), seed=3, rows=4)
    assert [feed["x"].ravel().tolist() for feed in cut.feeds] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert cut.origin == "2 distinct batches of 4 rows of the data set"


def test_drawn_batches_are_as_large_as_asked_and_fewer_when_large():
    drawn = prepare_queries([InputSpec("x", "float32", ("n", 3, None))], None, seed=3, rows=32)
    assert (len(drawn.feeds), drawn.feeds[0]["x"].shape, drawn.free_dimensions) == (32, (32, 3, 1), ("x[2] unnamed",))
    assert drawn.origin == "32 batches of 32 rows drawn from the declared shapes, seed 3"
    assert len(prepare_queries(SPECS, None, seed=3, rows=4_096).feeds) == 2


def test_a_data_set_smaller_than_a_query_is_refused():
    with pytest.raises(Invalid, match="has 3 rows, but each query needs 4"):
        prepare_queries(SPECS, rows_of(3), seed=3, rows=4)
