"""`weighbridge request from-mlflow`: a stand-in of MLflow's REST API, honest and otherwise."""

import copy
import hashlib
import json

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.client.drafts.test_filing import API, REF, ROW
from weighbridge.client.integrations.mlflow.registered import uri_of, wanted_metrics
from weighbridge.client.integrations.mlflow.rest import ENTRIES_MAX, RegistryEntry
from weighbridge.core.errors import Invalid

CONTENT = b"the bytes of a model"
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
MLFLOW = "/base/api/2.0/mlflow/"
FILE = "/base/api/2.0/mlflow-artifacts/artifacts/1/run7/artifacts/model/model.onnx"
VERSION = {
    "name": "visual search",
    "version": "7",
    "run_id": "run7",
    "source": "runs:/run7/model",
    "tags": [{"key": "base_model", "value": "resnet50@1\n"}, {"key": "weighbridge.digest", "value": "sha256:f"}],
}
RUN = {
    "info": {"run_id": "run7"},
    "data": {
        "metrics": [
            {"key": "training_gpu_hours", "value": 320.5, "timestamp": 1, "step": 3},
            {"key": "p95", "value": 12, "timestamp": 1, "step": 0},
            {"key": "loss", "value": "NaN", "timestamp": 1, "step": 0},
            {"key": "total_cost_1y_usd", "value": 8000, "timestamp": 1, "step": 0},
            {"key": "latency_p50_ms", "value": True},
            {"key": "latency_p99_ms", "value": 1e300},
        ],
        "tags": [{"key": "mlflow.source.git.commit", "value": "abc"}, {"key": "base_model", "value": "older"}],
    },
    "inputs": {"dataset_inputs": [{"dataset": {"name": "photos", "digest": "d1"}}, {}]},
}
REQUEST = """
title: Visual search
purpose: Search
environment: prod
business_case: Raises conversion.
model: {team: search, slug: visual-search, name: Visual search, tier: T1, task: other, owner: ada, file: none.onnx}
metric_values:
  - {name: total_cost_1y_usd, value: 9000, basis: estimated, source: list prices}
submit: true
"""


@pytest.fixture
def world(desk, tmp_path, monkeypatch):
    """One address is MLflow and the server at once."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "request.yaml").write_text(REQUEST)
    row = {**ROW, "digest": DIGEST, "team": "search"}
    desk.answers.update(
        {
            ("GET", f"{MLFLOW}model-versions/get"): (200, {"model_version": copy.deepcopy(VERSION)}),
            ("GET", f"{MLFLOW}model-versions/get-download-uri"): (
                200,
                {"artifact_uri": "mlflow-artifacts:/1/run7/artifacts/model"},
            ),
            ("GET", f"{MLFLOW}runs/get"): (200, {"run": copy.deepcopy(RUN)}),
            ("GET", FILE): (200, CONTENT),
            ("POST", f"{API}models/"): (201, {"digest": DIGEST}),
            ("GET", f"{API}requests/"): (200, {"results": []}),
            ("POST", f"{API}requests/"): (201, row),
            ("POST", f"{API}requests/{REF}/edit/"): (200, row),
            ("GET", f"{API}gate/"): (200, {"answer": "deny", "standing": "unknown", "reasons": []}),
        }
    )
    return desk


def draft(desk, *more, model="visual search", version="7", env=None):
    known = {"WEIGHBRIDGE_URL": desk.server.url, "WEIGHBRIDGE_TOKEN": "t0ken", "MLFLOW_TRACKING_URI": desk.server.url}
    arguments = ("request", "from-mlflow", model, version, "--request", "request.yaml", *more)
    return weighbridge(*arguments, env={**known, **(env or {})})


def sent(desk, path=f"{API}requests/"):
    return json.loads(next(body for method, asked, _, body in desk.asked if (method, asked) == ("POST", path)))


def test_a_version_becomes_a_draft(world):
    done = draft(world)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == REF
    form = next(body for method, path, _, body in world.asked if path == f"{API}models/").decode()
    assert DIGEST in form
    assert f"mlflow://{world.server.url.split('/')[2]}/models/visual%20search/7/model.onnx" in form
    review = sent(world)
    source = "MLflow, run run7 of version 7 of visual search"
    assert review["metric_values"] == [
        {"name": "total_cost_1y_usd", "value": "9000", "basis": "estimated", "source": "list prices"},
        {"name": "training_gpu_hours", "value": "320.5", "basis": "declared", "source": source},
    ]
    assert review["business_case"] == (
        "Raises conversion.\n\nMLflow states for version 7 of visual search: base_model: resnet50@1; "
        "mlflow.source.git.commit: abc; trained_on: photos (d1); trained_on:  ()."
    )
    assert not any(path.endswith("/submit/") for _, path, _, _ in world.asked), "a person submits"


def test_a_second_call_updates_the_draft(world):
    world.answers["GET", f"{API}requests/"] = (200, {"results": [{**ROW, "digest": DIGEST, "team": "search"}]})
    assert draft(world).exit_code == 0
    assert sent(world, f"{API}requests/{REF}/edit/")["title"] == "Visual search"


def test_a_metric_of_another_name_is_taken_where_it_is_asked_for(world):
    assert draft(world, "--metric", "latency_p95_ms=p95").exit_code == 0
    assert {"latency_p95_ms": "12"}.items() <= {
        row["name"]: row["value"] for row in sent(world)["metric_values"]
    }.items()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--metric", "p95"), "is not METRIC=KEY"),
        (("--metric", "latency_p95_ms=gone"), "MLflow has no value 'gone' of this version; it has: p95, total_cost"),
        (("--metric", "latency_p99_ms=loss"), "MLflow has no value 'loss'"),
        (("--path", "../model.onnx"), "is not the path of a file inside"),
        (("--path", "a\\b"), "is not the path of a file inside"),
    ],
)
def test_what_mlflow_does_not_have_is_named(world, more, words):
    done = draft(world, *more)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not any(method == "POST" for method, _, _, _ in world.asked)


@pytest.mark.parametrize(("model", "version"), [("a/b", "1"), ("a", "latest"), ("", "1"), ("a", ""), ("a\n", "1")])
def test_other_names_are_no_registered_version(world, model, version):
    done = draft(world, model=model, version=version)
    assert (done.exit_code, "do not name a registered version" in done.stderr) == (2, True)
    assert world.asked == []


@pytest.mark.parametrize(
    ("place", "answer", "words"),
    [
        ("model-versions/get", (404, {"message": "RESOURCE_DOES_NOT_EXIST"}), "refused (404)"),
        ("model-versions/get", (200, {"models": []}), "may not be that of an MLflow server"),
        ("model-versions/get", (200, b"<html>"), "did not answer with a JSON object"),
        ("model-versions/get", (200, {"model_version": {**VERSION, "version": "8"}}), "another version than 7"),
        ("model-versions/get", None, "does not answer"),
        ("runs/get", (200, {"run": 3}), "has no run"),
        (
            "runs/get",
            (200, {"run": {"data": {"tags": [{"key": "k", "value": "v"}] * (ENTRIES_MAX + 1)}}}),
            "more than 5,000",
        ),
    ],
)
def test_a_bad_answer_is_a_clear_error(world, place, answer, words):
    world.answers["GET", MLFLOW + place] = answer
    done = draft(world)
    assert done.exit_code in (1, 2)
    assert words in done.stderr
    assert not any(method == "POST" for method, _, _, _ in world.asked)


@pytest.mark.parametrize(
    ("answer", "words"),
    [((404, {}), "MLflow does not serve model.onnx (404)"), (None, "does not send model.onnx")],
)
def test_a_file_that_does_not_come(world, answer, words):
    world.answers["GET", FILE] = answer
    done = draft(world)
    assert (done.exit_code, words in done.stderr) == (2, True)


def test_a_file_that_is_cut_off(world, monkeypatch):
    import http.client

    monkeypatch.setattr(http.client.HTTPResponse, "read", _short(http.client.HTTPResponse.read))
    done = draft(world)
    assert (done.exit_code, "was cut off after 4 bytes" in done.stderr) == (2, True)


def _short(read):
    def shortened(answer, amount=None):
        content = read(answer, amount)
        if content == CONTENT:
            answer.length = 7
            return content[:4]
        return content

    return shortened


def test_files_that_mlflow_does_not_serve_need_a_digest(world):
    world.answers["GET", f"{MLFLOW}model-versions/get-download-uri"] = (200, {})
    done = draft(world)
    assert done.exit_code == 2
    assert "lie at 'runs:/run7/model', which MLflow does not serve. Give their digest with --sha256" in done.stderr
    assert draft(world, "--sha256", DIGEST).exit_code == 0


def test_a_version_without_a_run_has_no_metrics(world):
    bare = {name: value for name, value in VERSION.items() if name not in ("run_id", "tags")}
    world.answers["GET", f"{MLFLOW}model-versions/get"] = (200, {"model_version": bare})
    assert draft(world).exit_code == 0
    assert [row["name"] for row in sent(world)["metric_values"]] == ["total_cost_1y_usd"]
    assert sent(world)["business_case"] == "Raises conversion."


def test_the_token_of_mlflow_goes_to_mlflow_alone(world):
    assert draft(world, env={"MLFLOW_TRACKING_TOKEN": "s3cret"}).exit_code == 0
    said = {path.partition("?")[0]: headers.get("Authorization") for _, path, headers, _ in world.asked}
    assert said[FILE] == said[f"{MLFLOW}runs/get"] == "Bearer s3cret"
    assert said[f"{API}requests/"] == "Token t0ken"
    world.asked.clear()
    assert draft(world).exit_code == 0
    assert next(headers for _, path, headers, _ in world.asked if path == FILE).get("Authorization") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("[]", "must be a review request"), ("model: 3", "must be a review request"), (REQUEST + "x: 1", "x is unknown")],
)
def test_a_wrong_request_file_is_named(world, text, words):
    (path := __import__("pathlib").Path("request.yaml")).write_text(text)
    done = draft(world)
    assert (done.exit_code, words in done.stderr) == (2, True), (path, done.stderr)


def test_wrong_metric_values_of_the_file_are_named(world, tmp_path):
    (tmp_path / "request.yaml").write_text(REQUEST.partition("metric_values")[0] + "metric_values: {a: 1}\n")
    assert "metric_values must be a list" in draft(world).stderr


def test_without_a_tracking_server_the_command_says_so(world):
    done = draft(world, env={"MLFLOW_TRACKING_URI": ""})
    assert (done.exit_code, "MLFLOW_TRACKING_URI" in done.stderr) == (2, True)


def test_plain_http_to_another_machine_is_refused(world):
    done = draft(world, env={"MLFLOW_TRACKING_URI": "http://mlflow.example.com"})
    assert (done.exit_code, "use https" in done.stderr) == (2, True)


def test_the_address_names_the_version_without_secrets():
    entry = RegistryEntry("a b", "1", "", "", {}, {}, ())
    assert uri_of("https://user:pw@mlflow.test", entry, path="m/x y.onnx") == (
        "mlflow://mlflow.test/models/a%20b/1/m/x%20y.onnx"
    )
    assert uri_of("", entry, path="m.onnx") == "mlflow://registry/models/a%20b/1/m.onnx"
    with pytest.raises(Invalid):
        wanted_metrics(["=x"])
