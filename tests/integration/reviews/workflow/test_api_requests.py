"""`reviews/`: filing, listing, reading."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from benchmarking.runs.models import Dataset
from governance.inventory.models import ModelVersion
from reviews.requests.models import ReviewRequest
from tests.factories.models import make_dataset, make_version
from tests.factories.people import OTHER_TEAM
from tests.factories.requests import make_draft, make_submitted
from tests.factories.snapshots import snapshot

Api = Callable[[User | None], APIClient]
URL = "/api/v1/requests/"
METRIC = {"name": "training_gpu_hours", "value": "320", "basis": "declared", "source": "training log"}


@pytest.fixture
def dataset(author: User, now: datetime) -> Dataset:
    return make_dataset(by=author, now=now)


@pytest.fixture
def fields(version: ModelVersion, dataset: Dataset) -> dict[str, Any]:
    """A request as a program sends it."""
    return {
        "title": "Visual search",
        "purpose": "Find products",
        "environment": "prod",
        "business_case": "Raises conversion.",
        "model_version": version.digest,
        "dataset": dataset.digest,
        "metric_values": [METRIC],
    }


def test_a_request_is_filed_as_a_draft_with_its_metric_values(
    api: Api, author: User, fields: dict[str, Any], version: ModelVersion
) -> None:
    response = api(author).post(URL, fields, format="json")
    row = ReviewRequest.objects.get()
    said = response.json()
    assert (response.status_code, said["ref"], said["state"]) == (201, row.ref, "draft")
    assert said["html_url"] == f"https://weighbridge.test/requests/{row.ref}/"
    assert {name: said[name] for name in ("title", "purpose", "environment", "business_case", "team", "outcome")} == {
        "title": "Visual search",
        "purpose": "Find products",
        "environment": "prod",
        "business_case": "Raises conversion.",
        "team": "search",
        "outcome": "",
    }
    assert said["requester"] == said["owner"] == {"name": "Author", "username": "author"}
    assert said["model"]["digest"] == version.digest
    metric_value = row.metric_records.get()
    stated_at = metric_value.observed_at.isoformat().replace("+00:00", "Z")
    assert said["metric_values"][0]["best"] == {
        "id": str(metric_value.pk),
        "name": "training_gpu_hours",
        "value": "320",
        "unit": "gpu_h",
        "basis": "declared",
        "lower": None,
        "upper": None,
        "confidence": None,
        "n": None,
        "source": "training log",
        "observed_at": stated_at,
        "valid_until": None,
        "p80": None,
    }
    assert said["allowed_steps"]["submit"] == {"is_allowed": True, "why_not": ""}
    assert not said["allowed_steps"]["vote"]["is_allowed"]
    empty = ("policy", "policy_evaluation", "ticket", "decision", "authorization", "submitted_at")
    assert [said[name] for name in empty] == [None] * len(empty)
    assert said == api(author).get(f"{URL}{row.ref}/").json()


def test_a_model_may_be_named_by_its_id(api: Api, author: User, fields: dict[str, Any], version: ModelVersion) -> None:
    response = api(author).post(URL, fields | {"model_version": version.pk, "dataset": None}, format="json")
    assert (response.status_code, response.json()["dataset"]) == (201, None)
    assert response.json()["model"]["version_id"] == version.pk


def test_of_one_artifact_in_two_teams_the_own_is_meant(
    api: Api, outsider: User, fields: dict[str, Any], now: datetime, author: User
) -> None:
    own = make_version(by=outsider, team=OTHER_TEAM, now=now)
    response = api(outsider).post(URL, fields, format="json")
    assert (response.status_code, response.json()["model"]["version_id"]) == (201, own.pk)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 161}, "title"),
        ({"environment": "production"}, "environment"),
        ({"model_version": "sha256:" + "0" * 64}, "model_version"),
        ({"model_version": "9" * 18}, "model_version"),
        ({"dataset": "sha256:" + "0" * 64}, "dataset"),
        ({"busines_case": "x"}, "busines_case"),
        ({"purpose": "a\x00b"}, "purpose"),
        ({"metric_values": "none"}, "metric_values.non_field_errors"),
        ({"metric_values": [METRIC | {"valu": 3}]}, "metric_values[0].valu"),
        ({"metric_values": [METRIC | {"name": "speed"}]}, "metric_values[0].name"),
        ({"metric_values": [METRIC | {"value": "much"}]}, "metric_values[0].value"),
        ({"metric_values": [METRIC | {"value": "1e400"}]}, "metric_values[0].value"),
        ({"metric_values": [METRIC, METRIC | {"value": "-1"}]}, "metric_values[1].value"),
        ({"metric_values": [METRIC, METRIC | {"unit": "days"}]}, "metric_values[1].unit"),
        ({"metric_values": [METRIC | {"basis": "measured"}]}, "metric_values[0].basis"),
    ],
)
def test_bad_input_is_named_by_its_field_and_files_nothing(
    api: Api, author: User, fields: dict[str, Any], changes: dict[str, Any], field: str
) -> None:
    before = snapshot()
    response = api(author).post(URL, fields | changes, format="json")
    assert response.status_code in {400, 403}
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert snapshot() == before


def test_a_number_without_end_is_refused(api: Api, author: User, fields: dict[str, Any]) -> None:
    body = json.dumps(fields).replace('"320"', "1e400")
    response = api(author).post(URL, body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    assert "the number 1e400 is too large" in response.json()["detail"]


def test_a_second_open_request_for_the_same_is_refused(api: Api, author: User, fields: dict[str, Any]) -> None:
    client = api(author)
    client.post(URL, fields, format="json")
    before = snapshot()
    response = client.post(URL, fields, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "already_open")
    assert snapshot() == before


def test_who_may_not_file(api: Api, cast: Any, fields: dict[str, Any]) -> None:
    before = snapshot()
    refusals = {
        who: api(getattr(cast, who)).post(URL, fields, format="json").status_code
        for who in ("outsider", "reviewer_one", "admin")
    }
    assert refusals == {"outsider": 400, "reviewer_one": 403, "admin": 403}
    assert snapshot() == before


def test_the_list(api: Api, author: User, draft: ReviewRequest) -> None:
    assert api(author).get(URL).json() == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "ref": draft.ref,
                "title": "Visual search, autumn model",
                "state": "draft",
                "team": "search",
                "requester": "author",
                "owner": "author",
                "model": "Visual search",
                "version": "1.0.0",
                "digest": draft.model_version.digest,
                "purpose": "Find products from a photograph",
                "environment": "prod",
                "revision": 1,
                "created_at": draft.created_at.isoformat().replace("+00:00", "Z"),
                "submitted_at": None,
                "deadline_at": None,
                "html_url": f"https://weighbridge.test/requests/{draft.ref}/",
            }
        ],
    }


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"q": "autumn"}, 1),
        ({"q": "spring"}, 0),
        ({"state": "draft"}, 1),
        ({"state": "decided"}, 0),
        ({"team": "search"}, 1),
        ({"team": "ads"}, 0),
        ({"environment": "dev"}, 0),
        ({"mine": "true"}, 1),
        ({"page": "1"}, 1),
        ({}, 1),
    ],
)
def test_the_list_is_narrowed(api: Api, author: User, draft: ReviewRequest, query: dict[str, str], count: int) -> None:
    assert api(author).get(URL, query).json()["count"] == count


def test_mine_are_not_those_of_others(api: Api, reviewer_one: User, draft: ReviewRequest) -> None:
    client = api(reviewer_one)
    assert (client.get(URL).json()["count"], client.get(URL, {"mine": "true"}).json()["count"]) == (1, 0)


@pytest.mark.parametrize("query", [{"state": "open"}, {"environment": "production"}, {"format": "pdf"}, {"page": "0"}])
def test_a_filter_that_is_not_understood_is_refused(api: Api, author: User, query: dict[str, str]) -> None:
    response = api(author).get(URL, query)
    assert response.status_code in {400, 404}
    assert "results" not in response.json()


STEPS = [
    ("get", ""),
    ("post", "submit/"),
    ("get", "metric-values/"),
    ("post", "metric-values/"),
    ("get", "checklist/"),
    ("put", "checklist/data-sheet/"),
    ("post", "checklist/data-sheet/"),
    ("post", "contradictions/accuracy/"),
    ("post", "runs/"),
    ("post", "waivers/"),
    ("post", "review/"),
    ("get", "votes/"),
    ("post", "votes/"),
    ("post", "revise/"),
    ("post", "withdraw/"),
    ("get", "packets/"),
    ("post", "packets/"),
    ("get", "packets/pdf/"),
    ("post", "packets/retry/"),
    ("post", "authorization/revoke/"),
    ("post", "conditions/1/confirm/"),
]


def test_a_stranger_is_told_that_there_is_nothing(api: Api, outsider: User, submitted: ReviewRequest) -> None:
    client, before = api(outsider), snapshot()
    detail = f"There is no request {submitted.ref} that you can see."
    for method, step in STEPS:
        response = getattr(client, method)(f"{URL}{submitted.ref}/{step}")
        assert (method, step, response.status_code, response.json()["detail"]) == (method, step, 404, detail)
    assert snapshot() == before


def test_nobody_gets_anything_without_a_token(api: Api, submitted: ReviewRequest) -> None:
    client, before = api(None), snapshot()
    statuses = {
        (method, step): getattr(client, method)(f"{URL}{submitted.ref}/{step}").status_code for method, step in STEPS
    }
    assert statuses == dict.fromkeys(STEPS, 401)
    assert snapshot() == before


@pytest.mark.parametrize("item_count", [1, 3])
def test_the_list_asks_the_database_as_often_for_three(
    api: Api, author: User, now: datetime, item_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(item_count):
        version = make_version(by=author, slug=f"model-{number}", seed=number, now=now)
        make_draft(by=author, version=version, declared={}, now=now)
    client = api(author)
    client.get(URL)
    with django_assert_num_queries(4):
        assert len(client.get(URL).json()["results"]) == item_count


@pytest.mark.parametrize("fact_count", [1, 3])
def test_a_request_asks_the_database_as_often_for_three_metric_values(
    api: Api,
    author: User,
    policy: Any,
    now: datetime,
    fact_count: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    declared = {"training_gpu_hours": "320", "training_cost_usd": "1", "accuracy": "0.9"}
    some = dict(list(declared.items())[:fact_count])
    request = make_submitted(by=author, declared=some, now=now)
    client = api(author)
    client.get(f"{URL}{request.ref}/")
    with django_assert_max_num_queries(30):
        assert (
            sum(bool(metric["best"]) for metric in client.get(f"{URL}{request.ref}/").json()["metric_values"])
            == fact_count
        )


def test_a_request_with_everything_asks_no_more(
    api: Api, rich: ReviewRequest, author: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = api(author)
    with django_assert_max_num_queries(31):
        answer = client.get(f"{URL}{rich.ref}/").json()
    assert (len(answer["runs"]), len(answer["votes"]), len(answer["budget"])) == (2, 4, 6)


def test_other_candidates_are_filed_with_it_or_nothing_is(
    api: Api, author: User, fields: dict[str, Any], now: datetime
) -> None:
    rival = make_version(by=author, now=now, version="2.0.0", seed=5)
    refused = api(author).post(URL, {**fields, "rivals": ["sha256:" + "0" * 64]}, format="json")
    assert (refused.status_code, ReviewRequest.objects.count()) == (400, 0)
    assert "There is no model version" in json.dumps(refused.json())
    response = api(author).post(URL, {**fields, "rivals": [rival.digest]}, format="json")
    assert [each["digest"] for each in response.json()["rivals"]] == [rival.digest]
    assert list(ReviewRequest.objects.get().rivals.all()) == [rival]
