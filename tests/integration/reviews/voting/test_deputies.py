"""A deputy votes in the place of an absent person: under the lock, on the record, and never twice."""

from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from governance.absences.actions.absences import end_absence
from governance.audit.models import AuditEvent
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization
from reviews.inbox.queries.inbox import inbox_of
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.snapshots.queries.voting_rights import voting_rights_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.domain.outcomes import VotingOutcome
from reviews.voting.models import Vote
from reviews.workflow.actions import review
from reviews.workflow.actions.review import NewVote
from tests.factories.absences import confirmed, make_absence
from tests.factories.people import Cast, make_person
from tests.standstill import refused
from tests.threads import together
from weighbridge.core.errors import NotAllowed, WrongState

pytestmark = pytest.mark.django_db


def in_place_of(
    absent: str, request: ReviewRequest, by: User, now: datetime, stage: str = "technical", choice: str = "approve"
) -> ReviewRequest:
    vote = NewVote(stage_id=stage, choice=VoteChoice(choice), rationale="As evidenced.", in_place_of=absent)
    return review.cast(request=request, vote=vote, by=by, now=now)


def test_the_whole_way_with_a_deputy(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    confirmed(cast.reviewer_two, cast.finance, cast=cast, now=now)
    (entry,) = inbox_of(person=person_of(cast.finance), now=now).entries
    assert (entry.step, entry.in_place_of) == ("Vote in the place of Reviewer Two: Technical review.", "Reviewer Two")
    in_place_of("reviewer_two", in_review, cast.finance, now)
    vote = Vote.objects.get()
    assert (vote.person, vote.in_place_of, vote.absence.person) == (cast.finance, cast.reviewer_two, cast.reviewer_two)
    event = AuditEvent.objects.get(kind="vote.cast")
    assert event.reason == "In the place of Reviewer Two. As evidenced."
    assert event.details == {
        "stage": "technical",
        "choice": "approve",
        "revision": 1,
        "in_place_of": "reviewer_two",
        "absence": vote.absence_id,
    }
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    done = review.vote(request=in_review, stage_id="gpu-budget", choice=VoteChoice.APPROVE, by=cast.approver, now=now)
    assert done.state == "decided"
    signed = b64decode(Authorization.objects.get().envelope["payload"])
    assert b'"approvers":["approver","finance","reviewer_one"]' in signed.replace(b" ", b"")
    votes = snapshot_of(done, now=now).packets[0].document["votes"]
    assert [(one["person"], one.get("in_place_of", "")) for one in votes] == [
        ("Finance", "Reviewer Two"),
        ("Reviewer One", ""),
        ("Approver", ""),
    ]


def test_the_end_of_the_absence_ends_the_right_and_keeps_the_vote(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    three, four = (make_person(name, Role.REVIEWER, now=now) for name in ("reviewer_three", "reviewer_four"))
    absence = make_absence(cast.reviewer_one, deputy=three, now=now)
    other = make_absence(cast.reviewer_two, deputy=four, now=now)
    in_place_of("reviewer_one", in_review, three, now)
    for row, person in ((absence, cast.reviewer_one), (other, cast.reviewer_two)):
        end_absence(absence=row, by=person, now=now)
    with refused(NotAllowed, match="You are not the deputy of reviewer_two now", code="not_deputy"):
        in_place_of("reviewer_two", in_review, four, now)
    (counted,) = snapshot_of(in_review, now=now).electorate.counted
    assert counted.voter == "Reviewer Three in the place of Reviewer One"
    assert snapshot_of(in_review, now=now + timedelta(days=30)).electorate.counted == (counted,)


def test_a_vote_without_a_deputyship_is_refused(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    make_absence(cast.reviewer_one, now=now)
    make_absence(cast.author, by=cast.approver, now=now)
    for by in (cast.reviewer_two, cast.admin, cast.outsider, cast.reviewer_one):
        with refused(NotAllowed, code="not_deputy"):
            in_place_of("reviewer_one", in_review, by, now)


def test_a_role_that_is_revoked_voids_the_vote_of_the_deputy(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    three = make_person("reviewer_three", Role.REVIEWER, now=now)
    make_absence(cast.reviewer_one, deputy=three, now=now)
    in_place_of("reviewer_one", in_review, three, now)
    people.revoke_role(user=three, role=Role.REVIEWER, by=None, now=now)
    assert snapshot_of(in_review, now=now).electorate.counted == ()
    people.grant_role(user=three, role=Role.REVIEWER, by=None, now=now)
    people.revoke_role(user=cast.reviewer_one, role=Role.REVIEWER, by=None, now=now)
    assert snapshot_of(in_review, now=now).electorate.counted == ()
    people.grant_role(user=cast.reviewer_one, role=Role.REVIEWER, by=None, now=now)
    assert len(snapshot_of(in_review, now=now).electorate.counted) == 1
    people.close_account(user=three, by=cast.admin, now=now)
    assert snapshot_of(in_review, now=now).electorate.counted == ()


def test_a_confirmed_deputy_needs_no_role_and_the_absent_person_does(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    confirmed(cast.reviewer_one, cast.product, cast=cast, now=now)
    in_place_of("reviewer_one", in_review, cast.product, now)
    assert len(snapshot_of(in_review, now=now).electorate.counted) == 1
    people.revoke_role(user=cast.product, role=Role.PRODUCT_LEAD, by=None, now=now)
    assert snapshot_of(in_review, now=now).electorate.counted == ()
    people.grant_role(user=cast.product, role=Role.FINANCE, by=None, now=now)
    assert len(snapshot_of(in_review, now=now).electorate.counted) == 1
    people.close_account(user=cast.reviewer_one, by=cast.admin, now=now)
    assert snapshot_of(in_review, now=now).electorate.counted == ()


def test_the_absent_person_corrects_the_deputy_in_the_open_stage(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    confirmed(cast.reviewer_one, cast.product, cast=cast, now=now)
    in_place_of("reviewer_one", in_review, cast.product, now)
    later = now + timedelta(minutes=1)
    row = review.vote(
        request=in_review,
        stage_id="technical",
        choice=VoteChoice.REJECT,
        rationale="It is slower than claimed.",
        by=cast.reviewer_one,
        now=later,
    )
    assert row.state == "decided"
    electorate = snapshot_of(row, now=later).electorate
    assert electorate.progress.outcome is VotingOutcome.REJECTED
    assert [one.voter for one in electorate.counted] == ["Reviewer One"]


def test_the_rights_of_a_person_name_their_own_vote_first(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    make_absence(cast.reviewer_one, deputy=cast.reviewer_two, now=now)
    rights = voting_rights_of(snapshot_of(in_review, now=now), person=person_of(cast.reviewer_two))
    assert [(one.stage.id, one.deputyship and one.deputyship.absent.username) for one in rights] == [
        ("technical", None),
        ("technical", "reviewer_one"),
    ]
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_two, now=now)
    with refused(WrongState, match="You count already", code="already_voted"):
        in_place_of("reviewer_one", in_review, cast.reviewer_two, now)


def test_the_database_refuses_a_second_vote_for_a_person(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    absence = make_absence(cast.reviewer_one, deputy=cast.reviewer_two, now=now)
    fields = {
        "request": in_review,
        "revision": 1,
        "stage": "technical",
        "choice": "approve",
        "cast_at": now,
        "in_place_of": cast.reviewer_one,
    }
    Vote.objects.create(**fields, absence=absence, person=cast.reviewer_two)
    for wrong in ({"absence": absence, "person": cast.finance}, {"person": cast.finance, "revision": 2}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Vote.objects.create(**fields | wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.create(**fields | {"absence": absence, "person": cast.reviewer_one, "revision": 3})


def test_page_and_api_say_in_whose_place(
    in_review: ReviewRequest,
    cast: Cast,
    as_: Callable[[User], Client],
    api: Callable[[User | None], APIClient],
    now: datetime,
) -> None:
    confirmed(cast.reviewer_one, cast.product, cast=cast, now=now)
    make_absence(cast.reviewer_two, deputy=make_person("eve", Role.REVIEWER, now=now), now=now)
    path, eve = f"/requests/{in_review.ref}/", User.objects.get(username="eve")
    page = as_(eve).get(path).content.decode()
    assert "Your own: Technical review" in page
    assert "In the place of Reviewer Two: Technical review" in page
    seen = {"stage": "technical", "revision": "1", "choice": "approve"}
    assert as_(eve).post(f"{path}votes/", seen | {"in_place_of": "reviewer_one"}).status_code == 400
    answer = as_(cast.product).post(f"{path}votes/", seen | {"in_place_of": "reviewer_one"}, follow=True)
    assert "in the place of Reviewer One" in answer.content.decode()
    assert "Product in the place of Reviewer One" in answer.content.decode()
    body = {"stage": "technical", "choice": "approve", "in_place_of": "reviewer_two"}
    where = f"/api/v1/requests/{in_review.ref}/votes/"
    assert api(cast.outsider).post(where, body, format="json").status_code in {403, 404}
    assert [one["in_place_of"] for one in api(eve).get(where[:-6]).json()["voting_rights"]] == ["", "reviewer_two"]
    answer = api(eve).post(where, body, format="json")
    assert answer.status_code == 201, answer.json()
    voting = api(eve).get(where).json()
    assert [one["in_place_of"] for one in voting["votes"]] == ["Reviewer Two", "Reviewer One"]
    assert voting["stages"][0]["approvers"] == [
        "Product in the place of Reviewer One",
        "Eve in the place of Reviewer Two",
    ]


@pytest.mark.django_db(transaction=True)
def test_an_end_that_comes_first_stops_the_vote_that_waits(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    absence = confirmed(cast.reviewer_one, cast.product, cast=cast, now=now)
    is_ended = Event()

    def end() -> None:
        with transaction.atomic():
            end_absence(absence=absence, by=cast.reviewer_one, now=now)
            is_ended.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.5)")

    def vote() -> ReviewRequest:
        is_ended.wait(20)
        return in_place_of("reviewer_one", in_review, cast.product, now)

    _, answer = together([end, vote])
    assert isinstance(answer, NotAllowed)
    assert answer.code == "not_deputy"
    assert not Vote.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_deputy_and_the_absent_person_at_once_count_once(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    confirmed(cast.reviewer_one, cast.product, cast=cast, now=now)

    def own() -> ReviewRequest:
        return review.vote(
            request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now
        )

    together([own, lambda: in_place_of("reviewer_one", in_review, cast.product, now)])
    assert len(snapshot_of(in_review, now=now).electorate.counted) == 1
    assert snapshot_of(in_review, now=now).electorate.progress.stages[0].needed == 1
