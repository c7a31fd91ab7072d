"""`models/`."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from governance.inventory.models import ModelAsset, ModelVersion
from tests.factories.models import make_version, onnx_bytes
from tests.factories.snapshots import snapshot

Api = Callable[[User | None], APIClient]
FIELDS = {
    "team": "search",
    "slug": "visual-search",
    "name": "Visual search",
    "version": "1.0.0",
    "tier": "T1",
    "task": "classification",
    "owner": "author",
}
DIGEST = "sha256:" + hashlib.sha256(onnx_bytes()).hexdigest()


def form(**changes: Any) -> dict[str, Any]:
    return FIELDS | {"file": SimpleUploadedFile("model.onnx", onnx_bytes())} | changes


def test_a_file_is_registered(api: Api, author: User) -> None:
    response = api(author).post("/api/v1/models/", form())
    version = ModelVersion.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": version.pk,
        **{name: FIELDS[name] for name in ("team", "slug", "name", "version", "tier", "task", "owner")},
        "kind": "file",
        "digest": DIGEST,
        "format": "onnx",
        "document": {},
        "ends_on": None,
        "lineage": [],
        "size_bytes": len(onnx_bytes()),
        "uri": "",
        "registered_at": version.registered_at.isoformat().replace("+00:00", "Z"),
    }


def test_the_same_file_again_is_the_same_version(api: Api, author: User) -> None:
    first, second = (api(author).post("/api/v1/models/", form()).json() for _ in range(2))
    assert first == second
    assert ModelVersion.objects.count() == 1


@pytest.mark.parametrize("prefix", ["", "sha256:"])
def test_a_model_elsewhere_is_named_by_uri_and_digest(api: Api, author: User, prefix: str) -> None:
    fields = FIELDS | {"uri": "s3://models/a.onnx", "sha256": prefix + "b" * 64}
    response = api(author).post("/api/v1/models/", fields)
    assert response.status_code == 201
    said = response.json()
    assert (said["uri"], said["digest"], said["size_bytes"]) == ("s3://models/a.onnx", "sha256:" + "b" * 64, None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tier": "high"}, "tier"),
        ({"owner": "nobody"}, "owner"),
        ({"slug": "not a slug"}, "slug"),
        ({"uri": "s3://models/a.onnx"}, "file"),
        ({"color": "red"}, "color"),
        ({"file": SimpleUploadedFile("model.onnx", b"")}, "file"),
    ],
)
def test_bad_input_is_named_by_its_field(api: Api, author: User, changes: dict[str, Any], field: str) -> None:
    before = snapshot()
    response = api(author).post("/api/v1/models/", form(**changes))
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert snapshot() == before


@pytest.mark.parametrize("named", [{"uri": "s3://models/a.onnx"}, {"sha256": "b" * 64}, {}])
def test_half_a_reference_is_refused(api: Api, author: User, named: dict[str, str]) -> None:
    before = snapshot()
    response = api(author).post("/api/v1/models/", FIELDS | named)
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {
            "field": "file",
            "detail": "Send either a file, or uri and sha256 of one that lies elsewhere, or a subject of another kind.",
        }
    ]
    assert snapshot() == before


def test_a_pickle_is_refused_with_the_reason(api: Api, author: User) -> None:
    response = api(author).post("/api/v1/models/", form(file=SimpleUploadedFile("model.pkl", b"\x80\x04.")))
    assert response.status_code == 400
    assert "pickle" in response.json()["detail"].lower()
    assert ModelVersion.objects.count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"file": SimpleUploadedFile("model.pkl", b"\x80\x04.")},
        {"file": SimpleUploadedFile("model.onnx", b"")},
        {"file": SimpleUploadedFile("model.onnx", b"no model")},
        {"file": None, "uri": "s3://b/m.pkl", "sha256": "a" * 64},
    ],
)
def test_a_refused_version_leaves_no_model_behind(api: Api, author: User, changes: dict[str, Any]) -> None:
    client, before = api(author), snapshot()
    fields = {name: value for name, value in form(**changes).items() if value is not None}
    assert client.post("/api/v1/models/", fields).status_code == 400
    assert snapshot() == before


def test_a_version_that_is_taken_changes_nothing_of_its_model(api: Api, author: User) -> None:
    client = api(author)
    assert client.post("/api/v1/models/", form()).status_code == 201
    named = ModelAsset.objects.values().get()
    again = form(name="Another name", file=SimpleUploadedFile("model.onnx", onnx_bytes(seed=4)))
    response = client.post("/api/v1/models/", again)
    assert (response.status_code, response.json()["code"]) == (400, "version_taken")
    assert ModelAsset.objects.values().get() == named


def test_a_stranger_registers_nothing_for_the_team(api: Api, outsider: User, reviewer_one: User) -> None:
    before = snapshot()
    for person in (outsider, reviewer_one):
        assert api(person).post("/api/v1/models/", form()).status_code == 403
    assert snapshot() == before


def test_the_list_shows_the_latest_version(api: Api, author: User, reviewer_one: User, now: datetime) -> None:
    make_version(by=author, now=now)
    latest = make_version(by=author, version="1.1.0", seed=1, now=now)
    expected = {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "team": "search",
                "slug": "visual-search",
                "name": "Visual search",
                "tier": "T1",
                "task": "classification",
                "owner": "author",
                "version_count": 2,
                "latest_version": "1.1.0",
                "latest_digest": latest.digest,
                "latest_at": now.isoformat().replace("+00:00", "Z"),
            }
        ],
    }
    for person in (author, reviewer_one):
        assert api(person).get("/api/v1/models/").json() == expected
    assert api(author).get("/api/v1/models/", {"tier": "T2"}).json()["count"] == 0
    assert api(author).get("/api/v1/models/", {"q": latest.digest, "team": "search"}).json()["count"] == 1


def test_a_stranger_sees_no_model_of_the_team(api: Api, author: User, outsider: User, now: datetime) -> None:
    make_version(by=author, now=now)
    assert api(outsider).get("/api/v1/models/").json()["results"] == []


@pytest.mark.parametrize("query", [{"tier": "high"}, {"teem": "search"}, {"q": "\x00"}])
def test_a_filter_that_is_not_understood_is_refused(api: Api, author: User, query: dict[str, str]) -> None:
    response = api(author).get("/api/v1/models/", query)
    assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (400, list(query))


@pytest.mark.parametrize("item_count", [1, 3])
def test_the_list_asks_the_database_as_often_for_three(
    api: Api, author: User, now: datetime, item_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(item_count):
        make_version(by=author, slug=f"model-{number}", seed=number, now=now)
    client = api(author)
    client.get("/api/v1/models/")
    with django_assert_num_queries(4):
        assert len(client.get("/api/v1/models/").json()["results"]) == item_count
