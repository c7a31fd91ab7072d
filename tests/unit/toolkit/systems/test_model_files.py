"""Model files of scikit-learn, XGBoost and LightGBM: their own answers, in the sandbox too."""

import zipfile

import lightgbm
import numpy as np
import pytest
import skops.io
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from weighbridge.systems.registry import system_for, system_of
from weighbridge.systems.sandbox import isolated
from weighbridge.systems.sandbox.limits import Limits

QUICK = ProfileSettings(
    scenario=SingleStream(min_samples=140, min_duration_s=0.0, warmup=WarmUp(value_ms=0.0, max_duration_s=0.2)),
    bootstraps=100,
)
RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 5))
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(np.int64)


def sklearn_file(path):
    forest = RandomForestClassifier(5, n_jobs=2, random_state=1).fit(X, Y)
    skops.io.dump(forest, path)
    return "probabilities", forest.predict_proba(X)


def regression_file(path):
    line = LinearRegression().fit(X, X @ np.arange(5))
    skops.io.dump(line, path)
    return "predictions", line.predict(X)


def xgboost_file(path):
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(X, Y), 5)
    booster.save_model(path)
    return "predictions", booster.predict(xgboost.DMatrix(X))


def lightgbm_file(path):
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(X, Y), 5)
    booster.save_model(path)
    return "predictions", booster.predict(X)


FILES = {
    "m.skops": sklearn_file,
    "line.skops": regression_file,
    "m.ubj": xgboost_file,
    "m.json": xgboost_file,
    "m.txt": lightgbm_file,
}


def loaded(path):
    system = system_of({"system": system_for(path), "options": {"model": str(path)}}, QUICK)
    system.ready()
    return system, system.load()


@pytest.mark.parametrize("name", FILES)
def test_a_file_answers_as_its_library_does(tmp_path, name):
    output, expected = FILES[name](tmp_path / name)
    system, runner = loaded(tmp_path / name)
    assert (runner.inputs, runner.outputs) == ((InputSpec("x", "float64", ("n", 5)),), (output,))
    assert np.allclose(runner.infer({"x": X})[0], expected, rtol=1e-6)
    assert system.model["digest"].startswith("sha256:")
    sizes = system.sizes({"x": (1, 5)})
    assert sizes.metrics["model_size_mb"]["value"] == pytest.approx((tmp_path / name).stat().st_size / 1e6)
    assert set(sizes.missing) == {"parameters", "flops"}
    assert runner.describe()["threads"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m.skops", "m.ubj", "m.txt"])
def test_a_file_is_measured_in_the_sandbox(tmp_path, name):
    FILES[name](tmp_path / name)
    np.savez(tmp_path / "d.npz", x=X, y=Y)
    result = isolated.run_sandboxed(
        isolated.layers_here(),
        model=tmp_path / name,
        system={"system": system_for(tmp_path / name), "options": {}},
        settings=QUICK,
        data=tmp_path / "d.npz",
        limits=Limits(wall_s=60),
        workdir=tmp_path / "work",
        follow=(lambda *_: None, lambda: False),
    )
    assert result["metrics"]["accuracy"]["value"] > 0.8
    assert "roc_auc" in result["metrics"]
    assert result["metrics"]["latency_p50_ms"]["n"] == 140


def test_a_pipeline_of_texts_takes_texts(tmp_path):
    texts = np.array(["good shoe", "bad shoe", "good", "bad"])
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0, 1, 0])
    skops.io.dump(pipeline, tmp_path / "m.skops")
    _, runner = loaded(tmp_path / "m.skops")
    assert runner.inputs == (InputSpec("x", "string", ("n",)),)
    assert runner.infer({"x": texts.astype(object)})[0].tolist() == pipeline.predict_proba(texts).tolist()


class Foreign(LogisticRegression):
    """An estimator of another library."""


def test_types_of_other_libraries_are_refused(tmp_path):
    skops.io.dump(Foreign().fit(X, Y), tmp_path / "m.skops")
    with pytest.raises(Invalid, match=r"test_model_files\.Foreign") as refusal:
        loaded(tmp_path / "m.skops")
    assert refusal.value.code == "model_types"


@pytest.mark.parametrize("name", ["m.skops", "m.ubj", "m.json", "m.txt"])
@pytest.mark.parametrize("content", [b"nothing", b"\xff\xfe\x00", b"{}"])
def test_a_file_that_is_none_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match="cannot be loaded as a model of") as refusal:
        loaded(tmp_path / name)
    assert refusal.value.code == "model_unreadable"


def test_a_file_with_a_broken_part_is_refused(tmp_path):
    """The names of its types can be read, its arrays cannot."""
    sklearn_file(tmp_path / "whole.skops")
    with zipfile.ZipFile(tmp_path / "whole.skops") as whole, zipfile.ZipFile(tmp_path / "m.skops", "w") as broken:
        for name in whole.namelist():
            broken.writestr(name, b"nothing" if name.endswith(".npy") else whole.read(name))
    with pytest.raises(Invalid, match=r"m\.skops cannot be loaded as a model of skops: ") as refusal:
        loaded(tmp_path / "m.skops")
    assert refusal.value.code == "model_unreadable"


@pytest.mark.parametrize(("kept", "kind"), [([1, 2], "list"), (StandardScaler().fit(X), "StandardScaler")])
def test_a_file_without_a_model_is_refused(tmp_path, kept, kind):
    skops.io.dump(kept, tmp_path / "m.skops")
    with pytest.raises(Invalid) as refusal:
        loaded(tmp_path / "m.skops")
    assert refusal.value.reason == f"m.skops holds a {kind}, which predicts nothing; save a fitted model."
    assert refusal.value.code == "model_unreadable"


def test_a_missing_or_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.ubj").touch()
    with pytest.raises(Invalid, match=r"empty\.ubj is empty"):
        loaded(tmp_path / "empty.ubj")
    with pytest.raises(Invalid, match=r"There is no model file gone\.txt"):
        loaded(tmp_path / "gone.txt")
