"""`costs/`: cost projections."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.projections import actions as writes
from benchmarking.projections import queries as projections
from benchmarking.projections.domain.projection_table import Move
from governance.people.api.caller import asker
from governance.site.api.shapes import Answer, Input, answer_of, number, read


class ProjectionAnswer(Answer):
    """A kept cost projection: its link, the spec it was made from, and the document with every metric and price."""

    token = serializers.CharField()
    title = serializers.CharField()
    digest = serializers.CharField()
    kept_at = serializers.DateTimeField()
    spec = serializers.JSONField()
    document = serializers.JSONField()


MoveAnswer = answer_of(Move, without=["label"])


class PriceMoveAnswer(Answer):
    """One price then and now, each with its day; `ratio` is now over then."""

    item = serializers.CharField()
    unit = serializers.CharField()
    before = number()
    after = number()
    before_as_of = serializers.DateField()
    after_as_of = serializers.DateField()
    ratio = serializers.FloatField(allow_null=True)


class ReplayAnswer(Answer):
    """A kept projection set beside today's prices."""

    as_of = serializers.DateField()
    prices = PriceMoveAnswer(many=True)
    metrics = MoveAnswer(many=True)


class CostInput(Input):
    """A cost spec (`kind: CostSpec`, as JSON); with `keep` the projection is kept and gets a link."""

    spec = serializers.DictField()
    keep = serializers.BooleanField(required=False)


class CostsView(APIView):
    """The calculator."""

    @extend_schema(
        operation_id="costs_project", request=CostInput, responses={200: OpenApiTypes.OBJECT, 201: ProjectionAnswer}
    )
    def post(self, request: Request) -> Response:
        """Project a spec at today's prices: the document alone, or with `keep` a projection that has a link."""
        user, _, now = asker(request)
        given = read(CostInput, request.data)
        if not given.get("keep", False):
            return Response(projections.projected(given["spec"], on=now.date()))
        row = writes.project_and_store(spec=given["spec"], by=user, now=now)
        return Response(ProjectionAnswer(row).data, status=201)


class ProjectionView(APIView):
    """One kept projection."""

    @extend_schema(operation_id="costs_read", responses=ProjectionAnswer)
    def get(self, request: Request, token: str) -> Response:
        """The projection whose link you were given."""
        return Response(ProjectionAnswer(projections.find(token)).data)


class ProjectionToday(APIView):
    """A kept projection at today's prices."""

    @extend_schema(operation_id="costs_replay", responses=ReplayAnswer)
    def get(self, request: Request, token: str) -> Response:
        """What moved since it was kept: prices, and what they do to the metrics."""
        _, _, now = asker(request)
        return Response(ReplayAnswer(projections.replay(projections.find(token), now=now)).data)
