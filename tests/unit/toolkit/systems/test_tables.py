"""Tables for models that know the columns they were trained on: by name, in the order of the model."""

import warnings

import lightgbm
import numpy as np
import pandas
import pytest
import skops.io
import xgboost
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.unit.toolkit.systems.test_model_files import QUICK, loaded
from weighbridge.api.data import data_file
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.binding import bind
from weighbridge.measure.inputs.data_set import DataSet, read_data_set, write_data_set
from weighbridge.measure.inputs.settings import AS_DECLARED
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.systems.registry import system_of

RNG = np.random.default_rng(5)
TABLE = pandas.DataFrame({"age": RNG.normal(40, 9, 120), "x": RNG.normal(0, 1, 120), "pay": RNG.normal(9, 3, 120)})
TRUTH = (TABLE.age / 9 + TABLE.x > 4.5).astype(np.int64)
MIXED = TABLE.assign(city=RNG.choice(["Rome", "Oslo"], 120), children=RNG.integers(0, 4, 120))


def sklearn_file(path):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(TABLE, TRUTH)
    skops.io.dump(model, path)
    return model.predict_proba(TABLE)


def xgboost_file(path):
    model = xgboost.XGBClassifier(n_estimators=5).fit(TABLE, TRUTH)
    model.save_model(path)
    return model.predict_proba(TABLE)[:, 1]


def lightgbm_file(path):
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(TABLE, TRUTH)
    model.booster_.save_model(path)
    return model.predict_proba(TABLE)[:, 1]


FILES = {"m.skops": sklearn_file, "m.ubj": xgboost_file, "m.txt": lightgbm_file}


def csv_of(folder, table):
    table.assign(y=TRUTH).to_csv(folder / "rows.csv", index=False)
    return folder / "rows.csv"


def answers_to(model, table, folder):
    """What a model file answers to a table, from the file of the table to the arrays of the outputs."""
    file = data_file(csv_of(folder, table), model=model, folder=folder)
    job = {"system": "sklearn", "options": {"model": str(model)}, "data": str(file)}
    runner = system_of(job, QUICK).load() if model.suffix == ".skops" else loaded(model)[1]
    bound = bind(runner.inputs, read_data_set(file), AS_DECLARED)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        return runner, runner.infer(bound.feed(0, len(table), RNG))[0]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("columns", [["age", "x", "pay"], ["pay", "x", "age"], ["id", "pay", "age", "x"]])
def test_columns_are_found_by_their_names_in_any_order(tmp_path, name, columns):
    expected = FILES[name](tmp_path / name)
    table = TABLE.assign(id=np.arange(120))[columns]
    runner, found = answers_to(tmp_path / name, table, tmp_path)
    assert runner.inputs == (InputSpec("x", "float64", ("n", 3), ("age", "x", "pay")),)
    assert np.allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("name", FILES)
def test_a_column_that_is_missing_is_named(tmp_path, name):
    FILES[name](tmp_path / name)
    with pytest.raises(Invalid) as refusal:
        answers_to(tmp_path / name, TABLE.rename(columns={"pay": "salary"}), tmp_path)
    assert refusal.value.reason == (
        "The model was trained on the columns age, x, pay, and the data has no pay: it has age, x, salary. Name the "
        "columns as in training."
    )


def test_rows_without_names_are_in_the_order_of_the_model(tmp_path):
    expected = sklearn_file(tmp_path / "m.skops")
    _, runner = loaded(tmp_path / "m.skops")
    bound = bind(runner.inputs, DataSet.of(TABLE.to_numpy(), None), AS_DECLARED)
    assert np.allclose(runner.infer(bound.feed(0, 120, RNG))[0], expected)


def mixed_pipeline(path):
    steps = [("n", StandardScaler(), ["age", "children"]), ("c", OneHotEncoder(), ["city"])]
    model = make_pipeline(ColumnTransformer(steps), LogisticRegression()).fit(MIXED[["age", "city", "children"]], TRUTH)
    skops.io.dump(model, path)
    return model


def test_a_pipeline_takes_columns_of_several_types(tmp_path):
    model = mixed_pipeline(tmp_path / "m.skops")
    table = MIXED[["children", "city", "age"]]
    runner, found = answers_to(tmp_path / "m.skops", table, tmp_path)
    assert runner.inputs == (
        InputSpec("age", "float64", ("n",)),
        InputSpec("city", "string", ("n",)),
        InputSpec("children", "int64", ("n",)),
    )
    assert np.allclose(found, model.predict_proba(table))
    with pytest.raises(Invalid, match="takes the columns age, city, children of a table; give --data with them"):
        loaded(tmp_path / "m.skops")
    with pytest.raises(Invalid, match=r"has no city: it has children, town, age. Name the columns as in training"):
        answers_to(tmp_path / "m.skops", table.rename(columns={"city": "town"}), tmp_path)
    with pytest.raises(Invalid, match="has x, pay, which no input is called"):
        answers_to(tmp_path / "m.skops", MIXED, tmp_path)


@pytest.mark.parametrize(
    "columns", [["x", "age"], make_column_selector("x|age"), slice(0, 2), [0, 1], [True, True, False]]
)
def test_a_pipeline_that_selects_columns_takes_a_table_of_numbers(tmp_path, columns):
    steps = [("two", StandardScaler(), columns), ("one", StandardScaler(), [2])]
    model = make_pipeline(ColumnTransformer(steps), LogisticRegression()).fit(TABLE, TRUTH)
    skops.io.dump(model, tmp_path / "m.skops")
    _, found = answers_to(tmp_path / "m.skops", TABLE[["pay", "x", "age"]], tmp_path)
    assert np.allclose(found, model.predict_proba(TABLE))


def test_a_table_of_one_column_is_an_array_of_one_feature(tmp_path):
    model = LogisticRegression().fit(TABLE[["x"]], TRUTH)
    skops.io.dump(model, tmp_path / "m.skops")
    runner, found = answers_to(tmp_path / "m.skops", TABLE[["x"]], tmp_path)
    assert runner.inputs == (InputSpec("x", "float64", ("n", 1), ("x",)),)
    assert np.allclose(found, model.predict_proba(TABLE[["x"]]))


def test_the_names_of_features_are_kept_in_the_file(tmp_path):
    data = DataSet({"x": np.ones((2, 2))}, None, {"x": ("a", "b")})
    write_data_set(data, tmp_path / "d.npz")
    assert read_data_set(tmp_path / "d.npz").features == {"x": ("a", "b")}
    assert read_data_set(tmp_path / "d.npz").take(np.array([1])).features == {"x": ("a", "b")}
    np.savez(tmp_path / "odd.npz", x=np.ones((2, 2)), **{"x.features": np.array(["a"])})
    with pytest.raises(Invalid, match=r"x.features must have one text for each column of the array x"):
        read_data_set(tmp_path / "odd.npz")
    # Without an array of that name, it is an input like any other.
    np.savez(tmp_path / "other.npz", **{"x.features": np.array(["a", "b"])})
    assert list(read_data_set(tmp_path / "other.npz").columns) == ["x.features"]
