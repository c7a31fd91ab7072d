"""The steps of requesters and reviewers, taken by forms; a refused one moves nothing and says why, there."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.budgets.models import LedgerEntry
from reviews.authorizations.models import Condition
from reviews.notes.models import DraftVote
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.models import Vote
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, page_of, said, words
from tests.pages import html_of

pytestmark = pytest.mark.django_db


def post(user: User, request: ReviewRequest, step: str, **data: Any):
    return enter(user).post(f"{page_of(request)}{step}/", data, follow=True)


def state_of(request: ReviewRequest) -> str:
    request.refresh_from_db()
    return request.state


def test_submit(policy, draft: ReviewRequest, author: User) -> None:
    asked = enter(author).get(f"{page_of(draft)}submit/")
    page = post(author, draft, "submit", seen=asked.context["panel"].preview.digest)
    assert page.redirect_chain == [(f"{page_of(draft)}#next", 302)]
    assert said(page) == [
        "Submitted. A review is mandatory: the ticket is requested, the benchmarks are queued, the checklist is open."
    ]
    assert state_of(draft) == "evidence"


def test_submit_without_a_policy_says_why(draft: ReviewRequest, author: User) -> None:
    page = post(author, draft, "submit", seen="sha256:anything")
    assert (page.status_code, state_of(draft)) == (409, "draft")
    assert "No policy is published yet" in words(page)


def test_ask_for_the_review(ready: ReviewRequest, cast: Cast, now: datetime) -> None:
    page = post(cast.author, ready, "review")
    assert page.status_code == 400
    assert "Ask finance to allocate one." in words(page)
    assert state_of(ready) == "evidence"
    from tests.factories.requests import allocate_budget

    allocate_budget(team=ready.team, by=cast.finance, now=now)
    page = post(cast.author, ready, "review")
    assert said(page) == ["The revision is frozen, its budget is reserved, and the reviewers can vote."]
    assert state_of(ready) == "in_review"


def test_an_incomplete_request_is_not_frozen(submitted: ReviewRequest, author: User) -> None:
    page = post(author, submitted, "review")
    assert (page.status_code, state_of(submitted)) == (409, "evidence")
    assert "A benchmark is still running" in words(page)


def test_three_votes_decide(in_review: ReviewRequest, cast: Cast) -> None:
    for voter, stage, sentence in (
        (cast.reviewer_one, "technical", "Your vote is cast."),
        (cast.reviewer_two, "technical", "Your vote is cast."),
        (cast.approver, "gpu-budget", "Your vote is cast, and the review is decided."),
    ):
        page = post(voter, in_review, "votes", stage=stage, choice="approve", rationale="Sound.")
        assert said(page) == [sentence]
        assert page.redirect_chain == [(f"{page_of(in_review)}#votes", 302)]
    assert state_of(in_review) == "decided"
    assert in_review.decision.outcome == "approved"


def test_a_vote_is_on_the_revision_that_the_page_showed(in_review: ReviewRequest, cast: Cast) -> None:
    shown = enter(cast.reviewer_one).get(page_of(in_review)).content.decode()
    assert re.search(r'<input type="hidden" name="revision" value="1"', shown)
    before = snapshot()
    fields = {"stage": "technical", "choice": "approve", "rationale": "Sound."}
    page = post(cast.reviewer_one, in_review, "votes", revision="2", **fields)
    assert (page.status_code, snapshot()) == (409, before)
    assert "You saw revision 2, and this is revision 1. Read it, then vote." in words(page)
    again = {field.html_name: field.value() for field in page.context["forms"]["vote"] if field.value()}
    assert again == {"stage": "technical", "revision": 1, "rationale": "Sound."}, "the choice is made anew"
    assert said(post(cast.reviewer_one, in_review, "votes", **again, choice="approve")) == ["Your vote is cast."]


def test_conditions_come_with_the_last_approval(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    for voter in (cast.reviewer_one, cast.reviewer_two):
        post(voter, in_review, "votes", stage="technical", choice="approve")
    due_on = (now + timedelta(days=14)).date()
    ballot = {"stage": "gpu-budget", "choice": "approve", "text_1": "Publish the bill."}
    page = post(cast.approver, in_review, "votes", **ballot)
    assert page.status_code == 400
    assert page.context["forms"]["vote"].errors == {
        "owner_1": ["Choose the responsible person."],
        "due_on_1": ["Enter a due date."],
    }
    assert state_of(in_review) == "in_review"
    post(cast.approver, in_review, "votes", **ballot, owner_1=cast.author.pk, due_on_1=due_on.isoformat())
    assert state_of(in_review) == "decided"
    condition = Condition.objects.get()
    assert (condition.text, condition.owner, condition.due_on) == ("Publish the bill.", cast.author, due_on)
    assert in_review.decision.outcome == "approved_with_conditions"


@pytest.mark.parametrize("given", [{"text_1": "Publish the bill."}, {"due_on_3": "2027-01-31"}, {"lifted": "7"}])
def test_conditions_are_refused_where_the_stage_is_no_longer_the_last(
    in_review: ReviewRequest, cast: Cast, api: Callable[[User | None], APIClient], given: dict[str, str]
) -> None:
    """The page was opened while the stage was the last; what was entered is never dropped without a word."""
    enter(cast.reviewer_one).post(f"{page_of(in_review)}votes/draft/", {"rationale": "Sound.", "revision": 1})
    ballot = {"stage": "technical", "choice": "approve", "rationale": "Sound."}
    before = snapshot()
    page = post(cast.reviewer_one, in_review, "votes", **ballot, **given)
    assert (page.status_code, snapshot()) == (400, before)
    sentence = "Only the approval that completes the last stage can set or lift conditions."
    assert sentence in words(page)
    asked = {"stage": "technical", "choice": "approve", "lifted_ids": [7]}
    problem = api(cast.reviewer_one).post(f"/api/v1{page_of(in_review)}votes/", asked, format="json")
    assert problem.status_code == 400
    form = page.context["forms"]["vote"]
    assert [form[name].value() for name in given if name in form.fields] == [
        text for name, text in given.items() if name != "lifted"
    ]
    assert DraftVote.objects.get().rationale == "Sound."
    empty = {"text_1": " ", "owner_1": "", "due_on_1": ""}
    assert said(post(cast.reviewer_one, in_review, "votes", **ballot, **empty)) == ["Your vote is cast."]


def test_a_condition_of_yesterday_is_refused(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    for voter in (cast.reviewer_one, cast.reviewer_two):
        post(voter, in_review, "votes", stage="technical", choice="approve")
    page = post(
        cast.approver,
        in_review,
        "votes",
        stage="gpu-budget",
        choice="approve",
        text_1="Publish the bill.",
        owner_1=cast.author.pk,
        due_on_1=(now - timedelta(days=1)).date().isoformat(),
    )
    assert "The due date of a condition must be in the future." in words(page)
    assert (state_of(in_review), Condition.objects.count()) == ("in_review", 0)


@pytest.mark.parametrize(
    ("who", "ballot", "status", "reason"),
    [
        ("author", {"stage": "technical", "choice": "approve"}, 403, "nobody votes on their own request"),
        ("admin", {"stage": "technical", "choice": "approve"}, 403, "The stage “Technical review” is voted on"),
        ("approver", {"stage": "gpu-budget", "choice": "approve"}, 409, "Technical review"),
        ("reviewer_one", {"stage": "technical", "choice": "reject"}, 400, "needs a reason of at least 3 characters"),
        ("reviewer_one", {"stage": "technical", "choice": "maybe"}, 400, "Select a valid choice"),
        ("reviewer_one", {"choice": "approve"}, 400, "This field is required"),
    ],
)
def test_a_refused_vote_moves_nothing(
    in_review: ReviewRequest, cast: Cast, who: str, ballot: dict[str, str], status: int, reason: str
) -> None:
    events = AuditEvent.objects.count()
    page = post(getattr(cast, who), in_review, "votes", **ballot, rationale="ok"[: 2 * (status != 400)])
    assert page.status_code == status
    assert reason in words(page) + str(page.context["forms"]["vote"].errors)
    assert (Vote.objects.count(), AuditEvent.objects.count(), state_of(in_review)) == (0, events, "in_review")


def test_a_stage_that_is_no_stage_is_not_found(in_review: ReviewRequest, cast: Cast) -> None:
    assert post(cast.reviewer_one, in_review, "votes", stage="nowhere", choice="approve").status_code == 404


def test_nobody_votes_twice(in_review: ReviewRequest, cast: Cast) -> None:
    post(cast.reviewer_one, in_review, "votes", stage="technical", choice="approve")
    page = post(
        cast.reviewer_one, in_review, "votes", stage="technical", choice="reject", rationale="On second thought."
    )
    assert page.status_code == 409
    assert [vote.choice for vote in in_review.votes.all()] == [VoteChoice.APPROVE]
    assert "On second thought." in html_of(page)


def test_changes_and_revision(in_review: ReviewRequest, cast: Cast) -> None:
    page = post(
        cast.reviewer_one, in_review, "votes", stage="technical", choice="request_changes", rationale="Measure returns."
    )
    assert said(page) == ["Your vote is cast; the request goes back for changes."]
    page = post(cast.author, in_review, "revise", reason="")
    assert (page.status_code, state_of(in_review)) == (400, "changes_requested")
    page = post(cast.author, in_review, "revise", reason="Returns are in.")
    assert said(page) == ["Revision 2 is open; the votes on the previous revision are void."]
    assert (state_of(in_review), in_review.revision) == ("evidence", 2)


def test_withdraw_releases_the_budget(in_review: ReviewRequest, author: User) -> None:
    page = post(author, in_review, "withdraw", reason="No")
    assert (page.status_code, state_of(in_review)) == (400, "in_review")
    assert "Enter why you withdraw the request." in words(page)
    page = post(author, in_review, "withdraw", reason="Superseded.")
    assert said(page) == [f"{in_review.ref} is withdrawn."]
    assert state_of(in_review) == "withdrawn"
    assert LedgerEntry.objects.filter(kind="release", request_ref=in_review.ref).count() == 2


@pytest.mark.parametrize(
    "step", ["submit", "review", "revise", "withdraw", "votes", "metric-values", "packets", "waivers"]
)
def test_a_stranger_moves_nothing(in_review: ReviewRequest, cast: Cast, step: str) -> None:
    events = AuditEvent.objects.count()
    page = post(cast.outsider, in_review, step, reason="Because.", stage="technical", choice="approve")
    assert (page.status_code, AuditEvent.objects.count()) == (404, events)


@pytest.mark.parametrize(
    "step",
    ["amend", "exchange", "again", "review", "votes", "revise", "withdraw", "metric-values", "authorization/revoke"],
)
def test_steps_are_taken_by_post_alone(in_review: ReviewRequest, author: User, step: str) -> None:
    answer = enter(author).get(f"{page_of(in_review)}{step}/")
    assert answer.status_code == 405
    (above,) = re.findall(r'href="([^"]*)">Go back', answer.content.decode())
    assert above == page_of(in_review)


@pytest.mark.parametrize(
    ("step", "data"),
    [
        ("metric-values", {}),
        ("metric-values", {"name": "accuracy", "value": "a lot"}),
        ("projections", {}),
        ("contradictions/accuracy", {}),
        ("checklist/owner-and-rollback", {}),
        ("votes", {}),
        ("revise", {}),
        ("withdraw", {}),
        ("waivers", {}),
        ("waivers", {"rule": "no-such-rule", "valid_days": "many"}),
        ("authorization/revoke", {}),
    ],
)
def test_who_may_not_take_a_step_is_told_so_and_not_what_is_missing(
    decided: ReviewRequest, cast: Cast, step: str, data: dict[str, str]
) -> None:
    events = AuditEvent.objects.count()
    page = post(cast.auditor, decided, step, **data)
    assert page.status_code in {403, 409}, words(page)
    assert "This field is required" not in words(page)
    assert AuditEvent.objects.count() == events
