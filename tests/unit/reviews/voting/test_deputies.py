"""Ballots of deputies: what they may do, what counts, and that no person ever counts twice."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.absences.domain import Deputyship, Period
from governance.people.domain.roles import Person, Role
from governance.rulebook.domain.stages import Stage
from reviews.voting.domain.electorate import Ballot, Electorate, VoteChoice
from reviews.voting.domain.independence import Interest, Interests
from reviews.voting.domain.outcomes import VotingOutcome
from tests.refusals import has_code
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
    TECHNICAL,
    ballot,
    electorate,
    interests,
)
from weighbridge.core.errors import NotAllowed, Refused, WrongState

DAYS = Period(date(2026, 7, 1), date(2026, 7, 7))


def deputyship(absent: Person, deputy: Person, *confirmed: Role) -> Deputyship:
    return Deputyship(absence_id=7, absent=absent, deputy=deputy, period=DAYS, confirmed_roles=frozenset(confirmed))


def in_place(
    absent: Person,
    deputy: Person,
    stage: Stage = TECHNICAL,
    *,
    minute: int = 0,
    choice: VoteChoice = VoteChoice.APPROVE,
    has_role: bool = True,
) -> Ballot:
    own = ballot(deputy, stage, choice, minute=minute, has_role=has_role)
    names = {name: getattr(own, name) for name in own.__slots__}
    return Ballot(**names | {"in_place_of_id": absent.id, "in_place_of": absent.name})


def test_a_deputy_votes_for_the_absent_person() -> None:
    electorate().check_may_vote(OTTO, TECHNICAL, deputyship=deputyship(EVA, OTTO))
    electorate().check_may_vote(ADAM, TECHNICAL, deputyship=deputyship(EVA, ADAM, Role.REVIEWER))
    one = in_place(EVA, OTTO)
    assert (one.people, one.voter) == ({EVA.id, OTTO.id}, "Otto in the place of Eva")
    assert ballot(OTTO).voter == "Otto"
    assert electorate(one).approver_ids == {OTTO.id}


@pytest.mark.parametrize(
    ("absent", "deputy", "code", "words"),
    [
        (RITA, OTTO, "separation_of_duties", "Rita has an interest in this request, so nobody votes in their place"),
        (OTTO, RITA, "separation_of_duties", "You filed this request"),
        (EVA, ADAM, "wrong_role", "To act in the place of Eva as reviewer, you need that role"),
        (LEA, OTTO, "wrong_role", "Lea does not have the role reviewer"),
        (GONE, OTTO, "wrong_role", "Gone does not have the role reviewer"),
        (EVA, GONE, "inactive", "Your account is not active"),
    ],
)
def test_the_rules_of_independence_bind_both(absent: Person, deputy: Person, code: str, words: str) -> None:
    with pytest.raises(NotAllowed, match=words, check=has_code(code)):
        electorate().check_may_vote(deputy, TECHNICAL, deputyship=deputyship(absent, deputy))


def test_an_owner_away_gives_nobody_a_vote_on_their_own_model() -> None:
    owned = interests(requester=RITA, owners=[EVA])
    with pytest.raises(NotAllowed, match="Eva has an interest"):
        electorate(who=owned).check_may_vote(OTTO, TECHNICAL, deputyship=deputyship(EVA, OTTO, Role.REVIEWER))


@pytest.mark.parametrize(
    ("cast", "absent", "deputy", "words"),
    [
        (ballot(OTTO), EVA, OTTO, r"You count already on revision 1, in the stage “Technical review” \(Otto\)"),
        (ballot(EVA), EVA, OTTO, r"Eva counts already on revision 1, in the stage “Technical review” \(Eva\)"),
        (in_place(EVA, OTTO), EVA, ANNE, r"Eva counts already .* \(Otto in the place of Eva\)"),
        (in_place(EVA, OTTO), ANNE, OTTO, r"You count already .* \(Otto in the place of Eva\)"),
        (in_place(EVA, OTTO), ANNE, EVA, r"You count already .* \(Otto in the place of Eva\)"),
        (in_place(EVA, OTTO), OTTO, ANNE, r"Otto counts already .* \(Otto in the place of Eva\)"),
    ],
)
def test_neither_person_counts_twice(cast: Ballot, absent: Person, deputy: Person, words: str) -> None:
    with pytest.raises(WrongState, match=words, check=has_code("already_voted")):
        electorate(cast).check_may_vote(deputy, TECHNICAL, deputyship=deputyship(absent, deputy))


def test_a_deputy_has_no_second_vote_of_their_own() -> None:
    with pytest.raises(WrongState, match="You have already voted on revision 1"):
        electorate(in_place(EVA, OTTO)).check_may_vote(OTTO, TECHNICAL)


def test_the_absent_person_corrects_the_deputy_while_the_stage_is_open() -> None:
    for_eva = in_place(EVA, OTTO, minute=1)
    electorate(for_eva).check_may_vote(EVA, TECHNICAL)
    corrected = electorate(for_eva, ballot(EVA, choice=VoteChoice.REJECT, minute=2))
    assert [one.voter for one in corrected.counted] == ["Eva"]
    assert corrected.progress.outcome is VotingOutcome.REJECTED
    with pytest.raises(WrongState, match="complete", check=has_code("stage_complete")):
        electorate(for_eva, ballot(ANNE, minute=2)).check_may_vote(EVA, TECHNICAL)


def test_the_absent_person_does_not_count_in_a_second_stage() -> None:
    cast = electorate(in_place(BERT, OTTO), ballot(ANNE, minute=1))
    with pytest.raises(WrongState, match="Otto voted in your place on revision 1, in the stage “Technical review”"):
        cast.check_may_vote(BERT, BUDGET)
    cast.check_may_vote(LEA, BUDGET)


def test_a_member_of_the_team_is_seen_behind_the_deputy() -> None:
    members = interests(requester=RITA, members=[EVA, ANNE])
    cast = electorate(in_place(EVA, OTTO), who=members)
    with pytest.raises(NotAllowed, match="You file for the team of this request, and 1 of 2 approvals"):
        cast.check_may_vote(ANNE, TECHNICAL)
    with pytest.raises(NotAllowed, match="You or the absent person file for the team"):
        cast.check_may_vote(BERT, TECHNICAL, deputyship=deputyship(ANNE, BERT))
    both = electorate(in_place(EVA, OTTO), in_place(ANNE, BERT, minute=1), who=members)
    assert both.progress.stages[0].needed == 1


def test_a_ballot_without_a_role_counts_for_nobody() -> None:
    cast = electorate(in_place(EVA, OTTO, has_role=False), ballot(ANNE, minute=1))
    assert [one.voter for one in cast.counted] == ["Anne"]


ROLES = st.sets(st.sampled_from([Role.REVIEWER, Role.PLATFORM_LEAD, Role.FINANCE]), max_size=2)
PEOPLE = st.lists(ROLES, min_size=3, max_size=6).map(
    lambda roles: [
        Person(id=number, username=f"p{number}", name=f"P{number}", roles=frozenset(held))
        for number, held in enumerate(roles, start=1)
    ]
)


@st.composite
def votings(draw: st.DrawFn) -> tuple[Electorate, frozenset[int], list[int]]:
    """A voting run to its end by whoever may vote, in any order, in any name: the rules alone say who may.

    Returns the electorate with all ballots, who must not vote, and how many approvals there were after each ballot.
    """
    people = draw(PEOPLE)
    ids = st.sampled_from([one.id for one in people])
    forbidden, members = draw(st.frozensets(ids, max_size=2)), draw(st.frozensets(ids, max_size=3))
    who = Interests({Interest.EVIDENCE: forbidden}, members)
    quorum = draw(st.integers(1, 3))
    outside = draw(st.integers(1, quorum))
    first = Stage(id="first", title="First", role=Role.REVIEWER, quorum=quorum, outside_team=outside)
    stages = (first, Stage(id="second", title="Second", role=Role.PLATFORM_LEAD, quorum=1))
    ballots: list[Ballot] = []
    complete: list[int] = []
    pairs = st.tuples(
        st.sampled_from(people), st.none() | st.sampled_from(people), st.sampled_from(stages), st.booleans()
    )
    for minute, (voter, absent, stage, is_confirmed) in enumerate(draw(st.lists(pairs, max_size=14))):
        if absent is voter:
            continue
        confirmed = absent.roles if absent is not None and is_confirmed else frozenset()
        right = None if absent is None else deputyship(absent, voter, *confirmed)
        voting = electorate(*ballots, stages=stages, who=who)
        try:
            voting.check_may_vote(voter, stage, deputyship=right)
        except Refused:
            continue
        ballots.append(
            Ballot(
                person_id=voter.id,
                person_name=voter.name,
                stage_id=stage.id,
                choice=VoteChoice.APPROVE,
                revision=1,
                rationale="",
                cast_at=NOON + timedelta(minutes=minute),
                in_place_of_id=None if absent is None else absent.id,
                in_place_of="" if absent is None else absent.name,
            )
        )
        after = electorate(*ballots, stages=stages, who=who)
        complete.append(sum(row.is_complete for row in after.progress.stages))
    return electorate(*ballots, stages=stages, who=who), forbidden, complete


@settings(max_examples=400, deadline=None)
@given(votings())
def test_no_approval_has_a_person_twice_or_one_with_an_interest(
    run: tuple[Electorate, frozenset[int], list[int]],
) -> None:
    voting, forbidden, complete = run
    approvals = [one for row in voting.progress.stages for one in row.approvals]
    people = [person for one in approvals for person in one.people]
    assert len(people) == len(set(people))
    assert not forbidden & set(people)
    for row in voting.progress.stages:
        of_team = sum(any(map(voting.interests.is_member, one.people)) for one in row.approvals)
        assert of_team <= row.stage.quorum - row.stage.outside_team
    # A ballot stays, and a stage that is complete stays complete: nothing here asks whether the absence still lasts.
    assert complete == sorted(complete)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_ballots_that_nobody_checked_still_count_each_person_once(data: st.DataObject) -> None:
    """Whatever rows lie in the table: the count itself never lets a person count twice."""
    people = [EVA, OTTO, ANNE, BERT]
    pairs = st.tuples(st.sampled_from(people), st.none() | st.sampled_from(people), st.integers(0, 5), st.booleans())
    ballots = [
        ballot(voter, minute=minute, has_role=has_role)
        if absent in (None, voter)
        else in_place(absent, voter, minute=minute, has_role=has_role)
        for voter, absent, minute, has_role in data.draw(st.lists(pairs, max_size=8))
    ]
    counted = [person for one in electorate(*ballots).counted for person in one.people]
    assert len(counted) == len(set(counted))
