"""`weighbridge workloads report` and `request draft`, `sync` and `from-mlflow` against a server."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from governance.audit.models import AuditEvent
from governance.people.actions import people
from governance.people.domain.scopes import TokenScope
from governance.rulebook.models import PolicyVersion
from reviews.requests.models import ReviewRequest
from reviews.workloads.models import ObservedWorkload
from tests.factories import requests as walks
from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.client.integrations.test_from_mlflow import CONTENT, DIGEST, FILE, MLFLOW, RUN, VERSION
from tests.unit.toolkit.client.workloads.test_kubernetes import pod
from tests.unit.toolkit.conftest import desk
from tests.unit.toolkit.readers.studies.files import SAMPLES

__all__ = ["desk"]
pytestmark = pytest.mark.django_db(transaction=True)
REQUEST = """
title: {title}
purpose: Find products from a photograph
environment: dev
business_case: Raises conversion.
model: {{team: search, slug: visual-search, name: Visual search, version: "7", tier: T3, task: other, owner: author,
  uri: "https://models.test/m.onnx", sha256: {digest}}}
metric_values:
  - {{name: training_gpu_hours, value: 10, basis: declared, source: log}}
submit: {submit}
"""
Env = dict[str, str]


@pytest.fixture
def env(live_server: LiveServer, now: datetime) -> Callable[..., Env]:
    def of(user: User, scope: TokenScope = TokenScope.WRITE) -> Env:
        token = people.create_token(user=user, valid_days=1, scope=scope, by=None, now=now)
        return {"WEIGHBRIDGE_URL": live_server.url, "WEIGHBRIDGE_TOKEN": token}

    return of


def test_a_cluster_is_reported_with_a_token_that_does_nothing_else(
    env: Callable[..., Env], author: User, tmp_path: Path
) -> None:
    (tmp_path / "pods.json").write_text(json.dumps({"kind": "List", "items": [pod(), pod(name="x")]}))
    place = ("--cluster", "gpu-1", "--env", "prod")
    own = env(author, TokenScope.REPORT)
    for _ in range(2):
        done = weighbridge("workloads", "report", tmp_path / "pods.json", *place, env=own)
        assert (done.exit_code, done.stdout) == (
            0,
            "1 workloads: 0 denied, 1 unknown, 0 conditional, 0 authorized\n",
        ), done.output
    (row,) = ObservedWorkload.objects.select_related("team")
    assert (row.name, row.replicas, row.team and row.team.slug) == ("ranker", 2, "search")
    (tmp_path / "r.yaml").write_text(REQUEST.format(title="T", digest="a" * 64, submit="false"))
    refused = weighbridge("request", "draft", tmp_path / "r.yaml", env=own)
    assert (refused.exit_code, "This token may only report workloads" in refused.stderr) == (1, True)


def test_a_draft_follows_its_file_until_it_is_submitted(
    env: Callable[..., Env], policy: PolicyVersion, author: User, tmp_path: Path
) -> None:
    path, comment, own = tmp_path / "request.yaml", tmp_path / "comment.md", env(author)

    def draft(title: str, *, submit: bool = False) -> list[str]:
        path.write_text(REQUEST.format(title=title, digest="a" * 64, submit=str(submit).lower()))
        done = weighbridge("request", "draft", path, "--markdown", comment, env=own)
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()

    first = draft("First")
    assert first[1].startswith("filed; it is draft: ")
    assert "Its standing is unknown." in comment.read_text()
    assert draft("Second")[1].startswith("updated; it is draft: ")
    events = AuditEvent.objects.count()
    assert draft("Second")[-1] == first[-1]
    assert AuditEvent.objects.count() == events, "the same file again leaves no event"
    assert ReviewRequest.objects.get().title == "Second"
    assert draft("Third", submit=True)[1].startswith("updated, submitted; it is ")
    assert draft("Fourth")[1].startswith("left as it is; it is ")
    assert ReviewRequest.objects.get().title == "Third"


def test_a_folder_of_requests_is_filed_once(
    env: Callable[..., Env], policy: PolicyVersion, author: User, tmp_path: Path
) -> None:
    def synced() -> list[str]:
        done = weighbridge("request", "sync", tmp_path, env=own)
        assert done.exit_code == 1, done.output
        assert "second.yaml: refused\n" in done.stderr
        return [outcome for outcome in ("created", "updated", "unchanged", "refused") if outcome in done.stdout]

    own, first = env(author), tmp_path / "first.yaml"
    first.write_text(REQUEST.format(title="First", digest="a" * 64, submit="true"))
    (tmp_path / "second.yaml").write_text("title: Second\n")
    assert synced() == ["created", "refused"]
    events = AuditEvent.objects.count()
    assert synced() == ["unchanged", "refused"]
    assert AuditEvent.objects.count() == events
    first.write_text(first.read_text().replace("First", "Third"))
    assert synced() == ["updated", "refused"]
    request = ReviewRequest.objects.get()
    assert (request.title, request.state) == ("Third", "draft")


def test_a_version_of_mlflow_is_drafted_and_updated(
    env: Callable[..., Env], author: User, tmp_path: Path, desk: object
) -> None:
    place = {"artifact_uri": "mlflow-artifacts:/1/run7/artifacts/model"}
    version = {**VERSION, "name": "search"}
    desk.answers.update(  # type: ignore[attr-defined]
        {
            ("GET", f"{MLFLOW}model-versions/get"): (200, {"model_version": version}),
            ("GET", f"{MLFLOW}model-versions/get-download-uri"): (200, place),
            ("GET", f"{MLFLOW}runs/get"): (200, {"run": RUN}),
            ("GET", FILE): (200, CONTENT),
        }
    )
    (tmp_path / "request.yaml").write_text(REQUEST.format(title="T", digest="b" * 64, submit="true"))
    own = env(author) | {"MLFLOW_TRACKING_URI": desk.server.url}  # type: ignore[attr-defined]
    arguments = ("request", "from-mlflow", "search", "7", "--request", tmp_path / "request.yaml")
    first, again = (weighbridge(*arguments, env=own) for _ in range(2))
    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    request = ReviewRequest.objects.get()
    assert (request.state, request.model_version.digest) == ("draft", DIGEST)
    assert "base_model: resnet50@1" in request.business_case
    values = request.metric_records.values_list("name", "basis", "source")
    assert set(values) == {
        ("training_gpu_hours", "declared", "log"),
        ("total_cost_1y_usd", "declared", "MLflow, run run7 of version 7 of search"),
    }
    assert len(values) == 2, "stated once"


def test_studies_are_attached_from_a_terminal(
    env: Callable[..., Env], author: User, now: datetime, tmp_path: Path
) -> None:
    request = walks.make_draft(by=author, now=now)
    own, study = env(author), str(SAMPLES / "experiment.json")
    done = weighbridge("request", "attach", request.ref, study, env=own)
    assert done.exit_code == 0, done.output
    assert "experiment.json: It is valid. With any number of looks, no difference is shown" in done.stdout
    assert "Declared: business_kpi_delta." in done.stdout
    again = weighbridge("request", "attach", request.ref, study, str(SAMPLES / "learning_curve.json"), env=own)
    assert again.exit_code == 1
    assert "refused (409): This result is on record already." in again.stdout
    assert "learning_curve.json: It is valid. With 8,000 rows, expect accuracy" in again.stdout
    missing = weighbridge("request", "attach", request.ref, study, str(tmp_path / "none.json"), env=own)
    assert (missing.exit_code, "none.json is no file. Nothing was sent." in missing.output) == (2, True)
    several = weighbridge("request", "attach", request.ref, study, "--part", "second", env=own)
    assert (several.exit_code, "name one with --part" in several.stdout) == (1, True)
    nowhere = {**own, "WEIGHBRIDGE_URL": "http://127.0.0.1:9"}
    unclear = weighbridge("request", "attach", request.ref, study, env=nowhere)
    assert (unclear.exit_code, "does not answer" in unclear.stdout) == (2, True)
    assert request.imported_files.count() == 2
