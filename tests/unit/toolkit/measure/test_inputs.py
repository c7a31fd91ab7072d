"""Data sets and drawn inputs."""

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs import DataSet, InputSpec, check_batch, check_fits, draw_inputs, read_data_set

X = np.zeros((3, 4), dtype=np.float32)
Y = np.array([0, 1, 2])
SPEC = InputSpec("x", "float32", ("n", 4))


def code_of(call, *arguments):
    with pytest.raises(Invalid) as refusal:
        call(*arguments)
    assert refusal.value.reason.endswith(".")
    return refusal.value.code


def test_a_data_set_is_read(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=Y.astype(np.uint8))
    data = read_data_set(tmp_path / "d.npz")
    assert data.x.tolist() == X.tolist()
    assert (data.y.tolist(), data.y.dtype) == ([0, 1, 2], np.int64)


def test_floating_truth_is_numbers_to_be_met(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=np.array([0.5, 1, 2], dtype=np.float32))
    data = read_data_set(tmp_path / "d.npz")
    assert (data.y.tolist(), data.y.dtype) == ([0.5, 1.0, 2.0], np.float64)


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({"x": X}, "data_form"),
        ({"a": X}, "data_form"),
        ({"x": X[:0], "y": Y[:0]}, "data_empty"),
        ({"x": np.float32(1), "y": Y}, "data_empty"),
        ({"x": X, "y": Y[:2]}, "data_shape"),
        ({"x": X, "y": Y[:, None]}, "data_shape"),
        ({"x": X, "y": Y.astype(bool)}, "data_type"),
        ({"x": X, "y": np.array([1.0, np.inf, 2.0])}, "data_type"),
        ({"x": np.array([{}, {}, {}]), "y": Y}, "data_unreadable"),
    ],
)
def test_a_data_set_of_another_form_is_refused(tmp_path, arrays, code):
    np.savez(tmp_path / "d.npz", **arrays)
    assert code_of(read_data_set, tmp_path / "d.npz") == code


def test_what_is_no_npz_file_is_refused(tmp_path):
    np.save(tmp_path / "single.npy", X)
    (tmp_path / "text.npz").write_text("nothing")
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04 torn")
    (tmp_path / "empty.npz").touch()
    codes = {
        name: code_of(read_data_set, tmp_path / name)
        for name in ("single.npy", "text.npz", "torn.npz", "empty.npz", "no.npz")
    }
    assert codes == {
        "single.npy": "data_form",
        "text.npz": "data_unreadable",
        "torn.npz": "data_unreadable",
        "empty.npz": "data_unreadable",
        "no.npz": "data_missing",
    }


@pytest.mark.parametrize("shape", [("n", 4), (1, 4), (None, "width")])
def test_a_data_set_fits(shape):
    spec = InputSpec("x", "float32", shape)
    assert check_fits(DataSet(X, Y), [spec]) == spec


@pytest.mark.parametrize(
    ("specs", "code"),
    [
        ([], "model_inputs"),
        ([SPEC, SPEC], "model_inputs"),
        ([InputSpec("x", "float32", ("n", 5))], "data_shape"),
        ([InputSpec("x", "float32", ("n", None, 4))], "data_shape"),
        ([InputSpec("x", "float32", ())], "data_shape"),
        ([InputSpec("x", "float64", ("n", 4))], "data_type"),
        ([InputSpec("x", "float32", (8, 4))], "model_batch"),
    ],
)
def test_a_data_set_that_does_not_fit_is_refused(specs, code):
    assert code_of(check_fits, DataSet(X, Y), specs) == code


def test_the_refusal_says_what_the_model_takes():
    with pytest.raises(Invalid, match=r"x has shape \(3, 4\), but the model's input 'image' needs \(rows, any, 4\)\."):
        check_fits(DataSet(X, Y), [InputSpec("image", "float32", ("n", None, 4))])


@pytest.mark.parametrize("shape", [(), ("n",), (1, 2), (None, 3)])
def test_a_batch_of_one_is_possible(shape):
    assert check_batch(InputSpec("x", "float32", shape)) is None


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("float16", -9, 9), ("float64", -9, 9), ("int64", 0, 1), ("uint8", 0, 1), ("bool", 0, 1)]
)
def test_inputs_are_drawn_from_the_declared_shapes(dtype, low, high):
    specs = [InputSpec("a", dtype, ("n", 3, "free")), InputSpec("b", dtype, (1, 2))]
    rows = draw_inputs(specs, seed=1, rows=20)
    assert {(row["a"].shape, row["b"].shape, str(row["a"].dtype)) for row in rows} == {((1, 3, 1), (1, 2), dtype)}
    assert all(low <= row["a"].min() and row["a"].max() <= high for row in rows)
    assert len({row["a"].tobytes() for row in rows}) > 1
    again = draw_inputs(specs, seed=1, rows=20)
    assert all((one["a"] == two["a"]).all() for one, two in zip(rows, again, strict=True))


def test_words_cannot_be_drawn():
    assert code_of(lambda: draw_inputs([InputSpec("x", "tensor(string)", ("n",))], seed=1)) == "model_inputs"


def test_free_dimensions_are_named_beyond_the_batch():
    assert InputSpec("x", "float32", ("n", "length", 4, None)).free_dimensions == ("x[1] length", "x[3] unnamed")
