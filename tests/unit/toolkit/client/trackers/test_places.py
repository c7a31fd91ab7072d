"""The three places: JSON lines, MLflow's own store, Weights & Biases offline. Nothing here leaves the machine."""

import json
import sys

import pytest
from typer.testing import CliRunner

from tests.unit.toolkit.client.trackers.documents import PROFILE, VARIANTS
from weighbridge.cli.app import app
from weighbridge.client.trackers import mlflow as mlflow_tracker
from weighbridge.client.trackers.jsonl import JsonLines
from weighbridge.client.trackers.mlflow import MlflowTracker
from weighbridge.client.trackers.records import TrackerRecord, record_of
from weighbridge.client.trackers.wandb import WandbTracker
from weighbridge.core.errors import Invalid, Refused

# Both libraries warn about themselves on import and leave temporary folders to the interpreter's end.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


def test_json_lines_hold_the_parent_before_its_children(tmp_path):
    tracker = JsonLines(tmp_path / "runs.jsonl")
    assert tracker.log(record_of(PROFILE, name="one")) == str(tmp_path / "runs.jsonl")
    tracker.log(record_of(VARIANTS, name="two"))
    lines = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert [(line["name"], line["parent"]) for line in lines] == [
        ("one", None),
        ("two", None),
        ("fp32", "two"),
        ("int8", "two"),
    ]
    assert (lines[0]["document"], lines[2]["document"]) == (PROFILE, None)


def test_json_lines_that_cannot_be_written_are_refused(tmp_path):
    with pytest.raises(Refused, match="Cannot write"):
        JsonLines(tmp_path / "missing" / "runs.jsonl").log(record_of(PROFILE, name="one"))


@pytest.fixture
def mlflow(tmp_path):
    return MlflowTracker(f"file://{tmp_path / 'store'}", "cnn")


def test_mlflow_keeps_a_nested_run_per_variant_and_gives_the_document_back(mlflow):
    address = mlflow.log(record_of(VARIANTS, name="parent"))
    experiment = mlflow.client.get_experiment_by_name("cnn")
    runs = {run.info.run_name: run for run in mlflow.client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"parent", "fp32", "int8"}
    assert address.endswith(f"/runs/{runs['parent'].info.run_id}")
    assert runs["int8"].data.tags["mlflow.parentRunId"] == runs["parent"].info.run_id
    assert runs["int8"].data.metrics["accuracy_upper"] == 0.91
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    (seen,) = mlflow.documents()
    assert (seen["name"], seen["document"]) == ("parent", VARIANTS)


def test_mlflow_reads_runs_that_others_made(mlflow):
    experiment = mlflow.client.create_experiment("cnn")
    run = mlflow.client.create_run(experiment, run_name="by hand")
    mlflow.client.log_metric(run.info.run_id, "val_acc", 0.8)
    (seen,) = mlflow.documents()
    assert (seen["metrics"], seen["document"]) == ({"val_acc": 0.8}, None)


def test_mlflow_limits_are_respected(mlflow):
    many = TrackerRecord(
        name="many",
        settings={f"setting.{index}": "x" * 7_000 for index in range(205)},
        metrics={f"metric_{index}": float(index) for index in range(2_005)},
        labels={"long": "y" * 9_000},
        document={"schema": "weighbridge.result/1"},
    )
    mlflow.log(many)
    experiment = mlflow.client.get_experiment_by_name("cnn")
    (run,) = mlflow.client.search_runs([experiment.experiment_id])
    assert (len(run.data.params), len(run.data.metrics)) == (205, 2_005)
    assert {len(value) for value in run.data.params.values()} == {6_000}
    assert len(run.data.tags["long"]) == 8_000


def test_a_run_that_could_not_be_logged_whole_is_marked_failed(mlflow, monkeypatch):
    monkeypatch.setattr(mlflow.client, "log_text", raising(OSError("disk full")))
    with pytest.raises(Refused, match=r"MLflow at file:.* refused: disk full"):
        mlflow.log(record_of(PROFILE, name="one"))
    experiment = mlflow.client.get_experiment_by_name("cnn")
    (run,) = mlflow.client.search_runs([experiment.experiment_id])
    assert run.info.status == "FAILED"


def raising(error):
    def refuse(*_arguments, **_named):
        raise error

    return refuse


def test_mlflow_says_when_it_lacks_the_experiment_or_the_server(mlflow, monkeypatch):
    with pytest.raises(Invalid, match="has no experiment 'cnn'"):
        list(mlflow.documents())
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(Refused, match=r"MLflow at http://127\.0\.0\.1:9 refused"):
        MlflowTracker("http://127.0.0.1:9", "cnn").log(record_of(PROFILE, name="one"))


@pytest.mark.parametrize(
    ("module", "make"),
    [
        ("mlflow.tracking", lambda folder: MlflowTracker("file:///nowhere", "cnn")),
        ("wandb", lambda folder: WandbTracker("cnn", folder=folder, is_offline=True)),
    ],
)
def test_a_library_that_is_missing_is_named_with_how_to_get_it(module, make, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Invalid, match=r'pip install "weighbridge\['):
        make(tmp_path)


def test_neither_library_phones_home(mlflow, tmp_path):
    import os

    from mlflow.telemetry.utils import is_telemetry_disabled

    WandbTracker("cnn", folder=tmp_path, is_offline=True)
    assert is_telemetry_disabled()
    assert os.environ["WANDB_ERROR_REPORTING"] == "false"
    assert mlflow_tracker.QUIET["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_wandb_offline_keeps_a_run_per_variant_in_one_group(tmp_path):
    folder = tmp_path / "runs"
    place = WandbTracker("cnn", folder=folder, is_offline=True).log(record_of(VARIANTS, name="parent"))
    kept = sorted(folder.glob("wandb/offline-run-*/*.wandb"))
    assert len(kept) == 3
    assert place in {str(path.parent) for path in kept}
    assert b"weighbridge-result" in b"".join(path.read_bytes() for path in kept)


def test_wandb_refusing_is_said_in_words(tmp_path, monkeypatch):
    tracker = WandbTracker("cnn", folder=tmp_path, is_offline=True)
    monkeypatch.setattr(tracker.wandb, "init", raising(tracker.wandb.Error("no such project")))
    with pytest.raises(Refused, match="Weights & Biases refused: no such project"):
        tracker.log(record_of(PROFILE, name="one"))


# --- the command ------------------------------------------------------------------------------------------------------


def track(*arguments):
    return CliRunner().invoke(app, ["track", *map(str, arguments)], env={"MLFLOW_TRACKING_URI": ""})


@pytest.fixture
def result(tmp_path):
    file = tmp_path / "cnn.json"
    file.write_text(json.dumps(PROFILE))
    return file


@pytest.mark.parametrize(
    "place",
    [
        lambda folder: ["--to", "jsonl", "--out", folder / "runs.jsonl"],
        lambda folder: ["--to", "mlflow", "--uri", f"file://{folder / 'store'}"],
        lambda folder: ["--to", "wandb", "--offline", "--folder", folder / "wandb"],
    ],
)
def test_the_command_logs_and_says_where(place, result, tmp_path):
    done = track(result, *place(tmp_path))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"{result}: ")


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (None, ["--to", "jsonl"], "cannot be read"),
        ("{", ["--to", "jsonl"], "is not valid JSON"),
        ("[]", ["--to", "jsonl"], "is not a result"),
        ("{}", ["--to", "jsonl"], "it has no schema"),
        (json.dumps(PROFILE), ["--to", "mlflow"], "Give the MLflow tracking server"),
    ],
)
def test_the_command_says_what_is_wrong(content, options, words, tmp_path):
    file = tmp_path / "x.json"
    if content is not None:
        file.write_text(content)
    done = track(file, *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
