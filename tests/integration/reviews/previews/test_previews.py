"""A preview says what a submission does: the same policy, the same results, the same review."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.inventory.models import ModelVersion
from governance.people.queries.people import person_of
from governance.rulebook.models import PolicyVersion
from reviews.evidence.queries.evidence import subject_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.previews.queries.previews import (
    NEW_DATA,
    REVIEWED_BEFORE,
    FilingSketch,
    preview_of_draft,
    preview_of_sketch,
    subject_from,
)
from reviews.previews.rules import check_preview
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import requests
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, words
from tests.standstill import everything, refused
from weighbridge.core.errors import NotAllowed, WrongState

pytestmark = pytest.mark.django_db
SMALL = {
    "training_gpu_hours": "1",
    "training_cost_usd": "10",
    "inference_cost_1y_usd": "100",
    "total_cost_1y_usd": "110",
}
ASKED = {"kind": "file", "format": "onnx", "task": "classification", "team": "search", "tier": "T1"}

SENT = {name: text for name, text in ASKED.items() if name != "format"} | {"file_format": "onnx"}


@pytest.mark.parametrize("environment", ["prod", "dev"])
@pytest.mark.parametrize("with_data", [True, False])
@pytest.mark.parametrize("declared", [walks.DECLARED, SMALL, {}])
def test_a_submission_does_what_its_preview_says(
    policy: PolicyVersion, author: User, now: datetime, environment: str, with_data: bool, declared: Mapping[str, str]
) -> None:
    draft = walks.make_draft(by=author, now=now, environment=environment, with_data=with_data, declared=declared)
    before = everything()
    preview = preview_of_draft(draft, now=now)
    assert everything() == before
    assert draft.policy is None
    row = requests.submit(request=draft, by=author, now=now)
    evidence = EvidenceSnapshot(row, now)
    assert (preview.policy.name, preview.policy.number) == (row.policy.name, row.policy.number)
    assert preview.checklist.digest == row.checklist.digest
    assert preview.is_mandatory == (row.state == "evidence")
    assert preview.outcome == evidence.policy_evaluation.outcome.value
    assert [stage.id for stage in preview.stages] == [stage.id for stage in evidence.stages]
    assert [item.id for item in preview.items] == [status.item.id for status in evidence.checklist]


def test_a_review_that_was_mandatory_before_is_said(
    policy: PolicyVersion, version: ModelVersion, author: User, now: datetime
) -> None:
    first = walks.make_submitted(by=author, now=now, environment="dev", version=version)
    assert first.state == "evidence"
    second = walks.make_draft(
        by=author, now=now, environment="dev", version=version, purpose="Another purpose", declared=SMALL
    )
    assert REVIEWED_BEFORE in preview_of_draft(second, now=now).mandatory_because


def test_a_sketch_and_a_draft_without_values_agree(policy: PolicyVersion, author: User, now: datetime) -> None:
    draft = walks.make_draft(by=author, now=now, declared={}, with_data=False)
    sketched = preview_of_sketch(subject_of(draft), sketch=FilingSketch(), now=now)
    assert replace(preview_of_draft(draft, now=now), digest="") == sketched


def test_a_dead_end_names_what_other_policies_want(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now)
    asked = subject_from(ASKED | {"environment": "prod"})
    preview = preview_of_sketch(asked, sketch=FilingSketch(is_stored=True), now=now)
    assert "accuracy" in {need.metric for need in preview.dead_ends}
    others = {other.name: other for other in preview.other_policies}
    assert "mae" in others["regression"].metrics
    assert preview.policy.name not in others
    new_data = preview_of_sketch(asked, sketch=FilingSketch(is_new_data=True), now=now)
    assert new_data.data_doubt == NEW_DATA
    assert [item.is_answered_by_metrics for item in preview.people_items] == [False] * len(preview.people_items)
    assert preview.missing


def test_what_is_submitted_has_no_preview(submitted: ReviewRequest, now: datetime) -> None:
    with refused(WrongState, match="submitted already"):
        preview_of_draft(submitted, now=now)


def test_who_previews_whose_requests(cast: Cast) -> None:
    check_preview(person_of(cast.author), team="search")
    check_preview(person_of(cast.auditor), team="search")
    with refused(NotAllowed, match="of your own teams", field="team"):
        check_preview(person_of(cast.outsider), team="search")
    cast.author.is_active = False
    with refused(NotAllowed, match="not active"):
        check_preview(person_of(cast.author), team="search")


def test_the_api_answers_before_filing(
    policy: PolicyVersion, api: Callable[[User | None], APIClient], cast: Cast
) -> None:
    client = api(cast.author)
    answer = client.get("/api/v1/requests/preview/", SENT | {"environment": "prod"})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["policy"]["name"], found["is_mandatory"], found["outcome"]) == ("default", True, "review_required")
    assert found["policy"]["html_url"].endswith(f"/rulebook/policies/default/{policy.number}/")
    by_metric = {(need["metric"], need["accept"][0]): need for need in found["needs"]}
    assert by_metric["accuracy", "measured"]["is_dead_end"] is True
    wrong = client.get("/api/v1/requests/preview/", SENT | {"environment": "moon"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "environment")
    assert api(cast.outsider).get("/api/v1/requests/preview/", SENT | {"environment": "prod"}).status_code == 403


def test_the_api_previews_a_draft(
    policy: PolicyVersion, draft: ReviewRequest, api: Callable[[User | None], APIClient], cast: Cast
) -> None:
    path = f"/api/v1/requests/{draft.ref}/preview/"
    assert api(cast.author).get(path).json()["is_mandatory"] is True
    assert api(cast.outsider).get(path).status_code == 404


def test_the_page_answers_which_policy_judges(policy: PolicyVersion, cast: Cast) -> None:
    client = enter(cast.author)
    assert "Find the policy" in words(client.get("/requests/preview/"))
    page = client.get("/requests/preview/", ASKED | {"environment": "prod"})
    assert page.status_code == 200
    shown = words(page)
    assert "default v1" in shown
    assert "Its scope is everything, with precedence 0." in shown
    assert "Nobody can supply it as things stand. There is no evaluation set." in shown
    assert client.get("/requests/preview/", ASKED | {"environment": "moon"}).status_code == 400
    assert enter(cast.outsider).get("/requests/preview/", ASKED | {"environment": "prod"}).status_code == 400
    assert enter(cast.auditor).get("/requests/preview/", ASKED | {"environment": "prod"}).status_code == 200


def test_the_page_says_that_no_policy_judges(cast: Cast) -> None:
    page = enter(cast.author).get("/requests/preview/", ASKED | {"environment": "prod", "kind": "container"})
    assert page.status_code == 409
    assert "No policy is published yet" in words(page)
