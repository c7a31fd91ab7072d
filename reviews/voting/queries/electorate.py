"""The stages and votes of a request, and the people who may vote."""

from governance.people.queries.people import name_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.domain.copies import copy_of
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import policy_of
from reviews.voting.domain.electorate import Ballot, Electorate, VoteChoice
from reviews.voting.models import Vote


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
    choice = VoteChoice(vote.choice)
    return copy_of(vote, Ballot, person_name=name_of(vote.person), stage_id=vote.stage, choice=choice)
