"""Taking a vote back: rows, trail, page, API, and what the database refuses."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.models import Vote, VoteWithdrawal
from reviews.workflow.actions import requests, review
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.integration.reviews.workflow.worlds import World
from weighbridge.core.errors import Invalid, Refused, WrongState

pytestmark = pytest.mark.django_db
WHY = "I misread the interval of the accuracy."


def take_back(world: World, request: ReviewRequest, by: User, **changes: object) -> ReviewRequest:
    return review.take_back(**{"request": request, "reason": WHY, "by": by, "now": world.now} | changes)


def test_a_vote_taken_back_counts_no_longer_and_stays_on_record(world: World) -> None:
    one = world.cast.reviewer_one
    request = world.vote(world.in_review(), one)
    take_back(world, request, one)
    vote = Vote.objects.get()
    assert (vote.withdrawal.reason, vote.withdrawal.taken_back_at) == (WHY, world.now)
    event = AuditEvent.objects.get(kind="vote.taken_back")
    assert (event.actor, event.reason, event.details) == (
        "Reviewer One",
        WHY,
        {"stage": "technical", "choice": "approve", "revision": 1},
    )
    world.vote(request, world.cast.reviewer_two)
    request.refresh_from_db()
    assert request.state == "in_review"
    world.vote(request, one)
    with pytest.raises(WrongState) as refused:
        take_back(world, request, one)
    assert refused.value.code == "stage_complete"
    assert (Vote.objects.count(), VoteWithdrawal.objects.count()) == (3, 1)


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"reason": "no"}, Invalid, "Give a reason of 10 to 2,000 characters."),
        ({"revision": 2}, WrongState, "You saw revision 2, and this is revision 1."),
    ],
)
def test_a_refusal_leaves_everything(
    world: World, changes: dict[str, object], error: type[Refused], reason: str
) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    before = snapshot()
    with pytest.raises(error) as refused:
        take_back(world, request, world.cast.reviewer_one, **changes)
    assert reason in refused.value.reason
    with pytest.raises(WrongState, match="You have no vote on revision 1"):
        take_back(world, request, world.cast.reviewer_two)
    assert snapshot() == before


def test_nothing_is_taken_back_after_the_review(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    requests.revise(request=request, reason="A better answer is here.", by=world.cast.author, now=world.now)
    with pytest.raises(WrongState, match="a vote is taken back while it is in review"):
        take_back(world, request, world.cast.reviewer_one)


def test_the_database_holds_it(world: World) -> None:
    one = world.cast.reviewer_one
    request = world.vote(world.in_review(), one)
    vote = Vote.objects.get()
    row = {"vote": vote, "reason": WHY, "taken_back_at": world.now}
    withdrawal = VoteWithdrawal.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        VoteWithdrawal.objects.create(**row)
    again = {"request": request, "revision": 1, "stage": "technical", "choice": "approve", "cast_at": world.now}
    second = Vote.objects.create(**again, person=one)
    with pytest.raises(IntegrityError, match="one_person_counts_once"), transaction.atomic():
        Vote.objects.create(**again, person=one)
    for change in (withdrawal.delete, lambda: VoteWithdrawal.objects.update(reason="")):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    requests.revise(request=request, reason="A better answer is here.", by=world.cast.author, now=world.now)
    with pytest.raises(DatabaseError, match="while its revision is in review"), transaction.atomic():
        VoteWithdrawal.objects.create(**row | {"vote": second})


def test_the_page_offers_it_and_shows_it(in_review: ReviewRequest, cast: Cast) -> None:
    client = enter(cast.reviewer_one)
    assert "Take your vote back" not in words(client.get(page_of(in_review)))
    review.vote(
        request=in_review,
        stage_id="technical",
        choice=VoteChoice.APPROVE,
        by=cast.reviewer_one,
        now=in_review.created_at + timedelta(seconds=1),
    )
    assert "Take your vote back" in words(client.get(page_of(in_review)))
    assert "Take your vote back" not in words(enter(cast.reviewer_two).get(page_of(in_review)))
    short = client.post(f"{page_of(in_review)}votes/take-back/", {"reason": "no"})
    assert (short.status_code, "Give a reason of 10 to 2,000 characters." in words(short)) == (400, True)
    done = client.post(f"{page_of(in_review)}votes/take-back/", {"reason": WHY}, follow=True)
    assert "Your vote is taken back. You can vote again." in words(done)
    page = client.get(page_of(in_review))
    assert f": {WHY}" in words(page)
    assert [(vote.is_void, vote.taken_back_why) for vote in page.context["view"].votes] == [(True, WHY)]
    assert page.context["view"].allowed_steps["vote"].is_allowed


def test_an_old_form_does_not_take_back_the_vote_on_a_later_revision(world: World) -> None:
    one, request = world.cast.reviewer_one, world.in_review()
    world.vote(request, one)
    client = enter(one)
    old = {field.html_name: field.value() or "" for field in client.get(page_of(request)).context["forms"]["take_back"]}
    assert old == {"reason": "", "revision": 1}
    requests.revise(request=request, reason="New weights.", by=world.cast.author, now=world.now)
    walks.explain_everything(request=request, by=world.cast.author, now=world.now)
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    world.vote(request, one)
    late = client.post(f"{page_of(request)}votes/take-back/", old | {"reason": WHY})
    assert (late.status_code, "You saw revision 1, and this is revision 2." in words(late)) == (409, True)
    assert not VoteWithdrawal.objects.exists()
    seen = client.get(page_of(request)).context["forms"]["take_back"]["revision"].value()
    done = client.post(f"{page_of(request)}votes/take-back/", {"reason": WHY, "revision": seen})
    assert (done.status_code, VoteWithdrawal.objects.get().vote.revision) == (302, 2)


def test_the_api_takes_it_back(in_review: ReviewRequest, cast: Cast, api: Callable[[User], APIClient]) -> None:
    client, path = api(cast.reviewer_one), f"/api/v1/requests/{in_review.ref}/votes/"
    client.post(path, {"stage": "technical", "choice": "approve"}, format="json")
    wrong = client.post(f"{path}take-back/", {"reason": WHY, "revision": 2}, format="json")
    assert (wrong.status_code, Vote.objects.filter(withdrawal=None).count()) == (409, 1)
    assert api(cast.author).post(f"{path}take-back/", {}, format="json").status_code == 403
    done = client.post(f"{path}take-back/", {"reason": WHY, "revision": 1}, format="json")
    assert (done.status_code, done.data["votes"][0]["taken_back_why"]) == (200, WHY)
    assert done.data["allowed_steps"]["take_back"]["why_not"] == "You have no vote on revision 1 to take back."
