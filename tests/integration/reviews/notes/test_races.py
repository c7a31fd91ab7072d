"""A form that saves itself and a vote, at once: the vote leaves no draft behind."""

from datetime import datetime

import pytest

from reviews.notes.domain.draft_votes import VoteDraft
from reviews.notes.models import DraftVote
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.models import Vote
from reviews.workflow.actions import review
from tests.factories.people import Cast
from tests.threads import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_vote_ends_its_draft(in_review: ReviewRequest, cast: Cast, now: datetime) -> None:
    def save() -> None:
        draft = VoteDraft(rationale="It is slow.")
        DraftVote.keep(request=in_review, person_id=cast.reviewer_one.pk, draft=draft, seen=1, now=now)

    def vote() -> object:
        voter, choice = cast.reviewer_one, VoteChoice.APPROVE
        return review.vote(request=in_review, stage_id="technical", choice=choice, by=voter, now=now)

    results = together([save, vote, save, vote, save])
    assert Vote.objects.count() == 1
    assert not DraftVote.objects.exists()
    codes = {getattr(each, "code", "") for each in results if isinstance(each, Exception)}
    assert codes == {"already_voted"}
