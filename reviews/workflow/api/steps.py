"""The steps of a request: submit, ask for review, vote, revise, withdraw. Each answers with the request as it then
stands.
"""

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.site.api.shapes import Nothing, read
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain import VoteChoice
from reviews.workflow.actions import requests as writes
from reviews.workflow.actions import review
from reviews.workflow.actions.review import NewCondition
from reviews.workflow.api.answers import ReviewAnswer, said
from reviews.workflow.api.course_answers import VotingAnswer
from reviews.workflow.api.inputs import ReasonInput, VoteInput, found
from reviews.workflow.queries.view_course import stage_views, vote_views


class Submission(APIView):
    """From draft to what the policy makes of it."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="requests_submit", request=Nothing, responses=ReviewAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Submit: the policy clears the request, or opens a ticket and starts benchmarks."""
        row, user, person, now = found(request, ref)
        read(Nothing, request.data)
        return Response(said(writes.submit(request=row, by=user, now=now), person, now))


class ReviewRequested(APIView):
    """From evidence to the voters."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="requests_request_review", request=Nothing, responses=ReviewAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Freeze the revision, reserve its budget, and ask the reviewers."""
        row, user, person, now = found(request, ref)
        read(Nothing, request.data)
        return Response(said(review.request_review(request=row, by=user, now=now), person, now))


class Votes(APIView):
    """Stages and votes."""

    parser_classes = [JSONParser]

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
        row = review.vote(
            request=row,
            stage_id=given["stage"],
            choice=VoteChoice(given["choice"]),
            rationale=given.get("rationale", ""),
            conditions=tuple(NewCondition(**each) for each in given.get("conditions", [])),
            by=user,
            now=now,
        )
        return Response(said(row, person, now), status=201)


class ReviseView(APIView):
    """Back to evidence."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="requests_revise", request=ReasonInput, responses=ReviewAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Open the next revision; every vote on the one before is void."""
        row, user, person, now = found(request, ref)
        reason = read(ReasonInput, request.data)["reason"]
        return Response(said(writes.revise(request=row, reason=reason, by=user, now=now), person, now))


class Withdrawal(APIView):
    """Out of the review."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="requests_withdraw", request=ReasonInput, responses=ReviewAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Withdraw: runs are canceled, the reservation is released."""
        row, user, person, now = found(request, ref)
        reason = read(ReasonInput, request.data)["reason"]
        return Response(said(writes.withdraw(request=row, reason=reason, by=user, now=now), person, now))
