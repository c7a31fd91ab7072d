"""Who may vote, and what votes add up to: truth tables with exact reasons."""

from typing import Any

import pytest

from governance.people.domain.roles import Person, Role
from governance.rulebook.domain.stages import Stage
from reviews.voting.domain.electorate import Ballot, Electorate, VoteChoice
from reviews.voting.domain.independence import Interest, Interests
from reviews.voting.domain.outcomes import VotingOutcome
from reviews.voting.domain.rationales import check_rationale
from tests.unit.reviews.voting.electorate import (
    ADAM,
    ANNE,
    AUDRA,
    BERT,
    BUDGET,
    EVA,
    GONE,
    LEA,
    OTTO,
    RITA,
    TECHNICAL,
    ballot,
    interests,
    person,
)
from tests.unit.reviews.voting.electorate import electorate as usual
from weighbridge.core.errors import Invalid, NotAllowed, Refused, WrongState


def electorate(*, ballots: tuple[Ballot, ...] = (), who: Interests | None = None, **changes: Any) -> Electorate:
    """One in which Otto owns the model and Eva wrote evidence too."""
    return usual(*ballots, who=who or interests(requester=RITA, owners=[OTTO], editors=[EVA]), **changes)


def check_may_vote(voter: Person, *, stage: Stage = TECHNICAL, **changes: Any) -> None:
    electorate(**changes).check_may_vote(voter, stage)


TECHNICAL_DONE = (ballot(ANNE, minute=1), ballot(BERT, minute=2))

CASES: list[tuple[Person, dict[str, Any], str | None]] = [
    (ANNE, {}, None),
    (BERT, {}, None),
    (RITA, {}, "separation_of_duties"),
    (OTTO, {}, "separation_of_duties"),
    (EVA, {}, "separation_of_duties"),
    (LEA, {}, "wrong_role"),
    (ADAM, {}, "wrong_role"),
    (AUDRA, {}, "wrong_role"),
    (GONE, {}, "inactive"),
    (ANNE, {"stage": BUDGET}, "wrong_role"),
    (LEA, {"stage": BUDGET}, "stage_not_open"),
    (BERT, {"stage": BUDGET}, "stage_not_open"),
    (LEA, {"stage": BUDGET, "ballots": TECHNICAL_DONE}, None),
    (BERT, {"stage": BUDGET, "ballots": TECHNICAL_DONE}, "already_voted"),
    (LEA, {"stage": BUDGET, "ballots": TECHNICAL_DONE, "revision": 2}, "stage_not_open"),
    (ANNE, {"ballots": (ballot(ANNE),)}, "already_voted"),
    (ANNE, {"ballots": (ballot(ANNE),), "revision": 2}, None),
    (person(20, "Rob", Role.REVIEWER), {"ballots": TECHNICAL_DONE}, "stage_complete"),
    (ANNE, {"ballots": (ballot(BERT, choice=VoteChoice.REJECT),)}, "voting_over"),
    (ANNE, {"ballots": (ballot(BERT, choice=VoteChoice.REQUEST_CHANGES),)}, "voting_over"),
    (ANNE, {"ballots": (*TECHNICAL_DONE[1:], ballot(person(21, "Rob"), minute=3), ballot(LEA, BUDGET))}, "voting_over"),
    (ANNE, {"stage": Stage(id="other", title="Other", role=Role.REVIEWER, quorum=1)}, "unknown_stage"),
    (ANNE, {"stages": ()}, "unknown_stage"),
    # A vote without its role is void, a veto too, so the stage is still open for others.
    (ANNE, {"ballots": (ballot(OTTO, choice=VoteChoice.REJECT, has_role=False), ballot(BERT))}, None),
]


@pytest.mark.parametrize(("who", "changes", "code"), CASES)
def test_who_may_vote(who: Person, changes: dict[str, Any], code: str | None) -> None:
    if code is None:
        check_may_vote(who, **changes)
        return
    with pytest.raises(Refused) as refused:
        check_may_vote(who, **changes)
    assert refused.value.code == code
    personal = code in {"separation_of_duties", "wrong_role", "inactive"}
    assert isinstance(refused.value, NotAllowed if personal else WrongState)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("interest", list(Interest))
def test_no_role_lifts_an_interest(role: Role, interest: Interest) -> None:
    everybody = person(30, "Max", *Role)
    stage = Stage(id="one", title="One", role=role, quorum=1)
    check_may_vote(everybody, stage=stage, stages=(stage,))
    with pytest.raises(NotAllowed) as refused:
        check_may_vote(everybody, stage=stage, stages=(stage,), who=Interests({interest: frozenset({30})}))
    assert refused.value.reason == f"{interest}; another person with the role must vote."


def test_the_closest_interest_is_named() -> None:
    everything = Interests({interest: frozenset({ANNE.id}) for interest in Interest})
    assert str(everything.conflict_of(ANNE.id)).startswith("You filed this request")
    assert everything.conflict_of(BERT.id) is None


THREE = Stage(id="three", title="Three", role=Role.REVIEWER, quorum=3, outside_team=2)
ROB = person(21, "Rob", Role.REVIEWER)


def test_some_approvals_must_come_from_outside_the_team() -> None:
    of_team = interests(members=[ANNE, BERT])
    check_may_vote(ANNE, stage=THREE, stages=(THREE,), who=of_team)
    with pytest.raises(NotAllowed) as refused:
        check_may_vote(BERT, stage=THREE, stages=(THREE,), who=of_team, ballots=(ballot(ANNE, THREE),))
    assert refused.value.reason == (
        "You file for the team of this request, and 2 of 3 approvals of the stage “Three” must come from outside the "
        "team; another person with the role must vote."
    )
    check_may_vote(ROB, stage=THREE, stages=(THREE,), who=of_team, ballots=(ballot(ANNE, THREE),))


def test_surplus_approvals_of_the_team_do_not_count() -> None:
    cast = (ballot(ANNE, minute=1), ballot(BERT, minute=2))
    progress = electorate(ballots=cast, who=interests(members=[ANNE, BERT])).progress
    assert [[one.person_name for one in row.approvals] for row in progress.stages] == [["Anne"], []]
    assert [row.needed for row in progress.stages] == [1, 1]


def test_every_vote_on_a_budget_comes_from_outside_the_team() -> None:
    with pytest.raises(NotAllowed, match="1 of 1 approvals"):
        check_may_vote(LEA, stage=BUDGET, ballots=TECHNICAL_DONE, who=interests(members=[LEA]))


def test_reasons_say_what_to_do() -> None:
    with pytest.raises(NotAllowed) as role:
        check_may_vote(ADAM, stage=BUDGET)
    assert role.value.reason == (
        "The stage “GPU budget” is voted on by people with the role platform lead, and you do not have it; "
        "an administrator can grant it."
    )
    with pytest.raises(WrongState) as early:
        check_may_vote(LEA, stage=BUDGET)
    assert (
        early.value.reason == "The stage “GPU budget” opens when “Technical review” is complete; wait for that stage."
    )
    with pytest.raises(WrongState) as twice:
        check_may_vote(BERT, stage=BUDGET, ballots=TECHNICAL_DONE)
    assert twice.value.reason == (
        "You have already voted on revision 1, in the stage “Technical review”; one person counts once. "
        "You can vote again when a new revision is opened."
    )
    with pytest.raises(WrongState) as over:
        check_may_vote(ANNE, ballots=(ballot(BERT, choice=VoteChoice.REQUEST_CHANGES),))
    assert over.value.reason == "The voting on revision 1 is over: changes requested."


A, B, L = VoteChoice.APPROVE, VoteChoice.REJECT, VoteChoice.REQUEST_CHANGES


@pytest.mark.parametrize(
    ("ballots", "outcome", "open_stage", "needed"),
    [
        ((), "open", TECHNICAL, (2, 1)),
        ((ballot(ANNE),), "open", TECHNICAL, (1, 1)),
        (TECHNICAL_DONE, "open", BUDGET, (0, 1)),
        ((*TECHNICAL_DONE, ballot(LEA, BUDGET, minute=3)), "approved", None, (0, 0)),
        ((*TECHNICAL_DONE, ballot(BERT, BUDGET, minute=3)), "open", BUDGET, (0, 1)),  # one person counts once
        ((ballot(ANNE), ballot(ANNE, minute=1)), "open", TECHNICAL, (1, 1)),
        ((ballot(ANNE, choice=B),), "rejected", None, (2, 1)),
        ((*TECHNICAL_DONE, ballot(LEA, BUDGET, B, minute=3)), "rejected", None, (0, 1)),
        ((ballot(ANNE, choice=L),), "changes_requested", None, (2, 1)),
        ((ballot(ANNE, choice=L), ballot(BERT, choice=B)), "rejected", None, (2, 1)),
        ((ballot(ANNE, choice=B), ballot(ANNE, choice=A, minute=1)), "rejected", None, (2, 1)),
        ((ballot(ANNE, revision=2), ballot(BERT, choice=B, revision=2)), "open", TECHNICAL, (2, 1)),
        ((ballot(ANNE), ballot(BERT, revision=0)), "open", TECHNICAL, (1, 1)),
    ],
)
def test_tally(ballots: tuple[Ballot, ...], outcome: str, open_stage: Stage | None, needed: tuple[int, int]) -> None:
    progress = electorate(ballots=ballots).progress
    assert progress.outcome == outcome
    assert progress.open_stages == ((open_stage,) if open_stage else ())
    assert tuple(row.needed for row in progress.stages) == needed
    assert tuple(row.is_complete for row in progress.stages) == tuple(count == 0 for count in needed)


def test_progress_names_the_approvals_of_a_stage() -> None:
    cast = (ballot(ANNE, minute=2), ballot(BERT, choice=B, minute=1))
    technical, budget = electorate(ballots=cast).progress.stages
    assert technical.stage == TECHNICAL
    assert [one.person_name for one in technical.approvals] == ["Anne"]
    assert budget.approvals == ()


def test_votes_count_while_the_role_is_held_and_whatever_happens_to_the_model() -> None:
    cast = (*TECHNICAL_DONE, ballot(LEA, BUDGET, minute=3))
    assert electorate(ballots=cast, who=interests(owners=[ANNE])).progress.outcome is VotingOutcome.APPROVED
    gone = (ballot(ANNE, minute=1, has_role=False), *cast[1:])
    progress = electorate(ballots=gone).progress
    assert (progress.outcome, progress.open_stages) == (VotingOutcome.OPEN, (TECHNICAL,))
    veto = (ballot(OTTO, choice=B, has_role=False),)
    assert electorate(ballots=veto).progress.outcome == "open"


def test_without_a_stage_nothing_is_ever_approved() -> None:
    progress = electorate(stages=(), ballots=(ballot(ANNE),)).progress
    assert (progress.outcome, progress.open_stages, progress.stages) == ("open", (), ())


def test_standing_keeps_the_first_ballot_of_each_person_in_the_order_cast() -> None:
    late, early, other = ballot(ANNE, choice=B, minute=9), ballot(ANNE, minute=1), ballot(BERT, minute=5)
    assert electorate(ballots=(late, other, early)).counted == (early, other)


@pytest.mark.parametrize("choice", [VoteChoice.REJECT, VoteChoice.REQUEST_CHANGES])
@pytest.mark.parametrize("rationale", ["", "  ", "no", " no  "])
def test_a_no_needs_a_reason(choice: VoteChoice, rationale: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_rationale(choice=choice, rationale=rationale)
    assert refused.value.field == "rationale"
    assert refused.value.code == "rationale_required"
    assert refused.value.reason.startswith(f"A vote to {choice.replace('_', ' ')} needs a reason of at least 3")


@pytest.mark.parametrize("choice", VoteChoice)
def test_a_reason_has_an_end(choice: VoteChoice) -> None:
    check_rationale(choice=choice, rationale="x" * 20_000)
    with pytest.raises(Invalid, match=r"A reason has at most 20,000 characters\.") as refused:
        check_rationale(choice=choice, rationale="x" * 20_001)
    assert refused.value.field == "rationale"


@pytest.mark.parametrize(
    ("choice", "rationale"),
    [(VoteChoice.APPROVE, ""), (VoteChoice.REJECT, "bad"), (VoteChoice.REQUEST_CHANGES, "too slow")],
)
def test_a_yes_needs_none_and_a_reasoned_no_passes(choice: VoteChoice, rationale: str) -> None:
    check_rationale(choice=choice, rationale=rationale)
