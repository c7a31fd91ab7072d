"""`audit/`: the trail, for administrators and auditors."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.audit.queries import trail
from governance.audit.queries.trail import TrailSelection
from governance.operations.api.serializers import EventAnswer, TrailFilters
from governance.people.api.caller import asker
from governance.people.rules import check_read_trail
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, AnyAccept, download, read


class Trail(GenericAPIView[Any]):
    """Every event, hash-chained."""

    serializer_class = EventAnswer

    @extend_schema(operation_id="audit_list", parameters=[TrailFilters], responses=EventAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The newest first."""
        _, person, _ = asker(request)
        check_read_trail(person)
        rows = trail.listed(_filters(request))
        return self.get_paginated_response(EventAnswer(self.paginate_queryset(rows), many=True).data)


class TrailExport(APIView):
    """The trail as a file."""

    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="audit_export", parameters=[TABLE_KIND, TrailFilters], responses=TABLE_ANSWERS)
    def get(self, request: Request, kind: str) -> HttpResponse:
        """Every event the filters leave, the newest first."""
        check_read_trail(asker(request)[1])
        return download(trail.table(_filters(request)), kind=kind)


def _filters(request: Request) -> TrailSelection:
    given = read(TrailFilters, request.query_params)
    return TrailSelection(given.get("q", ""), given.get("subject_type", ""), given.get("kind", ""))
