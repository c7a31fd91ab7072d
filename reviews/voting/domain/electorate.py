"""Who may vote on a revision, and the outcome of the votes.

A stage opens when the stages it comes after are complete. It is complete when its quorum of different people has
approved, of whom the policy wants some from outside the team. A person counts once per revision, in whatever stage. One
rejection ends the review; one request for changes sends the revision back. Votes on other revisions never count, and a
vote counts only while the person still has the role; what happens to the model later never voids it.

Separation of duties has no exceptions, not even for administrators: nobody with an interest in the request
(`independence.py`) can vote.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from reviews.voting.domain.independence import ANOTHER, Interests
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState

if TYPE_CHECKING:
    from governance.people.domain.roles import Person
    from governance.rulebook.domain.stages import Stage

RATIONALE_MIN_LENGTH = 3


class VoteChoice(StrEnum):
    """The choices of a voter."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"


class VotingOutcome(StrEnum):
    """The outcome of the votes on one revision."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes_requested"

    @property
    def words(self) -> str:
        """The name as used in sentences."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One vote. `has_role` says whether the person still has the role of the stage; after the decision it is True."""

    person_id: int
    person_name: str
    stage_id: str
    choice: VoteChoice
    revision: int
    rationale: str
    cast_at: datetime
    has_role: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """The progress of a stage. `needed` is the number of approvals still missing."""

    stage: "Stage"
    approvals: tuple[Ballot, ...]
    needed: int

    @property
    def is_complete(self) -> bool:
        """Whether no approval is missing."""
        return self.needed == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of the voting on one revision. `open_stages` is empty when the outcome is final."""

    open_stages: tuple["Stage", ...]
    stages: tuple[StageProgress, ...]
    outcome: VotingOutcome


def check_rationale(*, choice: VoteChoice, rationale: str) -> None:
    """Raise `Invalid` if a rejection or a request for changes has no reason."""
    if choice != VoteChoice.APPROVE and len(rationale.strip()) < RATIONALE_MIN_LENGTH:
        action = choice.replace("_", " ")
        raise Invalid(
            f"A vote to {action} needs a reason of at least {RATIONALE_MIN_LENGTH} characters: "
            "describe the problem, so that the requester can act on it.",
            code="rationale_required",
            field="rationale",
        )


@dataclass(frozen=True, kw_only=True)
class Electorate:
    """The stages and votes of a request, and the people with an interest in it."""

    stages: tuple["Stage", ...]
    ballots: tuple[Ballot, ...]
    revision: int
    interests: Interests

    @cached_property
    def counted(self) -> tuple[Ballot, ...]:
        """The ballots that count: on this revision, by people who have the role, and only the first of each."""
        first: dict[int, Ballot] = {}
        for ballot in sorted(self.ballots, key=lambda one: (one.cast_at, one.person_id)):
            if ballot.revision == self.revision and ballot.has_role:
                first.setdefault(ballot.person_id, ballot)
        return tuple(first.values())

    @cached_property
    def progress(self) -> Progress:
        """The progress of the voting on the current revision. Without stages, nothing is approved."""
        rows = tuple(map(self._stage_progress, self.stages))
        outcome = self._outcome(rows)
        complete = {row.stage.id for row in rows if row.is_complete}
        waiting = (row.stage for row in rows if not row.is_complete)
        open_stages = tuple(stage for stage in waiting if self._before(stage) <= complete)
        return Progress(open_stages=open_stages if outcome is VotingOutcome.OPEN else (), stages=rows, outcome=outcome)

    def _before(self, stage: "Stage") -> frozenset[str]:
        """The ids of the stages that the stage comes after; without `after`, all that are listed before it."""
        if stage.after is not None:
            return frozenset(stage.after)
        ids = [each.id for each in self.stages]
        return frozenset(ids[: ids.index(stage.id)])

    def may_settle(self, stage: "Stage") -> bool:
        """Whether approvals of this stage can complete the voting: it is the only stage that is not complete."""
        return [row.stage.id for row in self.progress.stages if not row.is_complete] == [stage.id]

    @property
    def approver_ids(self) -> frozenset[int]:
        """The ids of the people whose approvals of the current revision count."""
        return frozenset(ballot.person_id for row in self.progress.stages for ballot in row.approvals)

    def stage(self, stage_id: str) -> "Stage":
        """The stage with this id. Raises NotFound."""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise NotFound(
            f"This review has no stage {stage_id!r}; its stages are {', '.join(s.id for s in self.stages)}.",
            field="stage",
        )

    def check_may_vote(self, person: "Person", stage: "Stage") -> None:
        """Raise unless this person may vote in this stage now.

        `NotAllowed` where the person may not (inactive, a stake, the wrong role), `WrongState` where the moment is
        wrong (already voted, stage not open, voting over). The reason is a sentence for that person.
        """
        self._check_person(person, stage)
        self._check_not_voted(person)
        self._check_stage_open(stage)

    def _stage_progress(self, stage: "Stage") -> StageProgress:
        given = [one for one in self.counted if one.stage_id == stage.id and one.choice == VoteChoice.APPROVE]
        members = [one for one in given if self.interests.is_member(one.person_id)]
        surplus = members[max(0, stage.quorum - stage.outside_team) :]
        approvals = tuple(one for one in given if one not in surplus)
        return StageProgress(stage=stage, approvals=approvals, needed=max(0, stage.quorum - len(approvals)))

    def _outcome(self, rows: tuple[StageProgress, ...]) -> VotingOutcome:
        choices = {ballot.choice for ballot in self.counted}
        if VoteChoice.REJECT in choices:
            return VotingOutcome.REJECTED
        if VoteChoice.REQUEST_CHANGES in choices:
            return VotingOutcome.CHANGES_REQUESTED
        is_approved = bool(rows) and all(row.is_complete for row in rows)
        return VotingOutcome.APPROVED if is_approved else VotingOutcome.OPEN

    def _check_person(self, person: "Person", stage: "Stage") -> None:
        if not person.is_active:
            raise NotAllowed("Your account is not active, so it cannot vote; ask an administrator.", code="inactive")
        if conflict := self.interests.conflict_of(person.id):
            raise NotAllowed(conflict, code="separation_of_duties")
        if stage.role not in person.roles:
            role = str(stage.role).replace("_", " ")
            raise NotAllowed(
                f"The stage “{stage.title}” is voted on by people with the role {role}, and you do not have it; "
                "an administrator can grant it.",
                code="wrong_role",
            )
        self._check_outside(person, stage)

    def _check_outside(self, person: "Person", stage: "Stage") -> None:
        """Raise if the person is of the team, and the approvals that are missing must come from outside it."""
        row = next((one for one in self.progress.stages if one.stage.id == stage.id), None)
        if row is None or not self.interests.is_member(person.id):
            return
        members = sum(self.interests.is_member(ballot.person_id) for ballot in row.approvals)
        if members >= stage.quorum - stage.outside_team:
            raise NotAllowed(
                f"You file for the team of this request, and {stage.outside_team} of {stage.quorum} approvals of the "
                f"stage “{stage.title}” must come from outside the team; {ANOTHER}",
                code="separation_of_duties",
            )

    def _check_not_voted(self, person: "Person") -> None:
        own = (one for one in self.ballots if one.person_id == person.id)
        ballot = next((one for one in own if one.revision == self.revision), None)
        if ballot is not None:
            title = next((stage.title for stage in self.stages if stage.id == ballot.stage_id), ballot.stage_id)
            raise WrongState(
                f"You have already voted on revision {self.revision}, in the stage “{title}”; one person counts once. "
                "You can vote again when a new revision is opened.",
                code="already_voted",
            )

    def _check_stage_open(self, stage: "Stage") -> None:
        outcome, open_ids = self.progress.outcome, {each.id for each in self.progress.open_stages}
        if outcome is not VotingOutcome.OPEN:
            raise WrongState(f"The voting on revision {self.revision} is over: {outcome.words}.", code="voting_over")
        row = next((one for one in self.progress.stages if one.stage.id == stage.id), None)
        if row is None:
            raise WrongState(f"The stage “{stage.title}” is not part of this review.", code="unknown_stage")
        if row.is_complete:
            raise WrongState(
                f"The stage “{stage.title}” is complete with {stage.quorum} of {stage.quorum} approvals; no more are "
                "needed.",
                code="stage_complete",
            )
        if stage.id not in open_ids:
            missing = self._before(stage) - {one.stage.id for one in self.progress.stages if one.is_complete}
            titles = " and ".join(f"“{each.title}”" for each in self.stages if each.id in missing)
            raise WrongState(
                f"The stage “{stage.title}” opens when {titles} is complete; wait for that stage.",
                code="stage_not_open",
            )
