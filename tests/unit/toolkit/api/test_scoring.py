"""`score`: in Python from frames, files and arrays, and typed, with its tables, its chart and its exit status."""

import hashlib
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

import weighbridge
from tests.unit.toolkit import builders
from tests.unit.toolkit.cli.test_cli import weighbridge as typed
from weighbridge.measure.scenarios import ProfileSettings, SingleStream
from weighbridge.quality.scoring.chart import reliability_chart

RNG = np.random.default_rng(20_261_130)
YES = RNG.integers(0, 2, 200)
COLUMNS = {
    "y": YES,
    "score": np.round(np.clip(0.5 * YES + 0.6 * RNG.random(200) - 0.05, 0, 1), 3),
    "land": np.where(np.arange(200) < 10, "IT", np.where(np.arange(200) % 2, "DE", "FR")),
    "who": np.arange(200),
}


@pytest.fixture
def folder(tmp_path):
    pl.DataFrame(COLUMNS).write_parquet(tmp_path / "new.parquet")
    pl.DataFrame(COLUMNS | {"score": 1 - COLUMNS["score"]}).sample(fraction=1, shuffle=True, seed=1).write_csv(
        tmp_path / "old.csv"
    )
    return tmp_path


def test_frames_files_and_mappings_have_the_same_scores(folder):
    one = weighbridge.score(COLUMNS, resamples=200)
    for other in (pd.DataFrame(COLUMNS), pl.DataFrame(COLUMNS), folder / "new.parquet", str(folder / "new.parquet")):
        assert {**weighbridge.score(other, resamples=200).document, "predictions": None} == one.document
    assert [row["metric"] for row in one.rows] == list(one["metrics"])
    sliced = weighbridge.score(COLUMNS, metrics=["brier"], slices=["land"], resamples=200)
    frame = sliced.to_pandas()
    assert list(frame["slice"]) == ["", "land DE", "land FR"]
    mapped = weighbridge.score(
        {"real": YES, "p": COLUMNS["score"]}, columns={"truth": "real", "scores": ["p"]}, resamples=200
    )
    assert mapped["metrics"] == one["metrics"]


def test_a_typed_score_has_tables_and_exits_with_its_margin(folder):
    options = (
        "--metric",
        "accuracy",
        "--metric",
        "brier",
        "--slice",
        "land",
        "--id",
        "who",
        "--baseline",
        folder / "old.csv",
    )
    good = typed("score", folder / "new.parquet", *options, "--margin", "0.02", "--json", folder / "s.json")
    assert good.exit_code == 0, good.output
    for words in (
        "answers against the truth, 200 rows",
        "Slices: Bonferroni for 8 intervals",
        "land IT: too few",
        "Drop from the baseline",
    ):
        assert words in good.stdout
    assert good.stdout.count("shown to be acceptable") == 6
    found = json.loads((folder / "s.json").read_text())
    for role, name in (("predictions", "new.parquet"), ("baseline", "old.csv")):
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert found[role] == {"file": name, "digest": f"sha256:{digest}"}
    assert {drop["metric"]: drop["margin"] for drop in found["drops"]} == {"accuracy": 0.02, "brier": 0.02}
    bad = typed(
        "score",
        folder / "old.csv",
        "--id",
        "who",
        "--baseline",
        folder / "new.parquet",
        "--margin",
        "accuracy=0.5",
        "--margin",
        "brier=0.01",
        "--metric",
        "accuracy",
        "--metric",
        "brier",
    )
    assert (bad.exit_code, "not shown to be acceptable" in bad.stdout) == (1, True)
    plain = typed("score", folder / "old.csv", "--id", "who", "--baseline", folder / "new.parquet")
    assert plain.exit_code == 0  # nobody asked whether the drop is acceptable


@pytest.mark.parametrize(
    ("margins", "words"),
    [
        (["x"], "--margin takes a number"),
        (["a=x"], "--margin takes a number"),
        (["0.1", "0.2"], "one --margin for all"),
        (["0.1", "brier=0.2"], "one --margin for all"),
        (["accuracy=0.1", "accuracy=0.2"], "one --margin for all"),
        (["speed=0.1"], "There is a margin for speed"),
    ],
)
def test_margins_that_are_none_are_refused(folder, margins, words):
    options = [part for margin in margins for part in ("--margin", margin)]
    done = typed("score", folder / "new.parquet", "--baseline", folder / "new.parquet", *options)
    assert (done.exit_code, words in done.stderr) == (2, True), done.stderr


def test_columns_are_mapped_at_the_command_line(tmp_path):
    pl.DataFrame({"real": ["a", "b"] * 20, "p_a": [0.9, 0.2] * 20, "p_b": [0.1, 0.8] * 20}).write_csv(
        tmp_path / "p.csv"
    )
    done = typed(
        "score", tmp_path / "p.csv", "--truth", "real", "--scores", "p_a,p_b", "--metric", "log_loss", "--json", "-"
    )
    found = json.loads(done.stdout)
    assert (found["classes"], found["columns"]["scores"]) == (["a", "b"], ["p_a", "p_b"])
    assert found["metrics"]["log_loss"]["value"] == pytest.approx(-np.log([0.9, 0.8]).mean())


def test_left_out_rows_and_missing_metrics_are_printed(tmp_path):
    rows = {"query": [1, 1, 2, 2] * 20, "relevance": [1, 0, 0, 0] * 20, "score": list(range(80))}
    rows["query"] = [query + 2 * (place // 4) for place, query in enumerate(rows["query"])]
    pl.DataFrame(rows).write_csv(tmp_path / "r.csv")
    ranked = typed("score", tmp_path / "r.csv")
    assert ranked.stdout.count("left out: 20 of 40 queries have no relevant row") == 1
    pl.DataFrame({"y": [0.0, 1.5] * 20, "prediction": [0.5, 1.5] * 20, "s": ["a", "b"] * 20}).write_csv(
        tmp_path / "n.csv"
    )
    numbers = typed("score", tmp_path / "n.csv", "--slice", "s", "--min-rows", 5)
    assert "no mean relative error: MAPE is not defined" in numbers.stdout
    assert "s a: no r2: R2 is not defined" in numbers.stdout


def test_reliability_is_drawn_with_its_table(folder):
    chart = folder / "reliability.svg"
    assert typed("score", folder / "new.parquet", "--chart", chart).exit_code == 0
    assert chart.read_text().startswith("<svg")
    document = weighbridge.score(COLUMNS, resamples=200, chart=folder / "r.png").document
    drawn = reliability_chart(document)
    assert len(drawn.table.rows) == len(document["reliability"])
    assert "the largest difference is at a stated" in drawn.alt
    numbers = {"y": [0.5, 1.5], "prediction": [1.0, 2.0]}
    with pytest.raises(weighbridge.Invalid, match="needs probabilities of classes"):
        weighbridge.score(numbers, chart=folder / "none.svg")
    assert not (folder / "none.svg").exists()
    with pytest.raises(weighbridge.Invalid, match="must end with"):
        weighbridge.score(COLUMNS, chart=folder / "r.gif")


def test_a_profile_measures_metrics_of_the_registry_too(tmp_path):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz", rows=120)
    found = weighbridge.profile(
        model, data=data, samples=140, scores="logits", metrics=["log_loss", "ece@10"], operators=False
    )
    assert {"accuracy", "roc_auc", "log_loss", "ece@10"} <= set(found["metrics"])
    arrays = np.load(data)
    scores = arrays["x"] @ builders.WEIGHTS
    same = weighbridge.score({"y": arrays["y"], "scores": scores}, metrics=["log_loss"], scores_are="logits")
    assert found["metrics"]["log_loss"]["value"] == pytest.approx(same["metrics"]["log_loss"]["value"], rel=1e-5)


def test_metrics_that_a_profile_cannot_measure_are_refused_before_it_runs(tmp_path):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz", rows=60)
    with pytest.raises(weighbridge.Refused, match="mae is a metric of regression, but y is the truth"):
        weighbridge.profile(model, data=data, samples=140, metrics=["mae"])
    for name, words in (("os:getcwd", "is a function of your own"), ("speed", "There is no metric 'speed'")):
        with pytest.raises(weighbridge.Invalid, match=words):
            weighbridge.profile(model, data=data, metrics=[name])
        with pytest.raises(weighbridge.Invalid, match=words):
            ProfileSettings(scenario=SingleStream(), metrics=(name,))
    done = typed("profile", model, "--data", data, "--metric", "ndcg@0")
    assert (done.exit_code, "must be a whole number above 0" in done.stderr) == (2, True)


def test_a_metric_without_a_value_is_told_and_the_others_are_kept(tmp_path):
    pl.DataFrame({"y": [1, 0] * 20, "prediction": [0] * 40}).write_csv(tmp_path / "p.csv")
    named = ("--metric", "precision", "--metric", "recall")
    done = typed("score", tmp_path / "p.csv", *named, "--json", tmp_path / "s.json", "--quiet")
    assert (done.exit_code, "No value of precision; the result tells why." in done.stderr) == (2, True)
    assert list(json.loads((tmp_path / "s.json").read_text())["metrics"]) == ["recall"]
    asked = typed("score", tmp_path / "p.csv", *named, "--fail-if", "recall > 0.5", "--quiet")
    assert (asked.exit_code, "No value of precision" in asked.stderr) == (2, True)
    assert typed("score", tmp_path / "p.csv", *named, "--fail-if", "recall < 0.5", "--quiet").exit_code == 1
