"""Who may vote on a revision, and the outcome of the votes.

A stage opens when the stages it comes after are complete. It is complete when its quorum of different people has
approved, of whom the policy wants some from outside the team. A person counts once per revision, in whatever stage. One
rejection ends the review; one request for changes sends the revision back. Votes on other revisions never count, and a
vote counts only while the person still has the role; what happens to the model later never voids it.

A deputy may vote in the place of an absent person. Such a ballot has two people, and each of them counts once: no
ballots that count have a person in common. The absent person may still vote in the open stage; that ballot then counts
instead of the deputy's.

A vote can be taken back until its stage is complete. Everything is then as if it had never been cast, and the person
may vote anew. If a role that was taken away is given back, and nothing is missing any more, nobody has decided: then
a vote that is needed can be taken back, and decides when it is cast again.

Separation of duties has no exceptions, not even for administrators: nobody with an interest in the request
(`independence.py`) can vote.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from reviews.voting.domain.independence import ANOTHER, Interests
from reviews.voting.domain.outcomes import Progress, StageProgress, VotingOutcome
from weighbridge.core.errors import NotAllowed, NotFound, WrongState

if TYPE_CHECKING:
    from governance.absences.domain import Deputyship
    from governance.people.domain.roles import Person
    from governance.rulebook.domain.stages import Stage


class VoteChoice(StrEnum):
    """The choices of a voter."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One vote. `has_role` says whether the person still has the role of the stage; after the decision it is True.

    `in_place_of_id` is the absent person in whose place a deputy voted. `taken_back_at` is None unless the person took
    the vote back.
    """

    person_id: int
    person_name: str
    stage_id: str
    choice: VoteChoice
    revision: int
    rationale: str
    cast_at: datetime
    has_role: bool = True
    in_place_of_id: int | None = None
    in_place_of: str = ""
    taken_back_at: datetime | None = None
    taken_back_why: str = ""

    @property
    def people(self) -> frozenset[int]:
        """The ids of the person who voted, and of the absent person in whose place they did."""
        return frozenset({self.person_id, self.in_place_of_id} - {None})  # type: ignore[arg-type]  # None is gone

    @property
    def voter(self) -> str:
        """Who voted, and in whose place, as text."""
        return f"{self.person_name} in the place of {self.in_place_of}" if self.in_place_of else self.person_name


@dataclass(frozen=True, kw_only=True)
class Electorate:
    """The stages and votes of a request, and the people with an interest in it."""

    stages: tuple["Stage", ...]
    ballots: tuple[Ballot, ...]
    revision: int
    interests: Interests

    @cached_property
    def standing(self) -> tuple[Ballot, ...]:
        """The ballots on this revision that were not taken back."""
        return tuple(one for one in self.ballots if one.revision == self.revision and one.taken_back_at is None)

    @cached_property
    def counted(self) -> tuple[Ballot, ...]:
        """The ballots that count: on this revision, by people who have the role, and only the first of each.

        A ballot of a deputy does not count if the absent person voted too.
        """
        valid = [one for one in self.standing if one.has_role]
        own = {ballot.person_id for ballot in valid if ballot.in_place_of_id is None}
        counted, people = list[Ballot](), set[int]()
        for ballot in sorted(valid, key=lambda one: (one.cast_at, one.person_id)):
            if ballot.in_place_of_id not in own and people.isdisjoint(ballot.people):
                counted.append(ballot)
                people |= ballot.people
        return tuple(counted)

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
        """Whether the next approval of this stage completes the voting: nothing else is missing."""
        return [(row.stage.id, row.needed) for row in self.progress.stages if not row.is_complete] == [(stage.id, 1)]

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

    def check_may_vote(self, person: "Person", stage: "Stage", *, deputyship: "Deputyship | None" = None) -> None:
        """Raise unless this person may vote in this stage now; with a `deputyship`, in the place of its absent person.

        `NotAllowed` where the person may not (inactive, a stake, the wrong role), `WrongState` where the moment is
        wrong (already voted, stage not open, voting over). The reason is a sentence for that person.
        """
        self._check_person(person, stage, deputyship)
        if deputyship is None:
            self._check_not_voted(person, stage)
        else:
            self._check_neither_voted(deputyship)
        self._check_stage_open(stage)

    def check_may_take_back(self, person: "Person") -> Ballot:
        """The ballot that this person may take back now, in whose name soever it was cast.

        `NotAllowed` for an account that is not active, `WrongState` if there is no such ballot, or if its stage is
        settled. If every stage is approved and nobody decided, a needed ballot may be taken back and cast again.
        """
        if not person.is_active:
            raise NotAllowed("Your account is not active, so it cannot take a vote back.", code="inactive")
        ballot = next((one for one in self.standing if one.person_id == person.id), None)
        if ballot is None:
            raise WrongState(f"You have no vote on revision {self.revision} to take back.", code="not_voted")
        if self.progress.outcome is VotingOutcome.APPROVED and self._reopens(ballot):
            return ballot  # a role was given back after the last vote, so nobody decided
        if self.progress.outcome is not VotingOutcome.OPEN:
            self._refuse_over()
        if any(row.is_complete for row in self.progress.stages if row.stage.id == ballot.stage_id):
            raise WrongState(
                f"The stage “{self._title(ballot)}” is complete, so your vote stands; a vote can be taken back until "
                "its stage is complete.",
                code="stage_complete",
            )
        return ballot

    def _reopens(self, ballot: Ballot) -> bool:
        """Whether the voting is open without this ballot."""
        others = replace(self, ballots=tuple(one for one in self.ballots if one is not ballot))
        return others.progress.outcome is VotingOutcome.OPEN

    def _refuse_over(self) -> NoReturn:
        outcome = self.progress.outcome.words
        raise WrongState(f"The voting on revision {self.revision} is over: {outcome}.", code="voting_over")

    def _stage_progress(self, stage: "Stage") -> StageProgress:
        given = [one for one in self.counted if one.stage_id == stage.id and one.choice == VoteChoice.APPROVE]
        members = [one for one in given if self._is_of_team(one.people)]
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

    def _is_of_team(self, people: Iterable[int]) -> bool:
        return any(map(self.interests.is_member, people))

    def _check_person(self, person: "Person", stage: "Stage", deputyship: "Deputyship | None") -> None:
        if not person.is_active:
            raise NotAllowed("Your account is not active, so it cannot vote; ask an administrator.", code="inactive")
        if conflict := self.interests.conflict_of(person.id):
            raise NotAllowed(conflict, code="separation_of_duties")
        if deputyship is not None:
            self._check_absent(deputyship, stage)
        elif stage.role not in person.roles:
            role = str(stage.role).replace("_", " ")
            raise NotAllowed(
                f"The stage “{stage.title}” is voted on by people with the role {role}, and you do not have it; "
                "an administrator can grant it.",
                code="wrong_role",
            )
        self._check_outside({person.id} if deputyship is None else {person.id, deputyship.absent.id}, stage)

    def _check_absent(self, deputyship: "Deputyship", stage: "Stage") -> None:
        """Raise if the deputy has no right to act as the role of the stage, or the absent person has an interest."""
        deputyship.check_acts_as(stage.role)
        if self.interests.conflict_of(deputyship.absent.id):
            raise NotAllowed(
                f"{deputyship.absent.name} has an interest in this request, so nobody votes in their place; {ANOTHER}",
                code="separation_of_duties",
            )

    def _check_outside(self, people: Collection[int], stage: "Stage") -> None:
        """Raise if one of the people is of the team, and the missing approvals must come from outside it."""
        row = next((one for one in self.progress.stages if one.stage.id == stage.id), None)
        if row is None or not self._is_of_team(people):
            return
        members = sum(self._is_of_team(ballot.people) for ballot in row.approvals)
        if members >= stage.quorum - stage.outside_team:
            who = "You file" if len(people) == 1 else "You or the absent person file"
            raise NotAllowed(
                f"{who} for the team of this request, and {stage.outside_team} of {stage.quorum} approvals of the "
                f"stage “{stage.title}” must come from outside the team; {ANOTHER}",
                code="separation_of_duties",
            )

    def _check_not_voted(self, person: "Person", stage: "Stage") -> None:
        """Raise if the person has voted, or a deputy has in their place in another stage."""
        for ballot in self._ballots_of(person):
            if ballot.person_id == person.id:
                raise WrongState(
                    f"You have already voted on revision {self.revision}, in the stage “{self._title(ballot)}”; one "
                    "person counts once. You can vote again when a new revision is opened.",
                    code="already_voted",
                )
            if ballot.stage_id != stage.id:
                raise WrongState(
                    f"{ballot.person_name} voted in your place on revision {self.revision}, in the stage "
                    f"“{self._title(ballot)}”; one person counts once.",
                    code="already_voted",
                )

    def _check_neither_voted(self, deputyship: "Deputyship") -> None:
        """Raise if the deputy or the absent person counts already, by a ballot of their own or in their place."""
        for person, name in ((deputyship.deputy, "You count"), (deputyship.absent, f"{deputyship.absent.name} counts")):
            for ballot in self._ballots_of(person):
                raise WrongState(
                    f"{name} already on revision {self.revision}, in the stage “{self._title(ballot)}” "
                    f"({ballot.voter}); one person counts once.",
                    code="already_voted",
                )

    def _ballots_of(self, person: "Person") -> list[Ballot]:
        return [one for one in self.standing if person.id in one.people]

    def _title(self, ballot: Ballot) -> str:
        return next((stage.title for stage in self.stages if stage.id == ballot.stage_id), ballot.stage_id)

    def _check_stage_open(self, stage: "Stage") -> None:
        open_ids = {each.id for each in self.progress.open_stages}
        if self.progress.outcome is not VotingOutcome.OPEN:
            self._refuse_over()
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
