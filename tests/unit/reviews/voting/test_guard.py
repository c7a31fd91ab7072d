"""The guard of a vote: once the outcome is settled, no stage is open."""

from types import SimpleNamespace
from typing import Any

import pytest

from reviews.requests.domain.lifecycle import RequestState
from reviews.snapshots.queries.voting_rights import check_can_vote, open_stage_for
from reviews.voting.domain.electorate import Ballot, VoteChoice
from tests.unit.reviews.voting.electorate import BERT, EVA, OTTO, ballot, electorate
from weighbridge.core.errors import WrongState


def in_review(*ballots: Ballot) -> Any:
    voting = electorate(*ballots)
    return SimpleNamespace(state=RequestState.IN_REVIEW, electorate=voting, deputyships_of=lambda _: ())


def test_nobody_votes_once_the_outcome_is_settled() -> None:
    settled = in_review(ballot(OTTO, choice=VoteChoice.REJECT))
    with pytest.raises(WrongState, match="The voting on this revision is over"):
        check_can_vote(settled, person=EVA)
    assert open_stage_for(settled, person=BERT) is None
