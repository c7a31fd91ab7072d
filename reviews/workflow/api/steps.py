"""The steps of a request: submit, ask for review, vote, revise, withdraw, waive. Each answers with the request then."""

from collections.abc import Callable

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.site.api.shapes import Input, Nothing, read
from reviews.requests.queries.requests import find
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import requests as writes
from reviews.workflow.actions import review, waivers
from reviews.workflow.actions.review import NewCondition
from reviews.workflow.api.answers import ReviewAnswer, said
from reviews.workflow.api.course_answers import VotingAnswer
from reviews.workflow.api.inputs import ReasonInput, VoteInput, WaiverInput, found
from reviews.workflow.queries.view_course import stage_views, vote_views


def step_view(
    operation_id: str,
    description: str,
    act: Callable[..., object],
    *,
    takes: type[Input] = Nothing,
    status: int = 200,
) -> type[APIView]:
    """The view of a step: `act` gets the request, the values of the input, who acts and when."""

    class StepView(APIView):
        @extend_schema(
            operation_id=operation_id, description=description, request=takes, responses={status: ReviewAnswer}
        )
        def post(self, request: Request, ref: str) -> Response:
            row, user, person, now = found(request, ref)
            act(request=row, by=user, now=now, **read(takes, request.data))
            return Response(said(find(ref=ref, person=person), person, now), status=status)

    return StepView


Submission = step_view(
    "requests_submit", "Submit: the policy clears the request, or opens a ticket and starts benchmarks.", writes.submit
)
ReviewRequested = step_view(
    "requests_request_review",
    "Freeze the revision, reserve its budget, and ask the reviewers.",
    review.request_review,
)
Revision = step_view(
    "requests_revise",
    "Open the next revision; every vote on the one before is void.",
    writes.revise,
    takes=ReasonInput,
)
Withdrawal = step_view(
    "requests_withdraw", "Withdraw: runs are canceled, the reservation is released.", writes.withdraw, takes=ReasonInput
)
Waivers = step_view(
    "requests_waive",
    "Waive a soft rule for a while; a platform lead without a stake in the request.",
    waivers.grant,
    takes=WaiverInput,
    status=201,
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
        given = read(VoteInput, request.data)
        choice = VoteChoice(given.pop("choice"))
        conditions = tuple(NewCondition(**each) for each in given.pop("conditions", []))
        row = review.vote(request=row, choice=choice, conditions=conditions, by=user, now=now, **given)
        return Response(said(row, person, now), status=201)
