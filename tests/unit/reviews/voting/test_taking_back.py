"""Votes taken back: who may, until when, and that they leave nothing behind."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.people.domain.roles import Person
from reviews.voting.domain.electorate import Ballot, Electorate, VoteChoice
from reviews.voting.domain.outcomes import VotingOutcome
from tests.unit.reviews.voting.electorate import (
    ADAM,
    ANNE,
    BERT,
    BUDGET,
    EVA,
    GONE,
    LEA,
    NOON,
    OTTO,
    RITA,
    STAGES,
    TECHNICAL,
    ballot,
    electorate,
    interests,
)
from weighbridge.core.errors import NotAllowed, Refused, WrongState

APPROVE, REJECT, CHANGES = VoteChoice.APPROVE, VoteChoice.REJECT, VoteChoice.REQUEST_CHANGES
PEOPLE = (OTTO, EVA, ANNE, BERT, LEA, ADAM, GONE)


def taken(row: Ballot) -> Ballot:
    return replace(row, taken_back_at=NOON + timedelta(hours=1), taken_back_why="I misread the interval.")


@pytest.mark.parametrize(
    ("ballots", "who", "code"),
    [
        ([ballot(OTTO)], OTTO, ""),
        ([ballot(OTTO)], EVA, "not_voted"),
        ([], OTTO, "not_voted"),
        ([ballot(OTTO, revision=2)], OTTO, "not_voted"),
        ([taken(ballot(OTTO))], OTTO, "not_voted"),
        ([taken(ballot(OTTO)), ballot(OTTO, minute=2)], OTTO, ""),
        ([ballot(OTTO), ballot(EVA, minute=1)], OTTO, "stage_complete"),
        ([ballot(OTTO), ballot(EVA, minute=1)], EVA, "stage_complete"),
        ([ballot(OTTO), taken(ballot(EVA, minute=1))], OTTO, ""),
        ([ballot(OTTO), ballot(EVA, minute=1, has_role=False)], OTTO, ""),
        ([ballot(OTTO), ballot(EVA, minute=1), ballot(LEA, BUDGET, minute=2)], LEA, ""),
        ([ballot(OTTO), ballot(EVA, minute=1), ballot(LEA, BUDGET, minute=2)], EVA, ""),
        ([*map(ballot, (OTTO, EVA)), ballot(ANNE, has_role=False), ballot(LEA, BUDGET)], ANNE, "voting_over"),
        ([ballot(OTTO), ballot(EVA, choice=REJECT, minute=1)], OTTO, "voting_over"),
        ([ballot(OTTO, choice=REJECT)], OTTO, "voting_over"),
        ([ballot(OTTO, choice=CHANGES)], OTTO, "voting_over"),
        ([replace(ballot(OTTO), in_place_of_id=ANNE.id, in_place_of="Anne")], OTTO, ""),
        ([replace(ballot(OTTO), in_place_of_id=ANNE.id, in_place_of="Anne")], ANNE, "not_voted"),
        ([ballot(GONE)], GONE, "inactive"),
    ],
)
def test_who_may_take_a_vote_back(ballots: list[Ballot], who: Person, code: str) -> None:
    votes = electorate(*ballots)
    if not code:
        found = votes.check_may_take_back(who)
        assert (found.person_id, found.taken_back_at, found in ballots) == (who.id, None, True)
        return
    with pytest.raises(Refused) as refused:
        votes.check_may_take_back(who)
    assert (refused.value.code, type(refused.value)) == (code, NotAllowed if code == "inactive" else WrongState)


def test_the_reasons_are_sentences() -> None:
    done = electorate(ballot(OTTO), ballot(EVA, minute=1))
    with pytest.raises(WrongState) as refused:
        done.check_may_take_back(OTTO)
    assert refused.value.reason == (
        f"The stage “{TECHNICAL.title}” is complete, so your vote stands; a vote can be taken back until its stage is "
        "complete."
    )
    with pytest.raises(WrongState) as refused:
        electorate(revision=3).check_may_take_back(OTTO)
    assert refused.value.reason == "You have no vote on revision 3 to take back."
    with pytest.raises(WrongState) as refused:
        electorate(ballot(OTTO, choice=REJECT)).check_may_take_back(OTTO)
    assert refused.value.reason == "The voting on revision 1 is over: rejected."


def test_a_vote_taken_back_can_be_cast_anew() -> None:
    votes = electorate(taken(ballot(OTTO)))
    votes.check_may_vote(OTTO, TECHNICAL)
    assert (votes.counted, votes.progress.stages[0].needed) == ((), 2)
    again = electorate(taken(ballot(OTTO)), ballot(OTTO, minute=5))
    assert [one.cast_at for one in again.counted] == [NOON + timedelta(minutes=5)]


BALLOTS = st.builds(
    lambda who, stage, choice, minute, has_role, revision, absent, back: replace(
        ballot(who, stage, choice, minute=minute, has_role=has_role, revision=revision),
        in_place_of_id=absent.id if absent and absent != who else None,
        taken_back_at=NOON if back else None,
    ),
    st.sampled_from(PEOPLE),
    st.sampled_from(STAGES),
    st.sampled_from(VoteChoice),
    st.integers(0, 50),
    st.booleans(),
    st.integers(1, 2),
    st.none() | st.sampled_from(PEOPLE),
    st.booleans(),
)


@given(st.lists(BALLOTS, max_size=8), st.sets(st.sampled_from(PEOPLE), max_size=3))
def test_an_electorate_with_votes_taken_back_is_one_without_them(rows: list[Ballot], members: set[Person]) -> None:
    who = interests(requester=RITA, members=members)
    with_them = electorate(*rows, who=who)
    without = electorate(*(row for row in rows if row.taken_back_at is None), who=who)
    assert (with_them.counted, with_them.progress, with_them.approver_ids) == (
        without.counted,
        without.progress,
        without.approver_ids,
    )
    for who in PEOPLE:
        for check in (
            lambda votes, who=who: votes.check_may_vote(who, TECHNICAL),
            lambda votes, who=who: votes.check_may_vote(who, BUDGET),
            lambda votes, who=who: votes.check_may_take_back(who),
        ):
            assert answer(check, with_them) == answer(check, without)


def answer(check, votes: Electorate) -> object:
    try:
        return check(votes)
    except Refused as refusal:
        return refusal.reason


@given(st.lists(BALLOTS, max_size=8, unique_by=lambda row: (row.person_id, row.revision)))
def test_taking_back_never_settles_anything(rows: list[Ballot]) -> None:
    own = [row for row in rows if row.in_place_of_id is None]
    votes = electorate(*own)
    for who in PEOPLE:
        try:
            found = votes.check_may_take_back(who)
        except Refused:
            continue
        after = electorate(*(taken(row) if row == found else row for row in own))
        assert after.progress.outcome is VotingOutcome.OPEN
        assert after.progress.open_stages == votes.progress.open_stages
