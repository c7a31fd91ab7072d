"""Who may vote on a revision, and the outcome of the votes.

Stages run one after another. A stage is complete when its quorum of different people has approved. A person counts
once per revision, in whatever stage. One rejection ends the review; one request for changes sends the revision back.
Votes on other revisions never count.

Separation of duties has no exceptions, not even for administrators: the requester, the model owner, and everyone who
ran or edited evidence cannot vote.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid, NotAllowed, WrongState

if TYPE_CHECKING:
    from governance.people.domain.roles import Person
    from governance.rulebook.domain.policy import Stage

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
    """One vote."""

    person_id: int
    person_name: str
    stage_id: str
    choice: VoteChoice
    revision: int
    rationale: str
    cast_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """The progress of a stage. `needed` is the number of approvals still missing."""

    stage: "Stage"
    approvals: tuple[Ballot, ...]
    rejections: tuple[Ballot, ...]
    needed: int
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of the voting on one revision. `open_stage` is None when the outcome is final."""

    open_stage: "Stage | None"
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


def conflict_of(*, person_id: int, requester_id: int, owner_id: int, evidence_editor_ids: frozenset[int]) -> str | None:
    """The reason why this person has a stake in the request, as a sentence; None if they have none."""
    if person_id == requester_id:
        return "You filed this request, and nobody votes on their own request; another person with the role must vote."
    if person_id == owner_id:
        return "You own this model, and nobody votes on their own model; another person with the role must vote."
    if person_id in evidence_editor_ids:
        return (
            "You ran or edited evidence of this request, so you cannot vote on it; "
            "another person with the role must vote."
        )
    return None


def counted_ballots(
    *, ballots: Sequence[Ballot], revision: int, conflicted_ids: frozenset[int] = frozenset()
) -> tuple[Ballot, ...]:
    """The ballots that count: on this revision, by people without a stake, and only the first of each person."""
    first: dict[int, Ballot] = {}
    for ballot in sorted(ballots, key=lambda one: (one.cast_at, one.person_id)):
        if ballot.revision == revision and ballot.person_id not in conflicted_ids:
            first.setdefault(ballot.person_id, ballot)
    return tuple(first.values())


def tally(
    *,
    stages: Sequence["Stage"],
    ballots: Sequence[Ballot],
    revision: int,
    conflicted_ids: frozenset[int] = frozenset(),
) -> Progress:
    """Count the votes on one revision. Never raises. Without stages, nothing is approved.

    `conflicted_ids` are people who have a stake now, for example a voter who became the model owner. Their votes are
    void.
    """
    counted = counted_ballots(ballots=ballots, revision=revision, conflicted_ids=conflicted_ids)
    rows = tuple(_stage_progress(stage, counted) for stage in stages)
    outcome = _outcome(rows, counted)
    open_stage = next((row.stage for row in rows if not row.is_complete), None)
    return Progress(
        open_stage=open_stage if outcome is VotingOutcome.OPEN else None,
        stages=rows,
        outcome=outcome,
    )


def _stage_progress(stage: "Stage", counted: Sequence[Ballot]) -> StageProgress:
    mine = [ballot for ballot in counted if ballot.stage_id == stage.id]
    approvals = tuple(ballot for ballot in mine if ballot.choice == VoteChoice.APPROVE)
    needed = max(0, stage.quorum - len(approvals))
    return StageProgress(
        stage=stage,
        approvals=approvals,
        rejections=tuple(ballot for ballot in mine if ballot.choice == VoteChoice.REJECT),
        needed=needed,
        is_complete=needed == 0,
    )


def _outcome(rows: Sequence[StageProgress], counted: Sequence[Ballot]) -> VotingOutcome:
    choices = {ballot.choice for ballot in counted}
    if VoteChoice.REJECT in choices:
        return VotingOutcome.REJECTED
    if VoteChoice.REQUEST_CHANGES in choices:
        return VotingOutcome.CHANGES_REQUESTED
    if rows and all(row.is_complete for row in rows):
        return VotingOutcome.APPROVED
    return VotingOutcome.OPEN


def check_may_vote(
    *,
    person: "Person",
    stage: "Stage",
    stages: Sequence["Stage"],
    ballots: Sequence[Ballot],
    revision: int,
    requester_id: int,
    owner_id: int,
    evidence_editor_ids: frozenset[int],
) -> None:
    """Raise unless this person may vote in this stage of this revision now.

    `NotAllowed` where the person may not (inactive, a stake, the wrong role), `WrongState` where the moment is wrong
    (already voted, stage not open, voting over). The reason is a sentence for that person.
    """
    _check_person(person, stage, requester_id, owner_id, evidence_editor_ids)
    _check_not_voted(person, stages, ballots, revision)
    conflicted = frozenset({requester_id, owner_id}) | evidence_editor_ids
    _check_stage_open(
        stage, tally(stages=stages, ballots=ballots, revision=revision, conflicted_ids=conflicted), revision
    )


def _check_person(
    person: "Person", stage: "Stage", requester_id: int, owner_id: int, evidence_editor_ids: frozenset[int]
) -> None:
    if not person.is_active:
        raise NotAllowed("Your account is not active, so it cannot vote; ask an administrator.", code="inactive")
    conflict = conflict_of(
        person_id=person.id,
        requester_id=requester_id,
        owner_id=owner_id,
        evidence_editor_ids=evidence_editor_ids,
    )
    if conflict:
        raise NotAllowed(conflict, code="separation_of_duties")
    if stage.role not in person.roles:
        role = str(stage.role).replace("_", " ")
        raise NotAllowed(
            f"The stage “{stage.title}” is voted on by people with the role {role}, and you do not have it; "
            "an administrator can grant it.",
            code="wrong_role",
        )


def _check_not_voted(person: "Person", stages: Sequence["Stage"], ballots: Sequence[Ballot], revision: int) -> None:
    cast = next((one for one in ballots if one.revision == revision and one.person_id == person.id), None)
    if cast is None:
        return
    title = next((stage.title for stage in stages if stage.id == cast.stage_id), cast.stage_id)
    raise WrongState(
        f"You have already voted on revision {revision}, in the stage “{title}”; one person counts once. "
        "You can vote again when a new revision is opened.",
        code="already_voted",
    )


def _check_stage_open(stage: "Stage", progress: Progress, revision: int) -> None:
    if progress.outcome is not VotingOutcome.OPEN:
        raise WrongState(
            f"The voting on revision {revision} is over: {progress.outcome.words}.",
            code="voting_over",
        )
    row = next((one for one in progress.stages if one.stage.id == stage.id), None)
    if row is None:
        raise WrongState(f"The stage “{stage.title}” is not part of this review.", code="unknown_stage")
    if row.is_complete:
        raise WrongState(
            f"The stage “{stage.title}” is complete with {stage.quorum} of {stage.quorum} approvals; no more are "
            "needed.",
            code="stage_complete",
        )
    if progress.open_stage is not None and progress.open_stage.id != stage.id:
        first = progress.open_stage.title
        raise WrongState(
            f"The stage “{stage.title}” opens when “{first}” is complete; wait for that stage.", code="stage_not_open"
        )
