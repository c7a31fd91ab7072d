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


def form(content: bytes | None = None) -> dict[str, Any]:
    return {"name": "held-out", "file": SimpleUploadedFile("test.npz", npz_bytes() if content is None else content)}


def test_data_is_kept_once(api: Api, author: User) -> None:
    client = api(author)
    first, second = client.post(URL, form()), client.post(URL, form())
    dataset = Dataset.objects.get()
    assert (first.status_code, second.status_code) == (201, 201)
    expected = {
        "id": dataset.pk,
        "name": "held-out",
        "digest": "sha256:" + hashlib.sha256(npz_bytes()).hexdigest(),
        "size_bytes": len(npz_bytes()),
        "registered_by": "author",
        "registered_at": dataset.registered_at.isoformat().replace("+00:00", "Z"),
    }
    assert first.json() == second.json() == expected
    assert client.get(URL).json() == {"count": 1, "next": None, "previous": None, "results": [expected]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (form(b"no archive"), "file"),
        ({"name": "held-out"}, "file"),
        (form() | {"name": " "}, "name"),
        (form() | {"rows": "10"}, "rows"),
    ],
)
def test_bad_input_is_named_by_its_field(api: Api, author: User, fields: dict[str, Any], field: str) -> None:
    before = snapshot()
    response = api(author).post(URL, fields)
    assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (400, [field])
    assert snapshot() == before


@pytest.mark.parametrize("person", ["reviewer_one", "auditor", "admin"])
def test_only_requesters_register_data(api: Api, cast: Any, person: str) -> None:
    before = snapshot()
    response = api(getattr(cast, person)).post(URL, form())
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
    assert snapshot() == before


def test_a_stranger_sees_no_data_of_the_team(api: Api, cast: Any, now: datetime) -> None:
    make_dataset(by=cast.author, now=now)
    counts = {who: api(getattr(cast, who)).get(URL).json()["count"] for who in ("author", "auditor", "outsider")}
    assert counts == {"author": 1, "auditor": 1, "outsider": 0}
    assert api(cast.author).get(URL, {"pages": 1}).status_code == 400


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
