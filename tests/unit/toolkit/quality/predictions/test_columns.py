"""Columns: found by their names, mapped, read from any file, and refused with the sentence that helps."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.quality.predictions.columns import ROLES, Predictions, is_missing, rows_words
from weighbridge.quality.predictions.reading import column_of, predictions_of


def of(mapped=None, **columns):
    return predictions_of(columns, mapped or {})


def refused(words, call, *arguments, **options):
    with pytest.raises(Invalid, match=words) as refusal:
        call(*arguments, **options)
    return refusal.value.field


@pytest.fixture
def table(tmp_path):
    frame = pl.DataFrame({"y": [0, 1, 1], "score": [0.2, 0.7, 0.9], "tags": [["a"], [], ["a", "b"]]})
    frame.write_parquet(tmp_path / "p.parquet")
    frame.drop("tags").write_csv(tmp_path / "p.csv")
    (tmp_path / "p.jsonl").write_text("\n".join(json.dumps(row) for row in frame.to_dicts()))
    np.savez(tmp_path / "p.npz", y=[0, 1, 1], score=[0.2, 0.7, 0.9])
    return tmp_path


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "npz"])
def test_every_file_has_the_same_columns(table, suffix):
    found = predictions_of(table / f"p.{suffix}", {})
    assert (found.values("truth").tolist(), found.numbers("scores").tolist()) == ([0, 1, 1], [0.2, 0.7, 0.9])
    assert len(found) == 3


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
def test_frames_and_mappings_have_the_same_columns(make):
    found = predictions_of(make({"y": ["a", "b"], "prediction": ["a", "a"]}), {})
    assert (found.texts("truth").tolist(), found.texts("prediction").tolist()) == (["a", "b"], ["a", "a"])


def test_a_missing_value_is_missing_in_every_form():
    for values in ([1.0, None], [1.0, float("nan")], pd.Series([1, None]), pl.Series([1, None]), pd.array([1, pd.NA])):
        assert is_missing(column_of(values)).tolist() == [False, True], values
    assert is_missing(column_of([["a"], [None]])).tolist() == [False, True]
    assert is_missing(column_of([[0.5, 0.5], [0.1, float("nan")]])).tolist() == [False, True]
    assert is_missing(column_of(pd.to_datetime(["2026-01-01", None]).to_series())).tolist() == [False, True]
    assert is_missing(column_of(["a", ""])).tolist() == [False, False]


def test_numbers_beside_texts_stay_what_they_are():
    assert column_of([1, "1"]).tolist() == [1, "1"]
    assert column_of([["a"], ["b", "c"]]).tolist() == [["a"], ["b", "c"]]
    assert column_of([[1, 2], [3, 4]]).shape == (2, 2)


def test_a_role_is_mapped_to_one_or_several_columns():
    found = of({"truth": ["real"], "scores": ["a", "b"]}, real=[0, 1], a=[0.1, 0.2], b=[0.9, 0.8], y=[5, 5])
    assert found.values("truth").tolist() == [0, 1]
    assert found.values("scores").tolist() == [[0.1, 0.9], [0.2, 0.8]]
    assert found.numbers("scores").shape == (2, 2)
    assert (found.has("group"), found.names("scores")) == (False, ("a", "b"))


def test_many_rows_are_named_by_the_first():
    assert rows_words(np.array([False, True])) == "row 2"
    assert rows_words(np.ones(3, dtype=bool)) == "rows 1, 2, 3"
    assert rows_words(np.ones(7, dtype=bool)) == "rows 1, 2, 3, 4, 5 and 2 more"


def test_columns_that_do_not_fit_are_refused():
    assert (
        refused("truth and y may both be the truth; name one with --truth", of(truth=[1], y=[1]).values, "truth")
        == "truth"
    )
    assert refused("no prediction in the columns y; name its column with --prediction", of(y=[1]).values, "prediction")
    assert refused("no group in the columns y; name its column with --group.", of(y=[1]).values, "group") == "group"
    assert refused("no column 'no'; the columns are y", of, {"truth": ["no"]}, y=[1]) == "truth"
    assert refused("no role 'thruth'", of, {"thruth": ["y"]}, y=[1]) == "columns"
    assert refused("same number of rows, but they have: a 1, b 2", of, a=[1], b=[1, 2]) == "predictions"
    assert refused("have no rows", of, y=[]) == "predictions"
    assert refused("have no rows", Predictions, {}) == "predictions"
    assert refused("single value", of, y=1) == "predictions"
    assert refused("single value", of, y="text") == "predictions"
    assert refused("not int", predictions_of, 5, {}) == "predictions"


def test_values_that_do_not_fit_are_refused_with_their_rows():
    found = of(y=[1.0, None, float("nan")], prediction=[1, np.inf, 2], scores=["a", "b", "c"], scale=[[1, 2]] * 3)
    assert refused("column y has no value in rows 2, 3; fill it", found.numbers, "truth") == "truth"
    assert refused("prediction has an infinite number in row 2", found.numbers, "prediction") == "prediction"
    assert refused("scores must have one number in each row", found.numbers, "scores") == "scores"
    assert refused("scale must have one number in each row", found.numbers, "scale") == "scale"
    assert refused("prediction must have one text", found.texts, "prediction") == "prediction"


def test_names_are_single_values():
    listed = of({"group": ["g"], "id": ["i"]}, g=[[1, 2], [3, 4]], i=[["a"], ["b", "c"]], query=["a", 1])
    for role in ("group", "id"):
        assert refused("must have one name or number in each row", listed.names_of, role) == role
    assert listed.names_of("query").tolist() == ["a", "1"]


def test_files_that_are_none_are_refused(tmp_path):
    for name, content in (("a.parquet", b"no"), ("b.npz", b"no"), ("c.txt", b""), ("d.csv", b"")):
        (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "one.npy", [1, 2])
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    np.savez(tmp_path / "objects.npz", y=np.array([{}], dtype=object))
    np.savez(tmp_path / "single.npz", y=np.array(5))
    assert refused("There is no file", predictions_of, tmp_path / "none.csv", {}) == "predictions"
    assert refused("a.parquet cannot be read as .parquet", predictions_of, tmp_path / "a.parquet", {}) == "predictions"
    assert refused("b.npz cannot be read as .npz", predictions_of, tmp_path / "b.npz", {}) == "predictions"
    assert (
        refused("c.txt is no file of predictions: give .csv", predictions_of, tmp_path / "c.txt", {}) == "predictions"
    )
    assert refused("d.csv cannot be read", predictions_of, tmp_path / "d.csv", {}) == "predictions"
    assert refused("one array without a name", predictions_of, tmp_path / "one.npz", {}) == "predictions"
    assert refused("objects.npz cannot be read", predictions_of, tmp_path / "objects.npz", {}) == "predictions"
    assert refused("single value", predictions_of, tmp_path / "single.npz", {}) == "predictions"


def test_rows_are_taken_in_any_order():
    assert of(y=[1, 2, 3]).take(np.array([2, 0])).values("truth").tolist() == [3, 1]


def test_every_role_is_found_by_its_own_name_or_mapped():
    assert [role for role, names in ROLES.items() if not names] == ["group", "weight", "id"]
    assert all(role in names or role == "scores" for role, names in ROLES.items() if names)
