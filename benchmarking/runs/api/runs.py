"""`runs/{id}/`: how a benchmark goes, and stopping it."""

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.runs.api.serializers import RunDetailAnswer
from benchmarking.runs.queries import runs
from governance.jobs import actions as jobs
from governance.people.api.caller import asker
from governance.site.api.shapes import Nothing, read


class RunDetail(APIView):
    """A benchmark run."""

    @extend_schema(operation_id="runs_retrieve", responses=RunDetailAnswer)
    def get(self, request: Request, run_id: int) -> Response:
        """Progress, verdict, metric values and manifest."""
        _, person, _ = asker(request)
        return Response(RunDetailAnswer(runs.describe(runs.find(run_id=run_id, person=person))).data)


class RunCancellation(APIView):
    """Stopping a run."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="runs_cancel", request=Nothing, responses=RunDetailAnswer)
    def post(self, request: Request, run_id: int) -> Response:
        """Cancel; whatever its worker still writes is refused."""
        user, person, now = asker(request)
        run = runs.find(run_id=run_id, person=person)
        read(Nothing, request.data)
        return Response(RunDetailAnswer(runs.describe(jobs.cancel(row=run, by=user, now=now))).data)
