"""Items of a checklist that depend on answers, belong to roles, and are waived: by API, on pages, and in the packet."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from governance.rulebook.domain.checklists import Answerer
from reviews.evidence.models import ChecklistAnswer, Waiver
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.allowed_steps import check_can_answer
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.queries.review_blockers import review_blockers
from reviews.workflow.actions import evidence, waivers
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.standstill import everything, refused
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState

Api = Callable[[User | None], APIClient]
AGREEMENT, DATA = "data-agreement", "personal-data"
REASON = "The vendor keeps no prompts; the contract says so."


@pytest.fixture
def managed(cast: Cast, now: datetime) -> ReviewRequest:
    """A submitted request about a language model behind an API."""
    kinds.publish_shipped(now=now)
    version = kinds.register(task="generation", subject=kinds.MANAGED, by=cast.author, now=now)
    return walks.make_submitted(by=cast.author, version=version, now=now)


def item_ids(client: APIClient, ref: str) -> set[str]:
    return {item["id"] for item in client.get(f"/api/v1/requests/{ref}/").json()["checklist"]}


def answer(request: ReviewRequest, item: str, by: User, now: datetime, **given: object) -> ChecklistAnswer:
    return evidence.answer_item(request=request, item_id=item, by=by, now=now, **given)  # type: ignore[arg-type]


def test_an_answer_decides_which_items_follow(api: Api, cast: Cast, managed: ReviewRequest) -> None:
    client, url = api(cast.author), f"/api/v1/requests/{managed.ref}/checklist/"
    assert AGREEMENT in item_ids(client, managed.ref)  # nobody has said yet that it is not needed
    assert client.post(f"{url}{DATA}/", {"text": "maybe"}).status_code == 400
    assert client.post(f"{url}{DATA}/", {"text": "no"}).status_code == 200
    assert AGREEMENT not in item_ids(client, managed.ref)
    file = SimpleUploadedFile("agreement.pdf", b"%PDF-1.7")
    before = everything()
    response = client.post(f"{url}{AGREEMENT}/", {"file": file}, format="multipart")
    assert (response.status_code, response.json()["code"]) == (409, "item_not_shown")
    assert response.json()["detail"].startswith("“Agreement on data” does not apply, because what it depends on")
    assert client.post(f"{url}nothing/", {"text": "x"}).status_code == 404
    assert everything() == before
    assert client.post(f"{url}{DATA}/", {"text": "yes"}).status_code == 200
    assert AGREEMENT in item_ids(client, managed.ref)


def test_the_page_offers_the_options_and_refuses_what_is_not_asked(
    as_: Callable[[User], Client], cast: Cast, managed: ReviewRequest
) -> None:
    client, page = as_(cast.author), f"/requests/{managed.ref}/"
    tab = f"{page}checklist/"
    content = client.get(tab).content.decode()
    assert "Do prompts hold personal data?" in content
    assert "Answered by: data steward, team" in content
    assert client.post(f"{page}checklist/{DATA}/", {"text": "no"}, follow=True).status_code == 200
    assert "Agreement on data" not in client.get(tab).content.decode()
    response = client.post(f"{page}checklist/{AGREEMENT}/", {}, follow=True)
    assert "does not apply, because what it depends on" in response.content.decode()


def test_a_data_steward_answers_their_items_and_no_others(
    api: Api, cast: Cast, managed: ReviewRequest, now: datetime
) -> None:
    file = ContentFile(b"%PDF-1.7", name="agreement.pdf")
    assert answer(managed, AGREEMENT, cast.steward, now, upload=file).answered_by == cast.steward
    with refused(NotAllowed):
        answer(managed, "unsafe-answers", cast.steward, now, text="None of 500 prompts had an unsafe answer.")
    snapshot = snapshot_of(managed, now=now)
    items = {status.item.id: status.item for status in snapshot.evidence.checklist}
    with pytest.raises(NotAllowed):
        check_can_answer(snapshot, person=person_of(cast.reviewer_one), item=items[AGREEMENT])
    assert api(cast.steward).get(f"/api/v1/requests/{managed.ref}/").status_code == 200


def test_an_item_is_waived_with_reason_and_person(api: Api, cast: Cast, managed: ReviewRequest, now: datetime) -> None:
    url = f"/api/v1/requests/{managed.ref}/waivers/"
    outcome = EvidenceSnapshot(managed, now).policy_evaluation.outcome
    given = {"item": AGREEMENT, "reason": REASON, "valid_days": 30}
    assert api(cast.author).post(url, given, format="json").status_code == 403
    assert api(cast.approver).post(url, given, format="json").status_code == 201
    after = EvidenceSnapshot(managed, now)
    assert after.policy_evaluation.outcome is outcome  # an item is no rule
    assert {reason for item, reason in after.waived_items.items() if item == AGREEMENT} == {
        f"{REASON} ({cast.approver.get_full_name()})"
    }
    assert not [each for each in review_blockers(after) if each.reason.startswith("Agreement on data")]
    event = AuditEvent.objects.get(kind="item.waived")
    assert (event.details["item"], event.reason) == (AGREEMENT, REASON)
    later = EvidenceSnapshot(managed, Waiver.objects.get().expires_at)
    assert [each for each in review_blockers(later) if each.reason.startswith("Agreement on data")]


def test_what_cannot_be_waived_stays(cast: Cast, managed: ReviewRequest, now: datetime) -> None:
    def waive(**given: str) -> Waiver:
        return waivers.grant(request=managed, reason=REASON, valid_days=30, by=cast.approver, now=now, **given)

    with refused(Invalid, code="item_always_applies", field="item"):
        waive(item_id=DATA)
    with refused(NotFound, field="item"):
        waive(item_id="total-cost-1y")
    for given in ({}, {"item_id": AGREEMENT, "rule_id": "answers-prod"}):
        with refused(Invalid, field="rule"):
            waive(**given)


def test_an_item_of_other_people_is_not_answered_by_the_team(cast: Cast, managed: ReviewRequest, now: datetime) -> None:
    snapshot = snapshot_of(managed, now=now)
    (item,) = (row.item for row in snapshot.evidence.checklist if row.item.id == AGREEMENT)
    check_can_answer(snapshot, person=person_of(cast.author), item=item)
    stewards = replace(item, answered_by=(Role.DATA_STEWARD, Answerer.OWNER))
    check_can_answer(snapshot, person=person_of(cast.steward), item=stewards)
    owners = replace(item, answered_by=(Role.DATA_STEWARD,))
    with pytest.raises(NotAllowed, match="“Agreement on data” is answered by: data steward") as refusal:
        check_can_answer(snapshot, person=person_of(cast.author), item=owners)
    assert refusal.value.code == "wrong_role"


def test_no_item_is_answered_before_the_checklist_is_fixed(cast: Cast, draft: ReviewRequest, now: datetime) -> None:
    with refused(WrongState):
        answer(draft, DATA, cast.author, now, text="no")
