"""MLflow and Weights & Biases: the last step, no names of ours, states of runs, folders."""

import json
import os
import shutil
from datetime import UTC, datetime

import pytest

from tests.unit.toolkit.readers.files import SAMPLES, absent, changed, doubts, only, values
from weighbridge.core.errors import Invalid
from weighbridge.readers.registry import read_results
from weighbridge.readers.tools import mlflow_runs

TRACKED = mlflow_runs.TRACKED


@pytest.fixture
def runs(tmp_path):
    """Return a copy of the file store."""
    shutil.copytree(SAMPLES / "mlruns", tmp_path / "mlruns")
    return tmp_path / "mlruns"


@pytest.fixture
def run(runs):
    """Return the folder of its run."""
    return next(runs.glob("*/*/meta.yaml")).parent


def test_the_answer_of_the_server_and_the_folder_state_the_same():
    answer, stored = only("mlflow_run.json"), only("mlruns")
    expected = {
        "mlflow.latency p95": "12.5 unstated",
        "mlflow.loss": "0.3125 unstated",
        "mlflow.val_acc": "0.8433 unstated",
    }
    assert values(answer) == values(stored) == expected
    assert (answer.tool, answer.part, stored.part) == ("MLflow", "resnet-18", "resnet-18")
    assert answer.started_at == stored.started_at == datetime(2026, 11, 28, 5, 36, 51, 139000, tzinfo=UTC)
    assert answer.ended_at == stored.ended_at == datetime(2026, 11, 28, 5, 36, 51, 147000, tzinfo=UTC)
    assert doubts(answer) == doubts(stored) == ("indicative", [TRACKED])
    assert dict(answer.conditions) == dict(stored.conditions)
    assert answer.conditions["param.learning_rate"] == "0.001"
    assert answer.conditions["tag.stage"] == "candidate"
    assert "someone" not in answer.conditions.values()
    assert len(stored.files) == 11
    assert set(absent(answer)) == {"tool_version", "model", "data"}


def test_a_folder_may_be_the_run_or_the_experiment(runs, run):
    assert values(read_results(run)[0]) == values(read_results(run.parent)[0]) == values(read_results(runs)[0])


def test_the_last_step_counts_whatever_the_order_of_lines(run):
    (run / "metrics/loss").write_text("5 0.1 3\n9 0.7 2\n6 0.2 3\n\n")
    (run / "metrics/val").mkdir()
    (run / "metrics/val/acc").write_text("5 0.5\n")
    found = values(read_results(run)[0])
    assert (found["mlflow.loss"], found["mlflow.val/acc"]) == ("0.2 unstated", "0.5 unstated")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1 nan 0\n", "loss must be a number, and neither NaN nor infinite; it is 'nan'"),
        ("1 inf 0\n", "neither NaN nor infinite"),
        ("1\n", "a line is not `timestamp value step`"),
        ("\n", "loss has no value"),
    ],
)
def test_a_metric_that_is_no_number_is_refused(run, line, sentence):
    (run / "metrics/loss").write_text(line)
    with pytest.raises(Invalid, match=sentence):
        read_results(run)


def test_folders_are_bounded(runs, run, monkeypatch):
    deep = run / "metrics/a/b/c/d/e"
    deep.mkdir(parents=True)
    with pytest.raises(Invalid, match="more than 5 levels of folders"):
        read_results(run)
    shutil.rmtree(run / "metrics/a")
    monkeypatch.setattr(mlflow_runs, "BYTES_MAX", 100)
    with pytest.raises(Invalid, match="have more than 100 bytes"):
        read_results(run)
    monkeypatch.undo()
    monkeypatch.setattr(mlflow_runs, "RUNS_MAX", 0)
    with pytest.raises(Invalid, match="more than 0 runs; give the folder of one"):
        read_results(runs)


def test_what_is_no_file_and_what_is_too_deep_is_passed_by(runs, run):
    os.mkfifo(run / "metrics/pipe")
    assert "mlflow.pipe" not in values(read_results(run)[0])
    for name in ("1", "1/2", "1/2/3"):
        (runs / name).mkdir()
        (runs / name / "meta.yaml").write_text("name: x\n")
    shutil.copytree(SAMPLES / "mlruns", runs / "1/2/3/mlruns")
    assert len(read_results(runs)) == 1


def test_links_are_not_followed(run, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("1 0.5 0\n")
    (run / "metrics/leak").symlink_to(secret)
    assert "mlflow.leak" not in values(read_results(run)[0])


def test_a_run_that_failed_or_was_deleted_is_invalid(tmp_path, run):
    meta = run / "meta.yaml"
    meta.write_text(meta.read_text().replace("status: 3", "status: 4").replace("active", "deleted"))
    assert doubts(read_results(run)[0]) == (
        "invalid",
        [TRACKED, "The state of the run is FAILED, not FINISHED.", "The run was deleted."],
    )

    def running(document):
        document["run"]["info"] |= {"status": "RUNNING", "end_time": None}
        document["run"]["data"]["tags"] = [{"key": "weighbridge.verdict", "value": "valid"}]

    (result,) = changed(tmp_path, "mlflow_run.json", running)
    assert doubts(result)[1][1:] == [mlflow_runs.LOGGED_BY_US, "The state of the run is RUNNING, not FINISHED."]
    assert (result.part, result.ended_at) == ("resnet-18", None)


def test_a_search_has_several_runs(tmp_path):
    def search(document):
        empty = {"info": document["run"]["info"], "data": {}}
        return {"runs": [document["run"], empty, "text"]}

    assert len(changed(tmp_path, "mlflow_run.json", search)) == 1


@pytest.mark.parametrize("value", ["NaN", "Infinity", None])
def test_the_server_writes_what_is_no_number_as_text(tmp_path, value):
    def broken(document):
        document["run"]["data"]["metrics"][0]["value"] = value

    with pytest.raises(Invalid, match=r"neither NaN nor infinite|a metric has no value"):
        changed(tmp_path, "mlflow_run.json", broken)


def test_a_run_without_metrics_is_refused(tmp_path):
    with pytest.raises(Invalid, match=r"No run in changed\.json has metrics\."):
        changed(tmp_path, "mlflow_run.json", lambda document: document["run"].update(data={}) or None)


def test_wandb_has_the_summary_the_config_and_the_machine():
    result = only("wandb_run")
    assert (result.tool, result.tool_version, result.part) == ("Weights & Biases", "0.31.0", "wandb_run")
    assert result.started_at == datetime(2026, 11, 28, 5, 38, 59, 233506, tzinfo=UTC)
    assert values(result) == {
        "wandb.loss": "0.3125 unstated",
        "wandb.val/acc": "0.8433 unstated",
        "wandb.best.epoch": "2 unstated",
    }
    assert result.conditions["config.optimizer.name"] == "sgd"
    assert (result.conditions["step"], result.conditions["cpu_count"]) == ("2", "2")
    assert doubts(result) == ("indicative", [TRACKED])
    names = ["wandb-summary.json", "wandb-metadata.json", "config.yaml"]
    assert [file.name for file in result.files] == names
    assert "someone@example.com" not in str(result)


def test_a_summary_alone_says_what_is_missing(tmp_path):
    summary = SAMPLES / "wandb_run/files/wandb-summary.json"
    (result,) = read_results(summary)
    assert absent(result)["started_at"] == "There is no wandb-metadata.json."
    assert absent(result)["tool_version"] == "There is no config.yaml."
    document = json.loads(summary.read_text()) | {"name": "x", "plot": {"_type": "image-file", "size": 3}, "ok": True}
    (tmp_path / "wandb-summary.json").write_text(json.dumps(document))
    (tmp_path / "wandb-metadata.json").write_text('{"startedAt": "2026-11-28T05:37:39.019142", "cuda": {"a": 1}}')
    (tmp_path / "config.yaml").write_text("wandb_version: 1\nsize: {value: 3}\n")
    (result,) = read_results(tmp_path)
    assert absent(result)["started_at"] == "The files state no time with a time zone."
    assert {name for name in absent(result) if name.startswith("wandb.")} == {"wandb.name", "wandb.plot", "wandb.ok"}
    assert result.conditions["config.size"] == "3"


def test_wandb_writes_what_is_no_number_as_text(tmp_path):
    path = tmp_path / "wandb-summary.json"
    path.write_text('{"_step": 1, "val": {"loss": "NaN"}}')
    with pytest.raises(Invalid, match=r"val\.loss must be a number, and neither NaN nor infinite"):
        read_results(path)
