"""Permissions of personal notes."""

from governance.people.domain.roles import Person
from reviews.notes.domain.draft_votes import check_open
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.rules import check_vote_anywhere


def check_draft_vote(person: Person, request: ReviewRequest) -> None:
    """Saving a draft: people who may vote on some request, while this one is in review. Casting it is checked then."""
    check_vote_anywhere(person)
    check_open(RequestState(request.state), has_voted=False)
