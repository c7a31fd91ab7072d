"""The MLflow registry: an alias only for bytes that the feed allows, whatever a tag claims; drafts for new versions."""

import hashlib

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.client.feed.feeds import DAY, ENTRIES, HOUR, NOW, entry, written
from weighbridge.client.trackers.mlflow import mlflow_client

CONTENT = b"the bytes of a model"
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
REQUEST = """
title: Visual search
purpose: Find products
environment: prod
business_case: Raises conversion.
model: {team: search, slug: visual-search, name: Search, tier: T1, task: ranking, owner: ada, uri: "x:y", sha256: ab}
submit: true
"""


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry with one version, which claims to be another artifact."""
    monkeypatch.setattr("time.time", NOW.timestamp)
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.onnx").write_bytes(CONTENT)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path / 'store'}")
    client = mlflow_client(f"file://{tmp_path / 'store'}")
    client.create_registered_model("search")
    client.create_model_version("search", f"file://{source}", tags={"weighbridge.digest": ENTRIES[2].digest})
    return client


def promote(folder, *more, model="models:/search/1", feed="feed.json"):
    keys = ("--feed", folder / feed, "--public-key", folder / "key.pem")
    uri = ("--uri", f"file://{folder / 'store'}")
    return weighbridge("feed", "mlflow-promote", model, "--alias", "champion", "--env", "prod", *keys, *uri, *more)


def state(client):
    version = client.get_model_version("search", "1")
    return dict(client.get_registered_model("search").aliases), dict(version.tags)


def test_an_alias_is_set_with_tags_if_the_feed_allows_the_bytes(registry, tmp_path):
    written(tmp_path, (*ENTRIES, entry(7, DIGEST, "authorized", until=NOW + DAY)))
    done = promote(tmp_path)
    assert (done.exit_code, done.stdout.partition(":")[0]) == (0, "allowed until 2026-11-02T00")
    tags = {"weighbridge.digest": DIGEST, "weighbridge.prod": "allowed until 2026-11-02T00:00:00Z"}
    assert state(registry) == ({"champion": "1"}, tags)


@pytest.mark.parametrize(("more", "code"), [((), 1), (("--max-age", 60), 2)])
def test_no_alias_and_no_tag_without_leave(registry, tmp_path, more, code):
    issued_at = NOW if code == 1 else NOW - HOUR / 2
    written(tmp_path, issued_at=issued_at)
    before = state(registry)
    assert promote(tmp_path, *more).exit_code == code
    assert state(registry) == before


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("search/1", ()),
        ("models:/search/latest", ()),
        ("models:/search/9", ()),
        ("models:/none/1", ()),
        ("models:/search/1", ("--path", "none.onnx")),
        ("models:/search/1", ("--path", "../key.pem")),
    ],
)
def test_what_is_not_in_the_registry_cannot_tell(registry, tmp_path, model, more):
    written(tmp_path, (*ENTRIES, entry(7, DIGEST, "authorized", until=NOW + DAY)))
    before = state(registry)
    done = promote(tmp_path, *more, model=model)
    assert (done.exit_code, done.stderr.startswith("weighbridge: ")) == (2, True)
    assert state(registry) == before


def draft(folder, desk, text=REQUEST):
    (folder / "request.yaml").write_text(text)
    server = {"WEIGHBRIDGE_URL": desk.server.url, "WEIGHBRIDGE_TOKEN": "t"}
    arguments = ("models:/search/1", "--request", folder / "request.yaml", "--uri", f"file://{folder / 'store'}")
    return weighbridge("feed", "mlflow-draft", *arguments, env=server)


def test_a_new_version_drafts_a_request_once(registry, tmp_path, desk):
    desk.answers["POST", "/base/api/v1/models/"] = (201, {"digest": DIGEST})
    desk.answers["POST", "/base/api/v1/requests/"] = (201, {"ref": "MRR-2026-0001"})
    for _ in range(2):
        done = draft(tmp_path, desk)
        assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "MRR-2026-0001"), done.stderr
    keys = [headers["Idempotency-Key"] for _, _, headers, _ in desk.asked]
    assert (len(keys), keys[:2]) == (4, keys[2:])
    assert CONTENT in desk.asked[0][3]
    assert b'name="version"\r\n\r\n1\r\n' in desk.asked[0][3]
    assert b'name="uri"' not in desk.asked[0][3]


@pytest.mark.parametrize("text", ["", "[]", "model: 5", "a: [", "title: x\nmodel: {team: search}"])
def test_a_draft_without_its_fields_is_refused(registry, tmp_path, desk, text):
    done = draft(tmp_path, desk, text)
    assert (done.exit_code, desk.asked) == (2, [])
