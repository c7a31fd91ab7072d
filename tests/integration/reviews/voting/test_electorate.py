"""Who may vote, who has, and whose vote stands."""

from datetime import datetime

import pytest

from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.snapshots.queries.voting_rights import open_stage_for
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.domain.independence import Interest
from reviews.voting.domain.outcomes import VotingOutcome
from reviews.voting.queries.electorate import electorates_of
from reviews.workflow.actions import requests, review
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from weighbridge.core.errors import NotFound


def test_a_draft_has_no_stages_and_is_never_approved(draft: ReviewRequest, cast: Cast, now: datetime) -> None:
    electorate = snapshot_of(draft, now=now).electorate
    assert (electorate.stages, electorate.ballots, electorate.approver_ids) == ((), (), frozenset())
    assert electorate.progress.outcome is VotingOutcome.OPEN
    with pytest.raises(NotFound, match="no stage 'technical'"):
        electorate.stage("technical")


def test_everybody_with_a_stake_is_known(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    electorate = snapshot_of(in_review, now=now).electorate
    assert [user for user in cast.everybody() if electorate.interests.conflict_of(user.pk)] == [cast.author]
    assert electorate.interests.member_ids == {cast.author.pk}
    assert [stage.id for stage in electorate.stages] == ["technical", "gpu-budget"]
    assert electorate.stage("gpu-budget").title == "GPU budget"


def test_the_open_stage_is_offered_to_who_may_vote_in_it(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    def offered() -> list[str]:
        request = ReviewRequest.objects.get(pk=in_review.pk)
        found = {
            user.username: open_stage_for(snapshot_of(request, now=now), person=person_of(user))
            for user in cast.everybody()
        }
        return [f"{name}: {stage.id}" for name, stage in found.items() if stage is not None]

    assert offered() == ["reviewer_one: technical", "reviewer_two: technical"]
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    assert offered() == ["reviewer_two: technical"]
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_two, now=now)
    assert offered() == ["approver: gpu-budget"]
    review.vote(request=in_review, stage_id="gpu-budget", choice=VoteChoice.APPROVE, by=cast.approver, now=now)
    assert offered() == []


def test_ballots_of_every_revision_are_kept_and_only_the_last_counts(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    assert snapshot_of(in_review, now=now).electorate.approver_ids == {cast.reviewer_one.pk}
    revised = requests.revise(request=in_review, reason="", by=cast.author, now=now)
    assert [(ballot.person_name, ballot.revision) for ballot in snapshot_of(revised, now=now).electorate.ballots] == [
        ("Reviewer One", 1)
    ]
    assert snapshot_of(revised, now=now).electorate.approver_ids == frozenset()


def test_a_role_taken_back_takes_the_vote_back_until_it_returns(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    people.revoke_role(user=cast.reviewer_one, role=Role.REVIEWER, by=None, now=now)
    assert snapshot_of(in_review, now=now).electorate.progress.stages[0].needed == 2
    people.grant_role(user=cast.reviewer_one, role=Role.REVIEWER, by=None, now=now)
    assert snapshot_of(in_review, now=now).electorate.progress.stages[0].needed == 1


def test_votes_of_a_decided_request_stay_as_they_were_counted(
    decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    before = snapshot_of(decided, now=now).electorate.approver_ids
    assert len(before) == 3
    for person, role in ((cast.reviewer_one, Role.REVIEWER), (cast.approver, Role.PLATFORM_LEAD)):
        people.revoke_role(user=person, role=role, by=None, now=now)
        people.grant_role(user=person, role=Role.REQUESTER, team=decided.team, by=None, now=now)
    assert snapshot_of(ReviewRequest.objects.get(pk=decided.pk), now=now).electorate.approver_ids == before


def test_whoever_stated_answered_explained_or_ran_has_a_stake(
    submitted: ReviewRequest, cast: Cast, now: datetime
) -> None:
    team = submitted.team
    for user in (cast.reviewer_one, cast.reviewer_two):
        people.grant_role(user=user, role=Role.REQUESTER, team=team, by=None, now=now)
    walks.state_metric_value(request=submitted, name="error_rate", value="0.1", by=cast.reviewer_one, now=now)
    walks.answer_everything(request=submitted, by=cast.reviewer_two, now=now)
    assert snapshot_of(submitted, now=now).electorate.interests.people[Interest.EVIDENCE] == {
        cast.author.pk,
        cast.reviewer_one.pk,
        cast.reviewer_two.pk,
    }


def test_electorates_that_are_read_together_are_those_read_alone(
    in_review: ReviewRequest, cast: Cast, now: datetime
) -> None:
    other = make_version(by=cast.outsider, now=now, team="ads", slug="ranker", seed=1)
    version = make_version(by=cast.author, now=now, version="2.0.0", seed=1)
    assert other.digest == version.digest
    second = walks.make_in_review(cast=cast, now=now, version=version)
    review.vote(request=in_review, stage_id="technical", choice=VoteChoice.APPROVE, by=cast.reviewer_one, now=now)
    people.revoke_role(user=cast.author, role=Role.REQUESTER, team=in_review.team, by=cast.admin, now=now)
    ReviewRequest.objects.filter(pk=second.pk).update(data_since=now)
    rows = list(ReviewRequest.objects.filter(pk__in=[in_review.pk, second.pk]).order_by("pk"))
    together = electorates_of(rows, now=now)
    assert together == {request.pk: snapshot_of(request, now=now).electorate for request in rows}
    assert cast.outsider.pk in together[second.pk].interests.people[Interest.SAME_ARTIFACT]
    assert cast.outsider.pk not in together[in_review.pk].interests.people[Interest.SAME_ARTIFACT]
    assert electorates_of([], now=now) == {}
