"""Imported runs: own results come back whole, those of others as plain numbers."""

import json

import pytest
from typer.testing import CliRunner

from tests.refusals import has_code
from tests.unit.toolkit.client.trackers.documents import PROFILE, VARIANTS
from weighbridge.cli.app import app
from weighbridge.client.trackers.imported import Wanted, candidates_of, wanted_of
from weighbridge.client.trackers.mlflow import MlflowTracker
from weighbridge.client.trackers.records import record_of
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.candidates import Estimate, VariantAnswer, candidates_from

pytestmark = [pytest.mark.filterwarnings("ignore")]
AT = "2026-11-25T00:00:00+00:00"
OWN = {"name": "own", "run_id": "a" * 32, "metrics": {"val_acc": 0.7}, "document": PROFILE}
OTHER = {"name": "other", "run_id": "b" * 32, "metrics": {"val_acc": 0.8, "t": 3.0}, "document": None}
WANTED = [Wanted("accuracy", "val_acc", "ratio"), Wanted("latency_p95_ms", "t", "ms")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("accuracy", Wanted("accuracy", "accuracy", "ratio")),
        ("accuracy=val_acc", Wanted("accuracy", "val_acc", "ratio")),
        ("latency_p95_ms=p95", Wanted("latency_p95_ms", "p95", "ms")),
        ("model_size_mb", Wanted("model_size_mb", "model_size_mb", "MB")),
        ("joules=energy:J", Wanted("joules", "energy", "J")),
    ],
)
def test_a_estimate_is_named_with_its_key_and_unit(text, wanted):
    assert wanted_of(text) == wanted


@pytest.mark.parametrize("text", ["", "=x", "accuracy=", ":ms"])
def test_what_names_no_estimate_is_refused(text):
    with pytest.raises(Invalid, match="is not a metric"):
        wanted_of(text)


def test_own_runs_keep_their_intervals_and_others_are_plain_numbers():
    found = candidates_of([OWN, OTHER], wanted=WANTED, baseline=None, at=AT)
    own, other = found.candidates
    assert own.metrics["latency_p95_ms"] == Estimate(1.5, 1.4, 1.6, 0.99, 3_000, "ms")
    assert own.metrics["accuracy"] == Estimate(0.7, None, None, None, 1, "ratio")
    assert (own.digest, own.measurement.status, own.verdict.answer) == (
        "sha256:cd",
        "indicative",
        VariantAnswer.UNCOMPARED,
    )
    assert other.metrics == {
        "accuracy": Estimate(0.8, None, None, None, 1, "ratio"),
        "latency_p95_ms": Estimate(3.0, None, None, None, 1, "ms"),
    }
    assert (other.digest, other.measurement, found.baseline) == (None, None, "own")


def test_two_runs_of_one_name_are_told_apart_and_empty_ones_left_out():
    twin, empty = {**OTHER, "run_id": "c" * 32}, {**OTHER, "metrics": {"loss": 1.0}}
    found = candidates_of([OTHER, twin, empty], wanted=WANTED, baseline="other", at=AT)
    assert [each.name for each in found.candidates] == ["other", "other-cccccccc"]


@pytest.mark.parametrize("wanted", [[], [Wanted("accuracy", "acc", "ratio")]])
def test_runs_without_any_estimate_are_refused(wanted):
    with pytest.raises(Invalid, check=has_code("no_metrics")):
        candidates_of([OTHER, {**OTHER, "document": VARIANTS}], wanted=wanted, baseline=None, at=AT)


def imported(*arguments):
    return CliRunner().invoke(app, ["import-runs", *map(str, arguments)], env={"MLFLOW_TRACKING_URI": ""})


def test_what_was_logged_comes_back_through_the_command(tmp_path):
    uri, file = f"file://{tmp_path / 'store'}", tmp_path / "candidates.json"
    MlflowTracker(uri, "cnn").log(record_of(PROFILE, name="cnn"))
    done = imported("--uri", uri, "--experiment", "cnn", "--json", file)
    assert (done.exit_code, done.stdout) == (0, f"{file}: 1 candidates, baseline cnn\n")
    (candidate,) = candidates_from(json.loads(file.read_text())).candidates
    assert candidate.metrics["latency_p95_ms"].upper == 1.6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--json", "x.json"], "Give the MLflow tracking server"),
        (["--json", "x.json", "--uri", "file:///nowhere", "--metric", "="], "is not a metric"),
    ],
)
def test_the_command_says_what_is_wrong(options, words):
    done = imported(*options)
    assert done.exit_code == 2
    assert words in done.stderr
