"""Two stages that are open at once: who may vote in both chooses, and no review stays approved but undecided."""

from datetime import datetime

import pytest

from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import ChecklistVersion
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.models import Vote
from reviews.workflow.actions import review
from tests.factories import requests as walks
from tests.factories.absences import confirmed
from tests.factories.people import Cast, make_person
from tests.factories.policies import LEAN
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, page_of, said, words
from tests.standstill import refused
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db
WHY = "My role was given back after the last vote."


@pytest.fixture
def before_both(checklist: ChecklistVersion, cast: Cast, now: datetime) -> ReviewRequest:
    """A request before *GPU budget* and *Finance* at once."""
    policy = rulebook.draft_policy(source=LEAN.replace("limit: 250000", "limit: 1"), by=None, now=now)
    rulebook.publish(version=policy, by=None, now=now)
    request = walks.make_in_review(cast=cast, now=now)
    walks.approve_technically(request=request, cast=cast, now=now)
    return request


def test_who_may_vote_in_two_stages_chooses_one(before_both: ReviewRequest, cast: Cast, now: datetime) -> None:
    people.grant_role(user=cast.approver, role=Role.FINANCE, by=None, now=now)
    client = enter(cast.approver)
    page = client.get(page_of(before_both))
    form = page.context["forms"]["vote"]
    assert page.context["votes_title"] == "Your vote"
    assert [(str(option.choice_label), option.data["value"]) for option in form["stage"]] == [
        ("GPU budget", "gpu-budget"),
        ("Finance", "finance"),
    ]
    sent = {"stage": "finance", "revision": 1, "choice": "approve", "rationale": "Within the plan."}
    assert said(client.post(f"{page_of(before_both)}votes/", sent, follow=True)) == ["Your vote is cast."]
    assert Vote.objects.get(person=cast.approver).stage == "finance"


def test_a_deputy_votes_in_the_stage_that_they_chose_or_not_at_all(
    before_both: ReviewRequest, cast: Cast, now: datetime
) -> None:
    """One may vote in *GPU budget* for themselves, and in both stages in the place of an absent person."""
    for role in (Role.FINANCE, Role.PLATFORM_LEAD):
        people.grant_role(user=cast.product, role=role, by=None, now=now)
    lead = make_person("lead2", Role.PLATFORM_LEAD, now=now)
    confirmed(cast.product, lead, cast=cast, now=now)
    client = enter(lead)
    form = client.get(page_of(before_both)).context["forms"]["vote"]
    assert [str(option.choice_label) for option in form["in_place_of"]] == ["Your own", "In the place of Product"]
    before, sent = snapshot(), {"revision": 1, "choice": "approve", "rationale": "Within the plan."}
    path = f"{page_of(before_both)}votes/"
    assert client.post(path, sent | {"stage": "finance", "in_place_of": ""}).status_code == 403
    assert snapshot() == before
    assert client.post(path, sent | {"stage": "finance", "in_place_of": "product"}).status_code == 302
    vote = Vote.objects.get(person=lead)
    assert (vote.stage, vote.in_place_of) == ("finance", cast.product)


def test_who_may_vote_in_one_stage_is_not_asked(before_both: ReviewRequest, cast: Cast) -> None:
    context = enter(cast.finance).get(page_of(before_both)).context
    assert context["forms"]["vote"]["stage"].is_hidden
    assert context["votes_title"] == "Your vote: Finance"


def test_a_stage_that_is_complete_meanwhile_is_said_and_another_can_be_chosen(
    before_both: ReviewRequest, cast: Cast, now: datetime
) -> None:
    """The vote is not cast in another stage than the person chose."""
    for role in (Role.FINANCE, Role.PLATFORM_LEAD):
        people.grant_role(user=cast.product, role=role, by=None, now=now)
    review.vote(request=before_both, stage_id="finance", choice=VoteChoice.APPROVE, by=cast.finance, now=now)
    before, client = snapshot(), enter(cast.product)
    sent = {"stage": "finance", "revision": 1, "choice": "approve", "rationale": "Within the plan."}
    page = client.post(f"{page_of(before_both)}votes/", sent)
    assert (page.status_code, snapshot() == before) == (409, True)
    assert "The stage “Finance” is complete" in words(page)
    again = {field.html_name: field.value() for field in page.context["forms"]["vote"] if field.value()}
    assert (again["stage"], again["rationale"]) == ("gpu-budget", "Within the plan.")
    client.post(f"{page_of(before_both)}votes/", again)
    before_both.refresh_from_db()
    assert before_both.state == "decided"


def test_a_review_that_a_returned_role_completed_is_decided_by_a_vote_cast_again(
    before_both: ReviewRequest, cast: Cast, now: datetime
) -> None:
    approve = {"request": before_both, "choice": VoteChoice.APPROVE, "now": now}
    review.vote(stage_id="gpu-budget", by=cast.approver, **approve)
    people.revoke_role(user=cast.approver, role=Role.PLATFORM_LEAD, by=None, now=now)
    review.vote(stage_id="finance", by=cast.finance, **approve)
    people.grant_role(user=cast.approver, role=Role.PLATFORM_LEAD, by=None, now=now)
    before_both.refresh_from_db()
    assert before_both.state == "in_review"
    assert "Every stage is approved, and nobody decided." in words(enter(cast.author).get("/"))
    with refused(WrongState, match="already voted"):
        review.vote(stage_id="gpu-budget", by=cast.approver, **approve)
    page = enter(cast.approver).post(f"{page_of(before_both)}votes/take-back/", {"reason": WHY}, follow=True)
    assert said(page) == ["Your vote is taken back. You can vote again."]
    review.vote(stage_id="gpu-budget", by=cast.approver, **approve)
    before_both.refresh_from_db()
    assert (before_both.state, before_both.decision.outcome) == ("decided", "approved")
