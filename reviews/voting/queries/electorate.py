"""The stages and votes of a request, and the people who may vote."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import F

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
from reviews.voting.queries.interests import interests_of_all


def electorate_of(request: ReviewRequest, *, evidence: EvidenceSnapshot, frozen: Revision | None) -> Electorate:
    """The electorate of a submitted request. While it is open, a vote counts only with a role in force.

    The stages are those that the `frozen` revision names; before it is frozen, those that take part by the evidence.

    Once the request has ended, its votes stay as they were counted.
    """
    taking_part = {} if frozen is None else {request.pk: frozen.bundle["stages"]}
    return _electorates([evidence], taking_part=taking_part)[request.pk]


def electorates_of(requests: Sequence[ReviewRequest], *, now: datetime) -> dict[int, Electorate]:
    """The electorates of requests in review, by id, in a number of queries that does not depend on theirs.

    The requests are read with `policy`, `dataset` and `model_version__asset__team`.
    """
    frozen = Revision.objects.filter(request__in=[request.pk for request in requests], number=F("request__revision"))
    taking_part = dict(frozen.values_list("request_id", "bundle__stages"))
    evidence = [EvidenceSnapshot(request, now) for request in requests]
    return _electorates(evidence, taking_part=taking_part)


def after_a_vote(electorate: Electorate, *, request: ReviewRequest) -> Electorate:
    """The electorate of a request in review after a vote, which changes neither its stages nor anybody's interests."""
    ballots = _ballots([request], stages={request.pk: electorate.stages})
    return replace(electorate, ballots=ballots[request.pk])


def _electorates(
    evidence: Sequence[EvidenceSnapshot], *, taking_part: Mapping[int, Sequence[str]]
) -> dict[int, Electorate]:
    stages = {one.request.pk: _stages(one, taking_part.get(one.request.pk)) for one in evidence}
    ballots = _ballots([one.request for one in evidence], stages=stages)
    interests = interests_of_all([one for one in evidence if one.request.state in OPEN_STATES])
    return {
        one.request.pk: Electorate(
            stages=stages[one.request.pk],
            ballots=ballots[one.request.pk],
            revision=one.request.revision,
            interests=interests.get(one.request.pk, Interests()),
        )
        for one in evidence
    }


def _ballots(
    requests: Sequence[ReviewRequest], *, stages: Mapping[int, Sequence[Stage]]
) -> Mapping[int, tuple[Ballot, ...]]:
    """The votes on each request, by its id. While it is in review, each is marked whether the person has the role."""
    related = ("person", "in_place_of", "absence", "withdrawal")
    votes = list(Vote.objects.filter(request__in=requests).select_related(*related).order_by("pk"))
    in_review = {row.pk for row in requests if row.state == RequestState.IN_REVIEW}
    open_votes = [vote for vote in votes if vote.request_id in in_review]
    people = {person_id for vote in open_votes for person_id in (vote.person_id, vote.in_place_of_id) if person_id}
    held = _roles_of(people)
    ballots: dict[int, tuple[Ballot, ...]] = {row.pk: () for row in requests}
    for vote in votes:
        role = next((stage.role for stage in stages[vote.request_id] if stage.id == vote.stage), None)
        has_role = vote.request_id not in in_review or _has_role(vote, role, held)
        ballots[vote.request_id] += (_ballot(vote, has_role=has_role),)
    return ballots


def _stages(evidence: EvidenceSnapshot, taking_part: Sequence[str] | None) -> tuple[Stage, ...]:
    policy = evidence.request.policy
    if policy is None:
        return ()
    if taking_part is None:
        return evidence.stages
    return ordered(policy_in(policy).stages, taking_part=taking_part)


def _roles_of(person_ids: Collection[int]) -> Mapping[int, set[str]]:
    held: defaultdict[int, set[str]] = defaultdict(set)
    if person_ids:
        for person_id, role in RoleGrant.objects.filter(user__in=person_ids).values_list("user_id", "role"):
            held[person_id].add(role)
    return held


def _has_role(vote: Vote, role: Role | None, held: Mapping[int, set[str]]) -> bool:
    """Whether the person has the role of the stage; for a deputy, whether both have it, or it was confirmed for them.

    The end of the absence changes nothing: the vote was cast during it.
    """
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
