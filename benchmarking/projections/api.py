"""`costs/`: cost projections."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.projections import actions as writes
from benchmarking.projections import queries as projections
from benchmarking.projections.serializers import CostInput, ProjectionAnswer, ReplayAnswer
from governance.people.api.caller import asker
from governance.site.api.shapes import read


class CostsView(APIView):
    """The calculator."""

    parser_classes = [JSONParser]

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
