"""`sandbox/`: whether models of requesters may be measured without bubblewrap."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.runs.actions import sandbox as writes
from benchmarking.runs.api.inputs import SandboxInput
from benchmarking.runs.api.serializers import SandboxAnswer
from benchmarking.runs.queries import sandbox
from governance.people.api.caller import asker
from governance.site.api.shapes import read


class Sandbox(APIView):
    """What fences models in."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="sandbox_retrieve", responses=SandboxAnswer)
    def get(self, request: Request) -> Response:
        """What holds, and what the last results say fenced them in."""
        return Response(SandboxAnswer(_standing()).data)

    @extend_schema(operation_id="sandbox_choose", request=SandboxInput, responses=SandboxAnswer)
    def post(self, request: Request) -> Response:
        """Choose; for administrators, and on record."""
        user, _, now = asker(request)
        writes.choose(**read(SandboxInput, request.data), by=user, now=now)
        return Response(SandboxAnswer(_standing()).data)


def _standing() -> dict[str, Any]:
    return {"may_go_without": sandbox.may_go_without(), "last_layers": sandbox.last_layers()}
