"""A request walked at random through lifecycle and voting, against an oracle that shares no code with either.

The walker calls the checks the way an action does: ask, then write. The oracle keeps plain sets and says what must
have happened. Any step on which they differ is a bug in one of them.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from governance.people.domain.roles import Role
from governance.rulebook.domain.stages import Stage
from reviews.requests.domain.lifecycle import RequestState, check_action, check_transition
from reviews.voting.domain.electorate import Ballot, Electorate, VoteChoice
from reviews.voting.domain.independence import Interest, Interests
from reviews.voting.domain.outcomes import VotingOutcome
from reviews.voting.domain.rationales import check_rationale
from tests.unit.reviews.voting.electorate import BUDGET, NOON, STAGES, TECHNICAL, electorate, person
from weighbridge.core.errors import Refused

PEOPLE = {
    1: person(1, "Rita", Role.REQUESTER, Role.REVIEWER),
    2: person(2, "Otto", Role.REVIEWER, Role.PLATFORM_LEAD),
    3: person(3, "Anne", Role.REVIEWER),
    4: person(4, "Bert", Role.REVIEWER, Role.PLATFORM_LEAD),
    5: person(5, "Lea", Role.PLATFORM_LEAD),
    6: person(6, "Adam", Role.ADMIN, Role.REVIEWER),
}
TEAM = frozenset({3, 4})
WHO = st.sampled_from(sorted(PEOPLE))


@dataclass
class Oracle:
    """What must be true, in sets of numbers."""

    state: str = "draft"
    owner: int = 2
    editors: set[int] = field(default_factory=set)
    team: set[int] = field(default_factory=lambda: {3, 4})
    yes: dict[str, set[int]] = field(default_factory=lambda: {"technical": set(), "budget": set()})

    def may_vote(self, who: int, stage: str) -> bool:
        if self.state != "in_review" or who in {1, self.owner} | self.editors:
            return False
        wanted = {"technical": Role.REVIEWER, "budget": Role.PLATFORM_LEAD}[stage]
        if wanted not in PEOPLE[who].roles or who in self.yes["technical"] | self.yes["budget"]:
            return False
        if stage == "budget":
            return len(self.yes["technical"]) >= 2 and who not in self.team
        of_team = self.yes["technical"] & self.team
        return len(self.yes["technical"]) < 2 and not (who in self.team and of_team)

    def vote(self, who: int, stage: str, choice: str) -> None:
        if choice == "approve":
            self.yes[stage].add(who)
            if len(self.yes["technical"]) >= 2 and self.yes["budget"]:
                self.state = "approved"
        else:
            self.state = {"reject": "rejected", "request_changes": "changes_requested"}[choice]

    def may_take_back(self, who: int) -> bool:
        """Only an approval leaves the voting open, and it can be taken back while its stage lacks another one."""
        return self.state == "in_review" and who in self.yes["technical"] and len(self.yes["technical"]) < 2

    def void(self) -> None:
        self.yes = {"technical": set(), "budget": set()}


class ReviewWalk(RuleBasedStateMachine):
    """Create, edit, submit, ask for review, vote, reject, revise, withdraw, reassign, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.outcome, self.revision = RequestState.DRAFT, "", 1
        self.owner, self.editors = 2, frozenset[int]()
        self.ballots: list[Ballot] = []
        self.oracle = Oracle()

    def _try(self, action: str, target: RequestState) -> bool:
        try:
            check_action(source=self.state, action=action)
            check_transition(source=self.state, target=target)
        except Refused:
            return False
        self.state = target
        return True

    @rule()
    def submit(self) -> None:
        assert self._try("submit", RequestState.SCREENING) == (self.oracle.state == "draft")
        if self.oracle.state == "draft":
            assert self._try("screen", RequestState.EVIDENCE)
            self.oracle.state = "evidence"

    @rule(who=WHO)
    def edit_evidence(self, who: int) -> None:
        if self.oracle.state == "evidence":
            self.editors |= {who}
            self.oracle.editors.add(who)

    @rule()
    def request_review(self) -> None:
        assert self._try("request_review", RequestState.IN_REVIEW) == (self.oracle.state == "evidence")
        if self.oracle.state == "evidence":
            self.oracle.state = "in_review"

    @rule()
    def revise(self) -> None:
        may = self.oracle.state in {"in_review", "changes_requested"}
        assert self._try("revise", RequestState.EVIDENCE) == may
        if may:
            self.revision += 1
            self.oracle.void()
            self.oracle.state = "evidence"

    @rule(who=WHO)
    def reassign_owner(self, who: int) -> None:
        self.owner = self.oracle.owner = who

    @rule()
    def withdraw(self) -> None:
        may = self.oracle.state in {"draft", "evidence", "in_review", "changes_requested"}
        assert self._try("withdraw", RequestState.WITHDRAWN) == may
        if may:
            self.oracle.state = "withdrawn"

    @rule(
        who=WHO,
        stage=st.sampled_from(STAGES),
        choice=st.sampled_from(VoteChoice),
        rationale=st.sampled_from(["", "why"]),
    )
    def vote(self, who: int, stage: Stage, choice: VoteChoice, rationale: str) -> None:
        expected = self.oracle.may_vote(who, stage.id) and (choice == "approve" or rationale == "why")
        before = (self.state, list(self.ballots))
        assert self._vote(who, stage, choice, rationale) == expected
        if expected:
            self.oracle.vote(who, stage.id, choice)
        else:
            assert (self.state, self.ballots) == before

    @rule(who=st.sampled_from([3, 4, 6]), stage=st.sampled_from(STAGES))
    def approve(self, who: int, stage: Stage) -> None:
        self.vote(who=who, stage=stage, choice=VoteChoice.APPROVE, rationale="")

    @rule(who=WHO)
    def take_back(self, who: int) -> None:
        expected = self.oracle.may_take_back(who)
        assert self._take_back(who) == expected
        if expected:
            self.oracle.yes["technical"].discard(who)

    def _take_back(self, who: int) -> bool:
        if self.state is not RequestState.IN_REVIEW:
            return False
        try:
            taken = self._electorate().check_may_take_back(PEOPLE[who])
        except Refused:
            return False
        at = self.ballots.index(taken)
        self.ballots[at] = replace(taken, taken_back_at=NOON)
        assert self._electorate().progress.outcome is VotingOutcome.OPEN
        return True

    def _vote(self, who: int, stage: Stage, choice: VoteChoice, rationale: str) -> bool:
        if self.state is not RequestState.IN_REVIEW:
            return False
        try:
            check_rationale(choice=choice, rationale=rationale)
            self._electorate().check_may_vote(PEOPLE[who], stage)
        except Refused:
            return False
        self.ballots.append(
            Ballot(
                person_id=who,
                person_name=PEOPLE[who].name,
                stage_id=stage.id,
                choice=choice,
                revision=self.revision,
                rationale=rationale,
                cast_at=NOON + timedelta(minutes=len(self.ballots)),
            )
        )
        self._settle()
        return True

    def _electorate(self) -> Electorate:
        who = Interests(
            {
                Interest.REQUESTER: frozenset({1}),
                Interest.OWNER: frozenset({self.owner}),
                Interest.EVIDENCE: self.editors,
            },
            member_ids=TEAM,
        )
        return electorate(*self.ballots, revision=self.revision, who=who)

    def _settle(self) -> None:
        outcome = self._electorate().progress.outcome
        if outcome == "changes_requested":
            assert self._try("request_changes", RequestState.CHANGES_REQUESTED)
        elif outcome != "open":
            assert self._try("decide", RequestState.DECIDED)
            self.outcome = str(outcome)

    @invariant()
    def both_agree(self) -> None:
        assert (self.outcome or str(self.state)) == self.oracle.state

    @invariant()
    def an_approval_has_three_distinct_people_without_a_stake(self) -> None:
        if self.outcome == "approved" and self.oracle.state == "approved":
            voters = {ballot.person_id for ballot in self.ballots if ballot.revision == self.revision}
            assert len(voters) >= TECHNICAL.quorum + BUDGET.quorum
            assert 1 not in voters


TestReviewWalk = ReviewWalk.TestCase
TestReviewWalk.settings = settings(max_examples=100, stateful_step_count=40)
