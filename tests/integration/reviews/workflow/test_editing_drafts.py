"""`requests/{ref}/edit/`: a draft follows its file; the same again leaves no trace; nothing else can be changed."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import requests
from reviews.workflow.actions.drafting import drafts
from reviews.workflow.actions.requests import Filing
from tests.factories.people import Cast
from tests.standstill import everything, refused
from weighbridge.core.errors import Invalid, WrongState

pytestmark = pytest.mark.django_db
VALUE = {"name": "training_gpu_hours", "value": "320", "basis": "declared", "source": "log"}
Api = Callable[[User | None], APIClient]


def body(draft: ReviewRequest, **changes: object) -> dict[str, object]:
    texts = {name: getattr(draft, name) for name in ("title", "purpose", "environment", "business_case")}
    return texts | {"model_version": draft.model_version.digest, "metric_values": [VALUE]} | changes


def url(draft: ReviewRequest) -> str:
    return f"/api/v1/requests/{draft.ref}/edit/"


def rows(*, without: str = "people_apitoken") -> dict[str, tuple[int, str]]:
    return {name: row for name, row in everything().items() if name != without}


def test_a_draft_follows_its_file_and_the_same_again_leaves_no_trace(
    api: Api, draft: ReviewRequest, author: User
) -> None:
    client = api(author)
    sent = body(draft, title="Another title")
    answer = client.post(url(draft), sent, format="json")
    assert (answer.status_code, answer.json()["title"], answer.json()["state"]) == (200, "Another title", "draft")
    assert draft.metric_records.get(name="training_gpu_hours", source="log").value == 320
    before = rows()
    assert client.post(url(draft), sent, format="json").status_code == 200
    assert rows() == before
    client.post(url(draft), body(draft, title="Another title", metric_values=[VALUE | {"value": "321"}]), format="json")
    kinds = AuditEvent.objects.filter(subject=draft.ref).order_by("-position").values_list("kind", flat=True)
    assert list(kinds[:2]) == ["metric_value.stated", "metric_value.stated"] or kinds[0] == "metric_value.stated"
    assert AuditEvent.objects.filter(subject=draft.ref, kind="request.edited").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"environment": "moon"}, "environment"),
        ({"model_version": "sha256:" + "0" * 64}, "model_version"),
        ({"metric_values": [VALUE, VALUE | {"name": "nothing"}]}, "metric_values[1].name"),
        ({"metric_values": [VALUE, VALUE | {"unit": "parsec"}]}, "metric_values[1].unit"),
    ],
)
def test_one_wrong_field_changes_nothing(
    api: Api, draft: ReviewRequest, author: User, changes: dict[str, object], field: str
) -> None:
    client = api(author)
    client.get(f"/api/v1/requests/{draft.ref}/")
    before = rows()
    answer = client.post(url(draft), body(draft, **{"title": "New", **changes}), format="json")
    assert answer.status_code in {400, 404}, answer.json()
    assert field in {fault["field"] for fault in answer.json()["errors"]}
    assert rows() == before


def test_only_the_team_edits_and_only_a_draft(
    api: Api, draft: ReviewRequest, cast: Cast, policy: object, now: datetime
) -> None:
    for who, status in (("outsider", 404), ("reviewer_one", 403), ("auditor", 403)):
        before = rows()
        assert api(getattr(cast, who)).post(url(draft), {}, format="json").status_code == status
        assert api(getattr(cast, who)).post(url(draft), body(draft), format="json").status_code == status
        assert {name for name, row in rows().items() if row != before[name]} <= {"audit_auditevent"}
    submitted = requests.submit(request=draft, by=cast.author, now=now)
    assert api(cast.author).post(url(submitted), body(submitted), format="json").status_code == 409


def test_the_action_names_the_place_of_a_value(draft: ReviewRequest, author: User, now: datetime) -> None:
    from decimal import Decimal

    from reviews.workflow.actions.evidence import StatedValue
    from weighbridge.core.metrics.basis import Basis

    names = ("title", "purpose", "environment", "business_case", "model_version", "dataset")
    filing = Filing(**{name: getattr(draft, name) for name in names})
    wrong = StatedValue(name="training_gpu_hours", value=Decimal(-1), unit="gpu_h", basis=Basis.DECLARED)
    with refused(Invalid, field="metric_values[0].value"):
        drafts.update_draft(request=draft, filing=filing, statements=[wrong], by=author, now=now)


def test_the_action_changes_no_submitted_request(submitted: ReviewRequest, author: User, now: datetime) -> None:
    names = ("title", "purpose", "environment", "business_case", "model_version", "dataset")
    filing = Filing(**{name: getattr(submitted, name) for name in names})
    with refused(WrongState):
        drafts.update_draft(request=submitted, filing=filing, by=author, now=now)
