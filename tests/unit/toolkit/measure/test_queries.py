"""The queries of a run."""

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs import queries
from weighbridge.measure.inputs.columns import Ragged
from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.measure.inputs.queries import prepare_queries
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.inputs.spec import InputSpec

SPECS = [InputSpec("x", "float32", ("n", 1))]


def rows_of(count):
    x = np.arange(count, dtype=np.float32).reshape(count, 1)
    return DataSet.of(x, np.zeros(count, dtype=np.int64))


def test_many_rows_are_cut_to_a_seeded_choice(monkeypatch):
    monkeypatch.setattr(queries, "MAX_DISTINCT_INPUTS", 5)
    rows = [float(feed["x"][0, 0]) for feed in prepare_queries(SPECS, rows_of(100), seed=3).feeds]
    again = prepare_queries(SPECS, rows_of(100), seed=3).feeds
    assert (len(set(rows)), rows) == (5, [float(feed["x"][0, 0]) for feed in again])


def test_batches_hold_rows_that_follow_each_other_and_the_rest_is_left_out():
    cut = prepare_queries(SPECS, rows_of(11), seed=3, rows=4)
    assert [feed["x"].ravel().tolist() for feed in cut.feeds] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert cut.origin == "2 distinct batches of 4 rows of the data set"
    assert cut.shapes == {"x": (4, 1)}


def test_drawn_batches_are_as_large_as_asked_and_fewer_when_large():
    drawn = prepare_queries([InputSpec("x", "float32", ("n", 3, None))], None, seed=3, rows=32)
    assert (len(drawn.feeds), drawn.feeds[0]["x"].shape, drawn.unstated) == (32, (32, 3, 1), ("x[2]",))
    assert (drawn.origin, drawn.shapes) == ("32 batches of 32 rows drawn from the declared shapes, seed 3", None)
    assert len(prepare_queries(SPECS, None, seed=3, rows=4_096).feeds) == 2


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("float16", -9, 9), ("float64", -9, 9), ("int64", 0, 1), ("uint8", 0, 1), ("bool", 0, 1)]
)
def test_inputs_are_drawn_from_the_declared_shapes(dtype, low, high):
    specs = [InputSpec("a", dtype, ("n", 3, "time")), InputSpec("b", dtype, (1, 2))]
    settings = InputSettings(dims={"time": 5})
    rows = prepare_queries(specs, None, seed=1, settings=settings).feeds
    assert {(row["a"].shape, row["b"].shape, str(row["a"].dtype)) for row in rows} == {((1, 3, 5), (1, 2), dtype)}
    assert all(low <= row["a"].min() and row["a"].max() <= high for row in rows)
    assert len({row["a"].tobytes() for row in rows}) > 1
    again = prepare_queries(specs, None, seed=1, settings=settings).feeds
    assert all((one["a"] == two["a"]).all() for one, two in zip(rows, again, strict=True))


def test_words_cannot_be_drawn_but_stated():
    specs = [InputSpec("text", "string", ("n",))]
    with pytest.raises(Invalid, match="--input text=VALUE"):
        prepare_queries(specs, None, seed=1)
    stated = prepare_queries(specs, None, seed=1, rows=2, settings=InputSettings(values={"text": "hello"}))
    assert stated.feeds[0]["text"].tolist() == ["hello", "hello"]


def test_what_was_stated_is_told():
    specs = [InputSpec("x", "int64", ("time", 1)), InputSpec("rate", "int64", ()), InputSpec("h", "float32", (1, 1))]
    settings = InputSettings(dims={"time": 9}, values={"rate": "16000"}, state={"h": "next"})
    told = prepare_queries(specs, None, seed=3, settings=settings).origin
    assert told.endswith("seed 3; time=9, rate=16000, h from next")


def test_a_data_set_smaller_than_a_query_is_refused():
    with pytest.raises(Invalid, match="has 3 rows, but each query needs 4"):
        prepare_queries(SPECS, rows_of(3), seed=3, rows=4)


@pytest.mark.parametrize("spec", [InputSpec("x", "float32", (8, 1)), InputSpec("x", "float32", (16_000,))])
def test_a_fixed_first_dimension_has_to_be_the_rows_or_stated(spec):
    with pytest.raises(Invalid, match=r"state that with --dim x\[0\]=") as refusal:
        prepare_queries([spec], None, seed=3)
    assert refusal.value.code == "model_batch"
    stated = InputSettings(dims={"x[0]": spec.shape[0]})
    assert prepare_queries([spec], None, seed=3, settings=stated).feeds[0]["x"].shape == spec.shape


def test_a_fixed_first_dimension_is_not_the_rows_if_another_one_is():
    layers = prepare_queries([InputSpec("h", "float32", (2, "batch", 3))], None, seed=3, rows=4)
    assert layers.feeds[0]["h"].shape == (2, 4, 3)


def test_rows_of_different_sizes_have_sizes_and_no_single_shape():
    data = DataSet({"x": Ragged.of([np.zeros(size) for size in (3, 1, 2)])}, None)
    cut = prepare_queries([InputSpec("x", "float64", ("n", "seq"))], data, seed=3)
    assert (cut.sizes.tolist(), cut.shapes, cut.unstated) == ([3, 1, 2], None, ())
