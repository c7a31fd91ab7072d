"""Changing a draft over the API, as often as one likes, with the same effect."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from reviews.evidence.models import MetricRecord
from reviews.requests.models import ReviewRequest
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]


def document(draft: ReviewRequest, **changes: Any) -> dict[str, Any]:
    return {
        "title": draft.title,
        "purpose": draft.purpose,
        "environment": draft.environment,
        "business_case": draft.business_case,
        "model_version": draft.model_version.digest,
        "dataset": draft.dataset.digest if draft.dataset else None,
        "metric_values": [
            {"name": "training_gpu_hours", "value": "320", "basis": "declared", "source": "training log"},
            {"name": "training_cost_usd", "value": "9700", "basis": "declared", "source": "training log"},
        ],
        **changes,
    }


def edited(api: Api, person: User, request: ReviewRequest, given: dict[str, Any]) -> Any:
    return api(person).post(f"/api/v1/requests/{request.ref}/edit/", given, format="json")


def test_a_draft_is_changed_and_a_second_time_stays(api: Api, cast: Cast, draft: ReviewRequest, now: datetime) -> None:
    rival = make_version(by=cast.author, now=now, version="ResNet", seed=5)
    given = document(draft, title="A clearer title", rivals=[rival.digest])
    answer = edited(api, cast.author, draft, given)
    assert (answer.status_code, answer.json()["title"]) == (200, "A clearer title")
    assert [each["digest"] for each in answer.json()["rivals"]] == [rival.digest]
    stated = MetricRecord.objects.filter(request=draft)
    assert stated.filter(name="training_gpu_hours").count() == 1, "the same claim is not stated again"
    assert stated.filter(name="training_cost_usd").count() == 2
    events, first = AuditEvent.objects.count(), answer.json()
    again = edited(api, cast.author, draft, given)
    assert again.json()["metric_values"] == first["metric_values"]
    token = AuditEvent.objects.filter(kind="token.created").count()
    assert AuditEvent.objects.count() - events == 1, "but for the token of this test, nothing was recorded"
    assert token == 2


def test_what_is_refused_changes_nothing(api: Api, cast: Cast, draft: ReviewRequest) -> None:
    before = snapshot()
    wrong = [{"name": "training_gpu_hours", "value": "-1", "basis": "declared"}]
    answer = edited(api, cast.author, draft, document(draft, title="New", metric_values=wrong))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "metric_values[0].value")
    assert edited(api, cast.reviewer_one, draft, document(draft, title="New")).status_code == 403
    assert edited(api, cast.reviewer_one, draft, {}).status_code == 403
    assert edited(api, cast.outsider, draft, document(draft, title="New")).status_code == 404
    assert snapshot() == before


def test_only_a_draft_is_changed(api: Api, cast: Cast, submitted: ReviewRequest) -> None:
    before = snapshot()
    answer = edited(api, cast.author, submitted, document(submitted, title="New"))
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert snapshot() == before
