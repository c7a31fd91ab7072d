"""`runs/{id}/`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from benchmarking.runs.models import Run
from reviews.requests.models import ReviewRequest
from tests.factories.requests import finish_run
from tests.factories.snapshots import snapshot

Api = Callable[[User | None], APIClient]


@pytest.fixture
def run(submitted: ReviewRequest) -> Run:
    """The queued run of a request in evidence."""
    return Run.objects.get(asked_for=submitted.ref)


def test_a_queued_run_says_its_place(api: Api, author: User, run: Run, now: datetime) -> None:
    said = api(author).get(f"/api/v1/runs/{run.pk}/").json()
    assert said == {
        "id": run.pk,
        "key": run.key,
        "asked_for": run.asked_for,
        "model": "Visual search 1.0.0",
        "model_digest": run.model_version.digest,
        "dataset": "held-out@1",
        "dataset_digest": run.dataset.digest if run.dataset else "",
        "scenario": "SingleStream",
        "state": "queued",
        "is_finished": False,
        "progress": 0.0,
        "phase": "",
        "queue_place": 1,
        "attempts": 0,
        "max_attempts": 3,
        "error": "",
        "verdict": "",
        "reasons": [],
        "metrics": [],
        "manifest": {},
        "isolation": "",
        "result_digest": "",
        "created_at": now.isoformat().replace("+00:00", "Z"),
        "finished_at": None,
        "repeats": None,
        "equivalence": None,
        "worker": "",
        "worker_machine": "",
        "worker_key": "",
    }


def test_a_finished_run_says_its_metric_values(api: Api, reviewer_one: User, run: Run, now: datetime) -> None:
    finish_run(run=run, now=now)
    said = api(reviewer_one).get(f"/api/v1/runs/{run.pk}/").json()
    assert (said["state"], said["is_finished"], said["verdict"], said["isolation"]) == (
        "done",
        True,
        "valid",
        "process",
    )
    assert next(each for each in said["metrics"] if each["name"] == "latency_p95_ms") == {
        "name": "latency_p95_ms",
        "value": "2",
        "unit": "ms",
        "lower": "1.9",
        "upper": "2.2",
        "confidence": "0.95",
        "n": 3000,
    }


def test_a_stranger_sees_no_run_of_the_team(api: Api, outsider: User, run: Run) -> None:
    before = snapshot()
    for response in (
        api(outsider).get(f"/api/v1/runs/{run.pk}/"),
        api(outsider).post(f"/api/v1/runs/{run.pk}/cancel/"),
        api(outsider).get(f"/api/v1/runs/{10**30}/"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert snapshot() == before


@pytest.mark.parametrize("person", ["author", "approver", "admin"])
def test_who_cancels_a_run(api: Api, cast: Any, run: Run, person: str) -> None:
    client = api(getattr(cast, person))
    response = client.post(f"/api/v1/runs/{run.pk}/cancel/", {}, format="json")
    assert (response.status_code, response.json()["state"], response.json()["is_finished"]) == (200, "canceled", True)
    before = snapshot()
    again = client.post(f"/api/v1/runs/{run.pk}/cancel/", {}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert snapshot() == before


@pytest.mark.parametrize("person", ["reviewer_one", "finance", "auditor"])
def test_who_sees_a_run_and_may_not_cancel_it(api: Api, cast: Any, run: Run, person: str) -> None:
    before = snapshot()
    response = api(getattr(cast, person)).post(f"/api/v1/runs/{run.pk}/cancel/")
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
    assert snapshot() == before


def test_canceling_takes_no_fields(api: Api, author: User, run: Run) -> None:
    before = snapshot()
    response = api(author).post(f"/api/v1/runs/{run.pk}/cancel/", {"force": True}, format="json")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "force")
    assert snapshot() == before


def test_a_run_takes_few_questions(
    api: Api, author: User, run: Run, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = api(author)
    client.get(f"/api/v1/runs/{run.pk}/")
    with django_assert_num_queries(4):
        client.get(f"/api/v1/runs/{run.pk}/")
