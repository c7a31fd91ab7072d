"""Declared inputs, the sizes of free dimensions, and the source of each input."""

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.binding import bind
from weighbridge.measure.inputs.columns import Ragged
from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.measure.inputs.drawn import valued
from weighbridge.measure.inputs.queries import prepare_queries
from weighbridge.measure.inputs.settings import AS_DECLARED, InputSettings
from weighbridge.measure.inputs.spec import ROWS, Dimensions, InputSpec, read_dimensions

RNG = np.random.default_rng(1)
X = np.zeros((3, 4), dtype=np.float32)
Y = np.array([0, 1, 2])


def code_of(call, *arguments, **options):
    with pytest.raises(Invalid) as refusal:
        call(*arguments, **options)
    assert refusal.value.reason.endswith(".")
    return refusal.value.code


def unstated(shape, dims=None, dtype="float32"):
    return Dimensions(dims or {}).unstated([InputSpec("x", dtype, shape)])


@pytest.mark.parametrize("name", ["n", "N", "batch", "batch_size", "num_rows", "B", None, "unk__12", "s0", "examples"])
def test_a_first_dimension_counts_rows_by_its_name_or_without_one(name):
    assert unstated((name, 3, 8, 8)) == ()


@pytest.mark.parametrize("name", ["sequence", "time", "length", "frames", "height", "num_boxes", "nodes"])
def test_any_other_name_needs_a_size_even_in_the_first_place(name):
    assert unstated((name, 1, 8)) == (name,)
    assert unstated((name, 1, 8), {name: 50}) == ()
    assert unstated((name, 1, 8), {"x[0]": 50}) == ()


@pytest.mark.parametrize(
    ("shape", "dtype", "labels"),
    [
        ((None,), "float32", ("x[0]",)),
        ((None,), "string", ()),
        (("n",), "int64", ()),
        ((), "int64", ()),
        ((None, None, "sequence"), "float32", ("x[1]", "sequence")),
        ((2, "batch", 64), "float32", ()),
        (("sequence", "sequence"), "float32", ("sequence",)),
        ((1, "unk__3"), "float32", ("x[1]",)),
    ],
)
def test_free_dimensions_without_a_size_are_named_once(shape, dtype, labels):
    assert unstated(shape, dtype=dtype) == labels


def test_stated_sizes_and_rows_make_the_shape():
    spec = InputSpec("x", "float32", ("time", "n", None))
    dims = Dimensions({"time": 50, "x[2]": ROWS})
    assert dims.shape(spec, rows=4) == (50, 4, 4)
    assert Dimensions().shape(spec, rows=4) == (1, 4, 1), "1 without a size"


@pytest.mark.parametrize(("dims", "words"), [({"tme": 5}, "no dimension 'tme'"), ({"x[1]": 5}, "fixed at 3")])
def test_sizes_that_no_dimension_has_are_refused(dims, words):
    with pytest.raises(Invalid, match=words):
        Dimensions(dims).check([InputSpec("x", "float32", ("n", 3, "time"))])


def test_sizes_are_read_from_words():
    pairs = [("seq", "128, 512"), ("n", "rows"), ("x[1]", "3")]
    assert read_dimensions(pairs) == {"seq": (128, 512), "n": (ROWS,), "x[1]": (3,)}


@pytest.mark.parametrize("pairs", [[("a", "")], [("a", "0")], [("a", "-1")], [("a", "b")], [("a", "1"), ("a", "2")]])
def test_other_words_are_no_size(pairs):
    assert code_of(read_dimensions, pairs) == "invalid"


def test_settings_that_contradict_are_refused():
    assert code_of(InputSettings, dims={"a": -1}) == "invalid"
    assert code_of(InputSettings, values={"a": "1"}, state={"a": "b"}) == "invalid"


@pytest.mark.parametrize("shape", [("n", 4), (1, 4), (None, "width")])
def test_a_single_array_called_x_fits_any_single_input(shape):
    bound = bind([InputSpec("image", "float32", shape)], DataSet.of(X, Y), AS_DECLARED)
    assert bound.feed(1, 2, RNG)["image"].shape == (1, 4)


def test_several_inputs_are_found_by_name():
    specs = [InputSpec("ids", "int64", ("n", "seq")), InputSpec("mask", "int64", ("n", "seq"))]
    ids = np.arange(12).reshape(3, 4)
    bound = bind(specs, DataSet({"mask": np.ones((3, 4), np.int64), "ids": ids}, None), AS_DECLARED)
    feed = bound.feed(1, 3, RNG)
    assert (feed["ids"].tolist(), feed["mask"].tolist()) == (ids[1:].tolist(), [[1] * 4] * 2)


@pytest.mark.parametrize(
    ("specs", "columns", "code"),
    [
        ([], {"x": X}, "model_inputs"),
        ([InputSpec("a", "float32", ("n", 4)), InputSpec("b", "float32", ("n", 4))], {"x": X}, "model_inputs"),
        ([InputSpec("a", "float32", ("n", 4))], {"a": X, "b": X}, "model_inputs"),
        ([InputSpec("a", "float32", ("n", 4))], {"b": X}, "model_inputs"),
        ([InputSpec("x", "float32", ("n", 5))], {"x": X}, "data_shape"),
        ([InputSpec("x", "float32", ("n", None, None, 4))], {"x": X}, "data_shape"),
        ([InputSpec("x", "float32", ())], {"x": X}, "data_shape"),
        ([InputSpec("x", "float64", ("n", 4))], {"x": X}, "data_type"),
        ([InputSpec("x", "string", ("n", 4))], {"x": X}, "data_type"),
        ([InputSpec("x", "float32", ("n",))], {"x": np.array(["a", "b"])}, "data_type"),
        ([InputSpec("x", "seq(tensor(float))", ("n", 4))], {"x": X}, "model_inputs"),
    ],
)
def test_rows_that_do_not_fit_are_refused(specs, columns, code):
    assert code_of(bind, specs, DataSet(columns, None), AS_DECLARED) == code


def test_the_refusal_says_what_is_missing_and_what_is_spare():
    specs = [InputSpec("ids", "int64", ("n", "seq")), InputSpec("mask", "int64", ("n", "seq"))]
    with pytest.raises(Invalid) as refusal:
        bind(specs, DataSet({"ids": np.ones((3, 4), np.int64), "tokens": X}, None), AS_DECLARED)
    assert refusal.value.reason == (
        "The model has the inputs ids, mask, but the data set has no array for mask and has tokens, which no input is "
        "called. Name the arrays as the inputs (`weighbridge prepare-data` does with --model FILE, and keeps each "
        "--column NAME); state one that is the same for all rows with --input NAME=VALUE."
    )


def test_a_stated_size_that_the_rows_do_not_have_is_refused():
    spec = InputSpec("x", "float32", ("n", "width"))
    assert code_of(bind, [spec], DataSet.of(X, Y), InputSettings(dims={"width": 5})) == "data_shape"
    assert bind([spec], DataSet.of(X, Y), InputSettings(dims={"width": 4})).columns["x"] is X


def test_a_row_may_be_a_query_of_its_own():
    """Sequence first, or no dimension for rows at all."""
    sequences = np.zeros((3, 50, 1, 8), dtype=np.float32)
    bound = bind([InputSpec("x", "float32", ("time", 1, 8))], DataSet.of(sequences, None), AS_DECLARED)
    assert (bound.feed(2, 3, RNG)["x"].shape, bound.fixed_rows) == ((50, 1, 8), 1)
    with pytest.raises(Invalid, match="use --batch 1"):
        prepare_queries(bound.specs, DataSet.of(sequences, None), seed=1, rows=2)


@pytest.mark.parametrize(
    ("shape", "dims", "rows"),
    [
        ((None, 4), {}, None),
        (("n", 4), {}, None),
        ((1, 4), {}, 1),
        ((8, 4), {}, 8),
        ((None, 4), {"x[0]": 1}, 1),
        (("time", 4), {"time": ROWS}, None),
        (("time", 4), {}, None),
    ],
)
def test_the_rows_of_a_query_are_fixed_by_the_model_or_stated(shape, dims, rows):
    spec = InputSpec("x", "float32", shape)
    assert bind([spec], DataSet.of(X, Y), InputSettings(dims=dims)).fixed_rows == rows


def test_rows_of_different_sizes_get_a_dimension_for_rows_if_they_have_none():
    rows = Ragged.of([np.arange(3), np.arange(5)])
    bound = bind([InputSpec("ids", "int64", ("n", "seq"))], DataSet({"ids": rows}, None), AS_DECLARED)
    assert (bound.feed(1, 2, RNG)["ids"].tolist(), bound.fixed_rows) == ([[0, 1, 2, 3, 4]], 1)
    whole = Ragged.of([np.zeros((1, 3)), np.zeros((1, 5))])
    bound = bind([InputSpec("x", "float64", ("n", "seq"))], DataSet({"x": whole}, None), AS_DECLARED)
    assert bound.feed(1, 2, RNG)["x"].shape == (1, 5)
    assert code_of(bind, [InputSpec("x", "float64", (1, 3))], DataSet({"x": whole}, None), AS_DECLARED) == "data_shape"


def test_words_become_objects():
    bound = bind([InputSpec("text", "string", ("n",))], DataSet({"text": np.array(["a", "bc"])}, None), AS_DECLARED)
    array = bound.feed(0, 2, RNG)["text"]
    assert (array.tolist(), array.dtype) == (["a", "bc"], object)


def test_values_and_states_are_no_columns():
    specs = [
        InputSpec("x", "float32", ("n", 4)),
        InputSpec("rate", "int64", ()),
        InputSpec("state", "float32", (2, "batch", 3)),
    ]
    settings = InputSettings(values={"rate": "16000"}, state={"state": "next"})
    bound = bind(specs, DataSet.of(X, Y), settings)
    feed = bound.feed(0, 2, RNG)
    assert (set(feed), feed["rate"].tolist(), feed["rate"].dtype) == ({"x", "rate"}, 16_000, np.int64)
    assert (bound.states(2)["state"].shape, bound.states(2)["state"].any()) == ((2, 2, 3), np.False_)
    assert code_of(bind, specs, None, InputSettings(values={"gone": "1"})) == "model_inputs"


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("int64", "9007199254740993", 9_007_199_254_740_993),
        ("float32", "0.5", 0.5),
        ("bool", "true", True),
        ("uint8", "255", 255),
        ("string", "7:8", "7:8"),
    ],
)
def test_a_value_fills_an_input(dtype, value, expected):
    array = valued(InputSpec("x", dtype, ("n", 2)), value, (1, 2), RNG)
    assert array.tolist() == [[expected, expected]]


def test_a_range_is_drawn():
    array = valued(InputSpec("x", "int64", ("n", 9)), "10:12", (50, 9), RNG)
    assert (array.min(), array.max(), array.dtype) == (10, 11, np.int64)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("int64", "0.5"), ("int64", "x"), ("uint8", "256"), ("float32", "x"), ("int64", "5:5"), ("seq(x)", "1")],
)
def test_words_that_are_no_value_are_refused(dtype, value):
    assert code_of(valued, InputSpec("x", dtype, (1,)), value, (1,), RNG) == "model_inputs"
