"""Who may vote on a request now, in their own name or in that of an absent person."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from governance.absences.domain import Deputyship
from governance.people.domain.roles import Person
from governance.rulebook.domain.stages import Stage
from reviews.requests.domain.lifecycle import RequestState
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.voting.domain.electorate import Ballot
from weighbridge.core.errors import NotAllowed, Refused, WrongState


@dataclass(frozen=True)
class VotingRight:
    """A stage that a person may vote in now: in their own name, or with a `deputyship` in that of an absent person."""

    stage: Stage
    deputyship: Deputyship | None = None


def check_can_vote(
    snapshot: RequestSnapshot, *, person: Person, stage_id: str | None = None, in_place_of: str = ""
) -> VotingRight:
    """Voting in a stage, by default in the first open one that the person may vote in. Returns the right to vote.

    `in_place_of` is the user name of the absent person for whom a deputy votes. Without it and without a stage, the
    person's own name comes first.
    """
    words, electorate = snapshot.state.words, snapshot.electorate
    if snapshot.state is not RequestState.IN_REVIEW:
        raise WrongState(f"The request is {words}; votes are cast while it is in review.")
    stages = electorate.progress.open_stages if stage_id is None else (electorate.stage(stage_id),)
    refusals: list[Refused] = [WrongState("The voting on this revision is over.")] if not stages else []
    for deputyship in _names(snapshot, person, in_place_of, is_any=stage_id is None):
        for stage in stages:
            try:
                electorate.check_may_vote(person, stage, deputyship=deputyship)
            except Refused as refusal:
                refusals.append(refusal)
            else:
                return VotingRight(stage, deputyship)
    raise refusals[0]


def check_can_take_back(snapshot: RequestSnapshot, *, person: Person) -> Ballot:
    """Taking one's own vote on the present revision back. Returns it."""
    if snapshot.state is not RequestState.IN_REVIEW:
        raise WrongState(f"The request is {snapshot.state.words}; a vote is taken back while it is in review.")
    return snapshot.electorate.check_may_take_back(person)


def _names(snapshot: RequestSnapshot, person: Person, in_place_of: str, *, is_any: bool) -> Sequence[Deputyship | None]:
    """In whose names the person asks to vote; None is their own."""
    found = snapshot.deputyships_of(person) if in_place_of or is_any else ()
    if not in_place_of:
        return (None, *found)
    named = [one for one in found if one.absent.username == in_place_of]
    if not named:
        raise NotAllowed(
            f"You are not the deputy of {in_place_of} now: the absence has ended, has not begun, or names another "
            "person.",
            code="not_deputy",
        )
    return named


def voting_rights_of(snapshot: RequestSnapshot, *, person: Person) -> tuple[VotingRight, ...]:
    """Every right of this person to vote now, that in their own name first."""
    rights = list[VotingRight]()
    if snapshot.state is not RequestState.IN_REVIEW:
        return ()
    for name in ("", *(one.absent.username for one in snapshot.deputyships_of(person))):
        for stage in snapshot.electorate.progress.open_stages:
            with suppress(Refused):
                rights.append(check_can_vote(snapshot, person=person, stage_id=stage.id, in_place_of=name))
    return tuple(rights)


def open_stage_for(snapshot: RequestSnapshot, *, person: Person) -> Stage | None:
    """The stage this person may vote in now in their own name, if any."""
    for stage in snapshot.electorate.progress.open_stages:
        with suppress(Refused):
            return check_can_vote(snapshot, person=person, stage_id=stage.id).stage
    return None
