"""Data sets: files, rows of different sizes, and what tells rows apart."""

import hashlib
import io

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tests.unit.toolkit.measure.test_inputs import X, Y, code_of
from weighbridge.measure.inputs.columns import Ragged, row_digests
from weighbridge.measure.inputs.data_set import DataSet, read_data_set, write_data_set

shapes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=6)


def test_a_data_set_is_read(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=Y.astype(np.uint8))
    data = read_data_set(tmp_path / "d.npz")
    assert (data.x.tolist(), len(data)) == (X.tolist(), 3)
    assert (data.y.tolist(), data.y.dtype) == ([0, 1, 2], np.int64)


def test_floating_truth_is_numbers_to_be_met(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=np.array([0.5, 1, 2], dtype=np.float32))
    data = read_data_set(tmp_path / "d.npz")
    assert (data.y.tolist(), data.y.dtype) == ([0.5, 1.0, 2.0], np.float64)


def test_truth_may_be_words_or_missing(tmp_path):
    np.savez(tmp_path / "words.npz", ids=X, y=np.array(["cat", "dog", "cat"]))
    assert read_data_set(tmp_path / "words.npz").truth.tolist() == ["cat", "dog", "cat"]
    np.savez(tmp_path / "none.npz", ids=X)
    data = read_data_set(tmp_path / "none.npz")
    assert (data.y, code_of(lambda: data.truth)) == (None, "data_form")


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({"y": Y}, "data_form"),
        ({"x": X[:0], "y": Y[:0]}, "data_empty"),
        ({"x": np.float32(1), "y": Y}, "data_empty"),
        ({"x": X, "z": X[:2]}, "data_shape"),
        ({"x": X, "y": Y[:2]}, "data_shape"),
        ({"x": X, "y": Y[:, None]}, "data_shape"),
        ({"x": X, "y": Y.astype(bool)}, "data_type"),
        ({"x": X, "y": np.array([1.0, np.inf, 2.0])}, "data_type"),
        ({"x": np.array([{}, {}, {}]), "y": Y}, "data_unreadable"),
        ({"x.values": np.arange(5), "x.shapes": np.array([[2], [2]])}, "data_shape"),
        ({"x.values": np.arange(4), "x.shapes": np.array([[-2], [6]])}, "data_shape"),
        ({"x.values": np.arange(4), "x.shapes": np.array([2, 2])}, "data_shape"),
        ({"x.values": np.arange(4), "x.shapes": np.array([[2.0], [2.0]])}, "data_shape"),
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


@given(shapes)
def test_rows_of_different_sizes_survive_a_file(tmp_path_factory, sizes):
    path = tmp_path_factory.mktemp("d") / "d.npz"
    rows = [np.full(size, index, dtype=np.float32) for index, size in enumerate(sizes)]
    write_data_set(DataSet({"image": Ragged.of(rows), "number": np.arange(len(rows))}, None), path)
    data = read_data_set(path)
    found = data.columns["image"]
    assert [row.tolist() for row in found] == [row.tolist() for row in rows]
    assert [found.row(index).shape for index in range(len(rows))] == list(sizes)
    assert data.columns["number"].tolist() == list(range(len(rows)))


@given(shapes, st.data())
def test_chosen_rows_are_those_of_a_list(sizes, data):
    rows = [np.full(size, index) for index, size in enumerate(sizes)]
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)).filter(any)))
    kept = DataSet({"x": Ragged.of(rows)}, np.arange(len(rows))).take(mask)
    chosen = [index for index, is_kept in enumerate(mask) if is_kept]
    assert [row.tolist() for row in kept.columns["x"]] == [rows[index].tolist() for index in chosen]
    assert kept.y.tolist() == chosen


def test_equal_rows_over_all_inputs_have_equal_fingerprints():
    ids, other = Ragged.of([np.arange(2), np.arange(3), np.arange(2), np.arange(2)]), np.array([1, 1, 1, 2])
    digests = row_digests({"ids": ids, "other": other})
    assert [digests[0] == digest for digest in digests] == [True, False, True, False]
    assert DataSet({"ids": ids, "other": other}, None).fingerprints.tolist() == [
        np.void(digest).tolist() for digest in digests
    ]
    assert row_digests({}) == []


def test_the_rows_of_a_single_input_are_their_own_fingerprints():
    assert DataSet.of(X, Y).fingerprints is X


@pytest.mark.parametrize("columns", [{"a": X, "b": X}, {"a": Ragged.of([X, X[:1]])}])
def test_what_needs_one_array_says_so(columns):
    assert code_of(lambda: DataSet(columns, Y).x) == "data_form"


def test_the_same_rows_give_the_same_bytes_with_every_python():
    stream = io.BytesIO()
    write_data_set(DataSet({"x": np.ones((3, 2), np.float32)}, np.arange(3), {"x": ("a", "b")}), stream)
    digest = hashlib.sha256(stream.getvalue()).hexdigest()
    assert digest == "eb053d77b6fa9ca81e6df021f487d7c6ab204fbd36115a72d19ed3b0cc8a3112"
