"""The public functions: they take files, mappings or results, and give what the command line writes."""

import json

import numpy as np
import pytest
import yaml

import weighbridge
from tests.unit.toolkit import builders
from tests.unit.toolkit.cli.test_cli import weighbridge as typed
from tests.unit.toolkit.optimization.test_series import SETTINGS
from tests.unit.toolkit.tradeoff.builders import candidates_file, points_file
from tests.unit.toolkit.tradeoff.matrices import document as matrix_of
from tests.unit.toolkit.tradeoff.matrices import matrix_file
from weighbridge.api import optimizing

pytestmark = pytest.mark.slow


def test_a_profile_is_a_row_for_each_metric(tmp_path):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    result = weighbridge.profile(str(model), data=data, samples=140, operators=False)
    assert result["metrics"]["accuracy"]["value"] == 0.9
    frame = result.to_polars()
    assert frame["metric"].to_list() == list(result["metrics"])
    assert frame.filter(metric="accuracy")["value"].to_list() == [0.9]


def test_a_profile_that_is_stopped_raises_with_its_part(tmp_path):
    doing = []
    watcher = weighbridge.Watcher(lambda _, phase: doing.append(phase), lambda: "measuring latency" in doing)
    with pytest.raises(weighbridge.RunCanceled) as ended:
        weighbridge.profile(builders.classifier(tmp_path / "m.onnx"), samples=3_000_000, watcher=watcher)
    assert ended.value.partial["is_partial"] is True


def test_models_are_named_by_their_files_or_by_the_caller(tmp_path):
    first, second = builders.classifier(tmp_path / "a.onnx"), builders.classifier(tmp_path / "b.onnx")
    quick = {"rounds": 6, "block_ms": 1}
    assert [row["model"] for row in weighbridge.compare([first, second], **quick).rows] == ["a", "b"]
    result = weighbridge.compare(
        {"old": first, "new": str(second)}, data=builders.data_set(tmp_path / "d.npz"), **quick
    )
    assert [row["model"] for row in result.rows] == ["old", "new"]
    assert result.to_pandas()["accuracy_drop"].tolist()[1] == 0.0
    with pytest.raises(weighbridge.Invalid, match="given twice"):
        weighbridge.compare([first, first])


def test_candidates_may_be_a_file_a_mapping_or_a_result(tmp_path):
    file = candidates_file(tmp_path / "c.json")
    frontier = weighbridge.pareto(file, draws=100)
    document = json.loads(file.read_text())
    assert weighbridge.pareto(document, draws=100).document == frontier.document
    again = weighbridge.Result(document, (), list)
    assert weighbridge.pareto(again, draws=100).document == frontier.document
    assert [row["candidate"] for row in frontier.rows] == ["fp32", "int8", "int8-dynamic"]
    assert frontier.rows[1]["state"] == "frontier"
    assert weighbridge.recommend(document, max_p95_ms=5)["winner"] == "int8"


def test_a_matrix_may_be_a_file_or_a_mapping(tmp_path):
    decided = weighbridge.decide(matrix_file(tmp_path / "m.yaml"), draws=100)
    given = yaml.safe_load((tmp_path / "m.yaml").read_text())
    assert weighbridge.decide(given, draws=100).document == decided.document
    assert decided.rows[-1]["name"] == "other vendor"
    assert decided.rows[-1]["rank"] is None
    with pytest.raises(weighbridge.Invalid, match="kind"):
        weighbridge.decide(matrix_of(kind="Other"))


def test_points_may_be_a_file_pairs_or_a_mapping(tmp_path):
    curve = weighbridge.learning_curve(points_file(tmp_path / "p.csv"))
    pairs = [(point["rows"], point["value"]) for point in curve["points"]]
    assert weighbridge.learning_curve(pairs)["fit"] == pytest.approx(curve["fit"])
    points = [{"rows": rows, "value": value} for rows, value in pairs]
    assert weighbridge.learning_curve({"metric": "accuracy", "points": points}).rows == (
        weighbridge.learning_curve(pairs).rows
    )
    assert [row["rows"] for row in curve.rows] == [8_000, 16_000, 32_000]


def test_costs_may_be_asked_of_a_mapping(tmp_path):
    text = typed("cost", "template").stdout
    (tmp_path / "spec.yaml").write_text(text)
    asked = {"draws": 200, "on": "2026-11-25"}
    of_file = weighbridge.project_costs(tmp_path / "spec.yaml", **asked)
    assert weighbridge.project_costs(yaml.safe_load(text), **asked)["digest"] == of_file["digest"]
    assert {row["metric"] for row in of_file.rows} >= {"tco_usd", "total_cost_1y_usd"}
    assert of_file.remarks == ()


def test_answers_are_scored_as_a_profile_scores_them(tmp_path):
    scores, truth = np.eye(3)[[0, 1, 2, 2]], np.array([0, 1, 2, 1])
    result = weighbridge.score(scores, truth)
    assert result["metrics"]["accuracy"]["value"] == 0.75
    assert result["confusion"] == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    np.savez(tmp_path / "s.npz", answers=scores, y=truth)
    of_file = weighbridge.score(tmp_path / "s.npz")
    assert {**of_file.document, "predictions": None} == result.document
    assert weighbridge.score([1.0, 2.0], [1.5, 2.5])["metrics"]["mae"]["value"] == 0.5
    done = typed("score", tmp_path / "s.npz", "--json", tmp_path / "s.json")
    assert (done.exit_code, "answers against the truth" in done.stdout) == (0, True)
    assert json.loads((tmp_path / "s.json").read_text()) == of_file.document


@pytest.mark.parametrize(
    ("answers", "truth", "words"),
    [
        ([0, 1], [0], "same number of rows, but they have: answers 2, y 1"),
        ([], [], "have no rows"),
        ([[0.1, 0.2, 0.7]], [5], "y contains class 5"),
        ([0, 1], None, "Give the truth too"),
        ("none.npz", None, "There is no file none.npz"),
    ],
)
def test_answers_that_do_not_fit_are_refused(answers, truth, words):
    with pytest.raises(weighbridge.Invalid, match=words):
        weighbridge.score(answers, truth)


def test_variants_are_candidates_with_a_row_for_each_metric(tmp_path, monkeypatch):
    monkeypatch.setattr(optimizing, "_settings", lambda *_: SETTINGS)
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz", rows=700)
    result = weighbridge.optimize(
        model, data=data, only=["graph-optimized"], samples=150, out=tmp_path / "v", json_file=tmp_path / "c.json"
    )
    assert [each["name"] for each in result["candidates"]] == ["fp32", "graph-optimized"]
    assert {row["candidate"] for row in result.rows} == {"fp32", "graph-optimized"}
    assert (tmp_path / "c.json").read_text() == (tmp_path / "v/candidates.json").read_text()


def test_an_endpoint_is_tested_under_load(desk, tmp_path):
    desk.answers["GET", "/base/x"] = (200, {"a": 1})
    watcher = weighbridge.Watcher()
    result = weighbridge.load_test(
        f"{desk.server.url}/x",
        rate=50,
        duration="1s",
        samples=tmp_path / "s.npz",
        hdr=tmp_path / "h.hlog",
        watcher=watcher,
    )
    assert result["samples"]["n"] == result["metrics"]["error_rate"]["n"]
    assert (tmp_path / "h.hlog").is_file()
    assert {row["metric"] for row in result.rows} == set(result["metrics"])
