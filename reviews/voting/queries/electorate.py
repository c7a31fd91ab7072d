"""The stages and votes of a request, and the people who may vote."""

from dataclasses import dataclass
from functools import cached_property

from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.rulebook.domain.policy import Stage
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import policy_of
from reviews.voting.domain import Ballot, Progress, VoteChoice, check_may_vote, tally
from reviews.voting.models import Vote
from weighbridge.core.errors import NotFound


@dataclass(frozen=True)
class Electorate:
    """The input of the voting rules for one request."""

    stages: tuple[Stage, ...]
    ballots: tuple[Ballot, ...]
    revision: int
    requester_id: int
    owner_ids: frozenset[int]
    editor_ids: frozenset[int]

    @property
    def conflicted_ids(self) -> frozenset[int]:
        """The ids of everyone with a stake in the request."""
        return self.editor_ids | self.owner_ids | {self.requester_id}

    @cached_property
    def progress(self) -> Progress:
        """The progress of the voting on the current revision."""
        return tally(
            stages=self.stages, ballots=self.ballots, revision=self.revision, conflicted_ids=self.conflicted_ids
        )

    @property
    def approver_ids(self) -> frozenset[int]:
        """The ids of the people whose approvals of the current revision count."""
        return frozenset(ballot.person_id for row in self.progress.stages for ballot in row.approvals)

    def stage(self, stage_id: str) -> Stage:
        """The stage with this id. Raises NotFound."""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise NotFound(
            f"This review has no stage {stage_id!r}; its stages are {', '.join(s.id for s in self.stages)}.",
            field="stage",
        )

    def check(self, person: Person, stage: Stage) -> None:
        """Raise unless the person may vote in the stage now."""
        check_may_vote(
            person=person,
            stage=stage,
            stages=self.stages,
            ballots=self.ballots,
            revision=self.revision,
            requester_id=self.requester_id,
            owner_id=self._owner_for(person),
            evidence_editor_ids=self.editor_ids | self.owner_ids,
        )

    def _owner_for(self, person: Person) -> int:
        """The owner to check this person against: the person, if they are an owner, else any owner."""
        return person.id if person.id in self.owner_ids else min(self.owner_ids)


def electorate_of(request: ReviewRequest, *, evidence: EvidenceSnapshot) -> Electorate:
    """The electorate of a submitted request."""
    return Electorate(
        stages=policy_of(request.policy).stages if request.policy else (),
        ballots=tuple(map(_ballot, request.votes.select_related("person"))),
        revision=request.revision,
        requester_id=request.requester_id,
        owner_ids=frozenset({request.owner_id, request.model_version.asset.owner_id}),
        editor_ids=evidence.editor_ids,
    )


def _ballot(vote: Vote) -> Ballot:
    return Ballot(
        person_id=vote.person_id,
        person_name=name_of(vote.person),
        stage_id=vote.stage,
        choice=VoteChoice(vote.choice),
        revision=vote.revision,
        rationale=vote.rationale,
        cast_at=vote.cast_at,
    )
