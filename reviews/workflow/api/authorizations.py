"""What follows a decision: the gate, revoking an authorization, confirming its conditions."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import Nothing, read, read_for
from reviews.authorizations.models import Authorization, Condition
from reviews.authorizations.queries import gate
from reviews.authorizations.rules import check_confirm_condition, check_revoke
from reviews.requests.queries.requests import first_of, parties_of
from reviews.workflow.actions import authorizations as writes
from reviews.workflow.api.answers import ReviewAnswer, said
from reviews.workflow.api.course_answers import GateReplyAnswer
from reviews.workflow.api.inputs import GateInput, ReasonInput, found


class Gate(APIView):
    """The question a deployment asks."""

    @extend_schema(operation_id="gate", parameters=[GateInput], responses=GateReplyAnswer)
    def get(self, request: Request) -> Response:
        """Whether this artifact may run in this environment, and the signed statement that says so."""
        _, _, now = asker(request)
        given = read(GateInput, request.query_params)
        return Response(GateReplyAnswer(gate.decide(digest=given["subject"], environment=given["env"], now=now)).data)


class Revocation(APIView):
    """Taking an authorization back."""

    @extend_schema(operation_id="requests_revoke", request=ReasonInput, responses=ReviewAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Revoke: the gate denies from now on."""
        row, user, person, now = found(request, ref)
        rows = Authorization.objects.filter(decision__request=row)
        held = first_of(rows, otherwise=f"{ref} holds no authorization.")
        reason = read_for(request, ReasonInput, lambda: check_revoke(person))["reason"]
        writes.revoke(authorization=held, reason=reason, by=user, now=now)
        return Response(said(row, person, now))


class Confirmation(APIView):
    """A condition met."""

    @extend_schema(operation_id="requests_confirm_condition", request=Nothing, responses=ReviewAnswer)
    def post(self, request: Request, ref: str, condition_id: int) -> Response:
        """Confirm that the condition is met; somebody who has no stake in the request."""
        row, user, person, now = found(request, ref)
        conditions = Condition.objects.select_related("authorization__decision__request__team")
        own = conditions.filter(pk=condition_id, authorization__decision__request=row)
        condition = first_of(own, otherwise=f"{ref} has no condition {condition_id}.")
        parties = parties_of(row)
        read_for(request, Nothing, lambda: check_confirm_condition(person, parties, owner_id=condition.owner_id))
        writes.confirm_condition(condition=condition, by=user, now=now)
        return Response(said(row, person, now))
