"""`datasets/`."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from benchmarking.runs.models import Dataset
from tests.factories.models import make_dataset, npz_bytes
from tests.factories.snapshots import snapshot

Api = Callable[[User | None], APIClient]
URL = "/api/v1/datasets/"
REASON = "The rows were held back."


def form(content: bytes | None = None) -> dict[str, Any]:
    return {
        "name": "held-out",
        "license": "internal",
        "file": SimpleUploadedFile("test.npz", npz_bytes() if content is None else content),
    }


def test_data_is_kept_once(api: Api, author: User) -> None:
    client = api(author)
    first, second = client.post(URL, form()), client.post(URL, form())
    dataset = Dataset.objects.get()
    assert (first.status_code, second.status_code) == (201, 201)
    expected = {
        "id": dataset.pk,
        "name": "held-out",
        "version": 1,
        "team": "search",
        "license": "internal",
        "purpose": "acceptance",
        "status": "proposed",
        "digest": "sha256:" + hashlib.sha256(npz_bytes()).hexdigest(),
        "rows": 32,
        "size_bytes": len(npz_bytes()),
        "task": "classes",
        "class_balance": dataset.class_balance,
        "registered_by": "author",
        "registered_at": dataset.registered_at.isoformat().replace("+00:00", "Z"),
        "governed_by": None,
        "governed_at": None,
        "retired_at": None,
    }
    assert first.json() == second.json() == expected
    assert client.get(URL).json() == {"count": 1, "next": None, "previous": None, "results": [expected]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (form(b"no archive"), "file"),
        ({"name": "held-out", "license": "internal"}, "file"),
        (form() | {"name": " "}, "name"),
        (form() | {"rows": "10"}, "rows"),
        (form() | {"class_balance": "{}"}, "class_balance"),
        (form() | {"purpose": "training"}, "purpose"),
        ({name: value for name, value in form().items() if name != "license"}, "license"),
    ],
)
def test_bad_input_is_named_by_its_field(api: Api, author: User, fields: dict[str, Any], field: str) -> None:
    before = snapshot()
    response = api(author).post(URL, fields)
    assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (400, [field])
    assert snapshot() == before


@pytest.mark.parametrize("person", ["reviewer_one", "auditor", "admin"])
def test_only_requesters_and_data_stewards_register_data(api: Api, cast: Any, person: str) -> None:
    before = snapshot()
    response = api(getattr(cast, person)).post(URL, form() | {"team": "search"})
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
    assert snapshot() == before


def test_a_stranger_sees_no_data_of_the_team(api: Api, cast: Any, now: datetime) -> None:
    row = make_dataset(by=cast.author, now=now, is_governed=False)
    assert api(cast.outsider).get(f"{URL}{row.pk}/").status_code == 404
    for step in ("propose", "retire"):
        assert api(cast.outsider).post(f"{URL}{row.pk}/{step}/", {"reason": REASON}, format="json").status_code == 404
    counts = {who: api(getattr(cast, who)).get(URL).json()["count"] for who in ("author", "auditor", "outsider")}
    assert counts == {"author": 1, "auditor": 1, "outsider": 0}
    assert api(cast.author).get(URL, {"pages": 1}).status_code == 400


def test_a_set_is_governed_and_retired_over_the_api(api: Api, cast: Any, now: datetime) -> None:
    row = api(cast.author).post(URL, form()).json()
    address = f"{URL}{row['id']}/"
    change = api(cast.author).post(f"{address}propose/", {"reason": REASON}, format="json")
    assert (change.status_code, change.json()["kind"], change.json()["details"]["rows"]) == (201, "dataset", 32)
    assert api(cast.author).post(f"/api/v1/changes/{change.json()['id']}/confirm/").status_code == 403
    confirmed = api(cast.steward).post(f"/api/v1/changes/{change.json()['id']}/confirm/")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "confirmed")
    governed = api(cast.outsider).get(address).json()
    assert (governed["status"], governed["governed_by"]) == ("governed", "steward")
    assert api(cast.outsider).get(URL, {"status": "governed"}).json()["count"] == 1
    assert api(cast.author).post(f"{address}retire/", {"reason": REASON}, format="json").status_code == 403
    retired = api(cast.steward).post(f"{address}retire/", {"reason": REASON}, format="json")
    assert (retired.status_code, retired.json()["status"]) == (200, "retired")


@pytest.mark.parametrize("item_count", [1, 3])
def test_the_list_asks_the_database_as_often_for_three(
    api: Api, author: User, now: datetime, item_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for seed in range(item_count):
        make_dataset(by=author, seed=seed, now=now)
    client = api(author)
    client.get(URL)
    with django_assert_num_queries(4):
        assert len(client.get(URL).json()["results"]) == item_count
