"""The stages and votes of a request, and the people who may vote."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from governance.people.domain.roles import Role
from governance.people.models import RoleGrant
from governance.people.queries.people import name_of
from governance.rulebook.domain.stages import Stage, ordered
from governance.rulebook.queries.rulebook import policy_in
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import OPEN_STATES, RequestState
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import Ballot, Electorate, VoteChoice
from reviews.voting.domain.independence import Interests
from reviews.voting.models import Revision, Vote
from reviews.voting.queries.interests import interests_of


def electorate_of(request: ReviewRequest, *, evidence: EvidenceSnapshot, frozen: Revision | None) -> Electorate:
    """The electorate of a submitted request. While it is open, a vote counts only with a role in force.

    The stages are those that the `frozen` revision names; before it is frozen, those that take part by the evidence.

    Once the request has ended, its votes stay as they were counted.
    """
    votes = tuple(request.votes.select_related("person"))
    stages = _stages(request, evidence, frozen)
    roles = {stage.id: stage.role for stage in stages}
    held = _roles_of([vote.person_id for vote in votes]) if request.state == RequestState.IN_REVIEW else None
    return Electorate(
        stages=stages,
        ballots=tuple(_ballot(vote, has_role=held is None or _has_role(vote, roles, held)) for vote in votes),
        revision=request.revision,
        interests=interests_of(request, evidence=evidence) if request.state in OPEN_STATES else Interests(),
    )


def _stages(request: ReviewRequest, evidence: EvidenceSnapshot, frozen: Revision | None) -> tuple[Stage, ...]:
    if request.policy is None:
        return ()
    if frozen is None:
        return evidence.stages
    return ordered(policy_in(request.policy).stages, taking_part=frozen.bundle["stages"])


def _roles_of(person_ids: Collection[int]) -> Mapping[int, set[str]]:
    held: defaultdict[int, set[str]] = defaultdict(set)
    if person_ids:
        for person_id, role in RoleGrant.objects.filter(user__in=person_ids).values_list("user_id", "role"):
            held[person_id].add(role)
    return held


def _has_role(vote: Vote, roles: Mapping[str, Role], held: Mapping[int, set[str]]) -> bool:
    return vote.person.is_active and roles.get(vote.stage) in held.get(vote.person_id, ())


def _ballot(vote: Vote, *, has_role: bool) -> Ballot:
    choice = VoteChoice(vote.choice)
    return copy_of(
        vote, Ballot, person_name=name_of(vote.person), stage_id=vote.stage, choice=choice, has_role=has_role
    )
