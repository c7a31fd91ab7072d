"""What follows a decision: revoking an authorization, confirming and lifting its conditions."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.queries.membership import team_slugs_of
from governance.site.api.shapes import Nothing, read_for
from reviews.authorizations.models import Authorization, Condition
from reviews.authorizations.rules import check_confirm_condition, check_lift_condition, check_revoke
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import first_of, parties_of
from reviews.workflow.actions import authorizations as writes
from reviews.workflow.api.answers import ReviewAnswer, said
from reviews.workflow.api.inputs import ReasonInput, found


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
        condition, parties = _condition(row, condition_id), parties_of(row)
        read_for(
            request,
            Nothing,
            lambda: check_confirm_condition(
                person, parties, owner_id=condition.owner_id, own_teams=lambda one: team_slugs_of(one, now=now)
            ),
        )
        writes.confirm_condition(condition=condition, by=user, now=now)
        return Response(said(row, person, now))


class ConditionLifting(APIView):
    """A condition lifted without being met."""

    @extend_schema(operation_id="requests_lift_condition", request=ReasonInput, responses=ReviewAnswer)
    def post(self, request: Request, ref: str, condition_id: int) -> Response:
        """Lift the condition with a reason; only the person who set it."""
        row, user, person, now = found(request, ref)
        condition = _condition(row, condition_id)
        given = read_for(request, ReasonInput, lambda: check_lift_condition(person, set_by_id=condition.set_by_id))
        reason = given["reason"]
        writes.lift_condition(condition=condition, reason=reason, by=user, now=now)
        return Response(said(row, person, now))


def _condition(row: ReviewRequest, condition_id: int) -> Condition:
    conditions = Condition.objects.select_related("authorization__decision__request__team", "set_by")
    own = conditions.filter(pk=condition_id, authorization__decision__request=row)
    return first_of(own, otherwise=f"{row.ref} has no condition {condition_id}.")
