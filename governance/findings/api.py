"""`findings/`: what the system noticed."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.findings import actions as finding_writes
from governance.findings import queries as findings
from governance.findings.rules import check_close_finding
from governance.findings.serializers import ClosingInput, FindingAnswer, FindingFilters
from governance.people.api.caller import asker
from governance.site.api.shapes import read, read_for


class Findings(GenericAPIView[Any]):
    """What the system noticed."""

    serializer_class = FindingAnswer

    @extend_schema(operation_id="findings_list", parameters=[FindingFilters], responses=FindingAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The newest first; whoever reads no other team's sees what they own."""
        _, person, _ = asker(request)
        asked = read(FindingFilters, request.query_params)
        rows = findings.listed(person=person, state=asked.get("state", ""), kind=asked.get("kind", ""))
        return self.get_paginated_response(FindingAnswer(self.paginate_queryset(rows), many=True).data)


class FindingClosing(APIView):
    """The end of a finding."""

    @extend_schema(operation_id="findings_close", request=ClosingInput, responses=FindingAnswer)
    def post(self, request: Request, finding_id: int) -> Response:
        """Close it with what was done about it; it never opens again."""
        user, person, now = asker(request)
        finding = findings.find(finding_id=finding_id, person=person)
        owner_id = finding.owner_id
        note = read_for(request, ClosingInput, lambda: check_close_finding(person, owner_id=owner_id))["note"]
        return Response(FindingAnswer(finding_writes.close(finding=finding, note=note, by=user, now=now)).data)
