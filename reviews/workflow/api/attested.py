"""Results that were measured elsewhere: the plan they follow, and the signed results of a request."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.site.api.shapes import Answer, Input, answer_of, read_for
from reviews.evidence.queries.attested import AttestedView, attested_views, audit_words, plan_of
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import check_edit
from reviews.workflow.actions import attestations
from reviews.workflow.api.evidence_answers import VariantAnswer
from reviews.workflow.api.inputs import found


class PlanAnswer(Answer):
    """The plan of a request; every signed result names its digest."""

    digest = serializers.CharField()
    plan = serializers.JSONField(help_text="Request, subject, policy, data, benchmarks, and since when it is fixed.")


class EnvelopeInput(Input):
    """A signed result."""

    envelope = serializers.DictField(help_text="The DSSE envelope that weighbridge result attest writes.")


class AttestedAnswer(Answer):
    """The signed results of a request."""

    results = answer_of(AttestedView, "AttestedResultAnswer", without=["frontiers"], variants=VariantAnswer(many=True))(
        many=True
    )
    chance = serializers.CharField(help_text="The chance that inflated results are found, as a sentence.")


class PlanView(APIView):
    """The plan of a request."""

    @extend_schema(operation_id="requests_plan", responses=PlanAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """The plan as it was fixed when the request was submitted."""
        row, _, _, _ = found(request, ref)
        plan = plan_of(row)
        return Response(PlanAnswer({"digest": plan.digest, "plan": plan.document}).data)


class AttestedResults(APIView):
    """The signed results of a request."""

    @extend_schema(operation_id="requests_attested_list", responses=AttestedAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """Every signed result, the latest first."""
        row, _, _, _ = found(request, ref)
        results = attested_views(row)
        chance = audit_words(row, results=len(results)) if results else ""
        return Response(AttestedAnswer({"results": results, "chance": chance}).data)

    @extend_schema(operation_id="requests_attest", request=EnvelopeInput, responses={201: AttestedAnswer})
    def post(self, request: Request, ref: str) -> Response:
        """File a result that a key signed which the policy trusts; its values are attested."""
        row, user, person, now = found(request, ref)
        given = read_for(request, EnvelopeInput, lambda: check_edit(person, parties_of(row)))
        attestations.record_attested(request=row, envelope=given["envelope"], by=user, now=now)
        return Response(self.get(request, ref).data, status=201)
