"""`policies/`."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import PolicyVersion
from tests.factories.changes import REASON
from tests.factories.policies import LEAN
from tests.factories.snapshots import snapshot

Api = Callable[[User | None], APIClient]
SOURCE = LEAN


def test_every_version_is_listed(api: Api, policy: PolicyVersion, outsider: User) -> None:
    assert policy.published_at is not None
    assert api(outsider).get("/api/v1/rulebook/policies/").json() == [
        {
            "name": "default",
            "number": 1,
            "state": "published",
            "digest": policy.digest,
            "written_by": "the installation",
            "written_at": policy.written_at.isoformat().replace("+00:00", "Z"),
            "published_by": "the installation",
            "published_at": policy.published_at.isoformat().replace("+00:00", "Z"),
        }
    ]


def test_a_version_says_its_rules(api: Api, policy: PolicyVersion, outsider: User) -> None:
    said = api(outsider).get("/api/v1/rulebook/policies/default/1/").json()
    assert said["source"] == SOURCE
    assert [stage["id"] for stage in said["stages"]] == ["technical", "gpu-budget", "finance"]
    assert next(rule for rule in said["rules"] if rule["id"] == "latency-p95-prod") == {
        "id": "latency-p95-prod",
        "metric": "latency_p95_ms",
        "statistic": "upper",
        "comparator": "at_most",
        "limit": "100",
        "unit": "ms",
        "accept": ["measured", "billed"],
        "min_n": 2000,
        "scope": {
            "kinds": ["file"],
            "formats": [],
            "tasks": [],
            "teams": [],
            "tiers": [],
            "environments": ["prod"],
        },
        "versus": None,
        "combination": "all",
        "also": [],
        "effect": "require_review",
        "level": "hard",
        "on_indeterminate": "require_review",
        "message": "In production the 95th percentile of latency must be shown to stay within 100 ms.",
    }


def test_a_version_that_is_not_there(api: Api, policy: PolicyVersion, author: User) -> None:
    response = api(author).get("/api/v1/rulebook/policies/default/2/")
    assert (response.status_code, response.json()["detail"]) == (404, "There is no version 2 of default.")


def test_a_draft_is_written_by_one_and_published_by_another(
    api: Api, policy: PolicyVersion, approver: User, admin: User
) -> None:
    written = api(approver).post(
        "/api/v1/rulebook/policies/", {"source": SOURCE.replace("limit: 200", "limit: 150")}, format="json"
    )
    assert (written.status_code, written.json()["number"], written.json()["state"]) == (201, 2, "draft")
    assert written.json()["written_by"] == "Approver"
    proposed = api(approver).post("/api/v1/rulebook/policies/default/2/propose/", {"reason": REASON}, format="json")
    assert (proposed.status_code, proposed.json()["description"]) == (201, "Publish the policy default v2")
    assert proposed.json()["state"] == "pending"
    confirmed = api(admin).post(f"/api/v1/changes/{proposed.json()['id']}/confirm/")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "confirmed")
    listed = api(admin).get("/api/v1/rulebook/policies/").json()
    assert [(row["number"], row["state"]) for row in listed] == [(2, "published"), (1, "retired")]


def test_a_fault_is_named_by_its_place(api: Api, policy: PolicyVersion, approver: User) -> None:
    before = snapshot()
    broken = SOURCE.replace("comparator: above", "comparator: roughly")
    response = api(approver).post("/api/v1/rulebook/policies/", {"source": broken}, format="json")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "rules[6].comparator"
    assert snapshot() == before


def test_who_may_not_write_or_propose(
    api: Api, policy: PolicyVersion, author: User, approver: User, now: datetime
) -> None:
    rulebook.draft_policy(source=SOURCE, by=approver, now=now)
    before = snapshot()
    assert api(author).post("/api/v1/rulebook/policies/", {"source": SOURCE}, format="json").status_code == 403
    answer = api(author).post("/api/v1/rulebook/policies/default/2/propose/", {"reason": REASON}, format="json")
    assert answer.status_code == 403
    assert snapshot() == before


def test_a_published_version_is_not_proposed_again(api: Api, policy: PolicyVersion, admin: User) -> None:
    before = snapshot()
    response = api(admin).post("/api/v1/rulebook/policies/default/1/propose/", {"reason": REASON}, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")
    assert snapshot() == before


@pytest.mark.parametrize("draft_count", [1, 3])
def test_the_list_asks_the_database_as_often_for_three(
    api: Api, approver: User, now: datetime, draft_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(draft_count):
        rulebook.draft_policy(source=SOURCE, by=approver, now=now)
    client = api(approver)
    client.get("/api/v1/rulebook/policies/")
    with django_assert_num_queries(2):
        assert len(client.get("/api/v1/rulebook/policies/").json()) == draft_count
