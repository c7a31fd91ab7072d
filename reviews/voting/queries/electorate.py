"""The stages and votes of a request, and the people who may vote."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from governance.people.domain.roles import BINDING, Role
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
    votes = tuple(request.votes.select_related("person", "in_place_of", "absence", "withdrawal"))
    stages = _stages(request, evidence, frozen)
    roles = {stage.id: stage.role for stage in stages}
    voters = [person_id for vote in votes for person_id in (vote.person_id, vote.in_place_of_id) if person_id]
    held = _roles_of(voters) if request.state == RequestState.IN_REVIEW else None
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
    """Whether the person has the role of the stage; for a deputy, whether both have it, or it was confirmed for them.

    The end of the absence changes nothing: the vote was cast during it.
    """
    role = roles.get(vote.stage)
    if not vote.person.is_active:
        return False
    if vote.in_place_of is None or vote.absence is None:
        return role in held.get(vote.person_id, ())
    own = held.get(vote.person_id, set())
    deputy_has_it = role in own or (role in vote.absence.confirmed_roles and not BINDING.isdisjoint(own))
    return deputy_has_it and vote.in_place_of.is_active and role in held.get(vote.in_place_of.pk, ())


def _ballot(vote: Vote, *, has_role: bool) -> Ballot:
    withdrawal = getattr(vote, "withdrawal", None)
    return copy_of(
        vote,
        Ballot,
        person_name=name_of(vote.person),
        stage_id=vote.stage,
        choice=VoteChoice(vote.choice),
        has_role=has_role,
        in_place_of=name_of(vote.in_place_of) if vote.in_place_of else "",
        taken_back_at=withdrawal.taken_back_at if withdrawal else None,
        taken_back_why=withdrawal.reason if withdrawal else "",
    )
