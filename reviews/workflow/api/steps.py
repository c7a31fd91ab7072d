"""The steps of a request: submit, ask for review, vote, revise, withdraw, waive. Each answers with the request then."""

from collections.abc import Mapping
from datetime import datetime

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.steps import StepSubject
from governance.people.domain.roles import Person
from governance.site.api.shapes import read_for
from reviews.evidence.rules import check_waive
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find, parties_of
from reviews.requests.rules import check_edit, check_extend, check_vote_anywhere, check_withdraw
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import requests as writes
from reviews.workflow.actions import review, waivers
from reviews.workflow.actions.review import LiftedCondition, NewCondition, NewVote
from reviews.workflow.api.answers import ReviewAnswer, everything_of, said
from reviews.workflow.api.course_answers import VotingAnswer
from reviews.workflow.api.inputs import (
    ExtensionInput,
    ReasonInput,
    SeenReasonInput,
    SubmissionInput,
    VoteInput,
    WaiverInput,
    found,
)
from reviews.workflow.queries.view_course import stage_views, vote_views


def _found(*, ref: str, person: Person) -> Mapping[str, object]:
    return {"request": find(ref=ref, person=person)}


def _everything(*, ref: str, person: Person, now: datetime) -> Mapping[str, object]:
    return everything_of(find(ref=ref, person=person), person, now)


def _edits(person: Person, request: ReviewRequest) -> None:
    check_edit(person, parties_of(request))


def _withdraws(person: Person, request: ReviewRequest) -> None:
    check_withdraw(person, parties_of(request))


def _waives(person: Person, request: ReviewRequest) -> None:
    check_waive(person)


def _extends(person: Person, request: ReviewRequest) -> None:
    check_extend(person)


def _votes(person: Person, request: ReviewRequest) -> None:
    check_vote_anywhere(person)


REQUEST = StepSubject(_found, _everything, ReviewAnswer)
Submission = REQUEST.step(
    "requests_submit",
    writes.submit,
    "Submit: the policy clears the request, or opens a ticket and starts benchmarks.",
    takes=SubmissionInput,
    check=_edits,
)
ReviewRequested = REQUEST.step(
    "requests_request_review",
    review.request_review,
    "Freeze the revision, reserve its budget, and ask the reviewers.",
    check=_edits,
)
Revision = REQUEST.step(
    "requests_revise",
    writes.revise,
    "Open the next revision; every vote on the one before is void.",
    takes=SeenReasonInput,
    check=_edits,
)
Withdrawal = REQUEST.step(
    "requests_withdraw",
    writes.withdraw,
    "Withdraw: runs are canceled, the reservation is released.",
    takes=ReasonInput,
    check=_withdraws,
)
Waivers = REQUEST.step(
    "requests_waive",
    waivers.grant,
    "Waive a soft rule or an item for a while; a platform lead without a stake in the request.",
    takes=WaiverInput,
    status=201,
    check=_waives,
)


Extension = REQUEST.step(
    "requests_extend",
    writes.extend,
    "Extend the deadline, once; a platform lead without a stake in the request.",
    takes=ExtensionInput,
    check=_extends,
)


TakeBack = REQUEST.step(
    "voting_take_back",
    review.take_back,
    "Take your own vote on the present revision back, until its stage is complete; you can vote anew.",
    takes=SeenReasonInput,
    check=_votes,
)


class Votes(APIView):
    """Stages and votes."""

    @extend_schema(operation_id="requests_votes_list", responses=VotingAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """Every stage, and every vote ever cast, the latest first."""
        row, _, _, now = found(request, ref)
        snapshot = snapshot_of(row, now=now)
        voting = {"stages": stage_views(snapshot), "votes": vote_views(snapshot.electorate)}
        return Response(VotingAnswer(voting).data)

    @extend_schema(operation_id="voting_vote", request=VoteInput, responses={201: ReviewAnswer})
    def post(self, request: Request, ref: str) -> Response:
        """Vote; the vote that settles the stages decides in the same transaction."""
        row, user, person, now = found(request, ref)
        given = read_for(request, VoteInput, lambda: check_vote_anywhere(person))
        choice = VoteChoice(given.pop("choice"))
        conditions = [NewCondition(**each) for each in given.pop("conditions", [])]
        lifted = map(LiftedCondition, given.pop("lifted_ids", []))
        vote = NewVote(choice=choice, conditions=(*conditions, *lifted), **given)
        row = review.cast(request=row, vote=vote, by=user, now=now)
        return Response(said(row, person, now), status=201)
