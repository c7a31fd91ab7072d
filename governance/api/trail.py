"""`audit/`: the trail, for administrators and auditors."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.answers import EventAnswer
from governance.api.inputs import TrailFilters
from governance.api.reading import asker, read
from governance.queries import trail
from governance.queries.trail import Filters
from governance.rules import check_read_trail


class Trail(GenericAPIView[Any]):
    """Every event, hash-chained."""

    serializer_class = EventAnswer

    @extend_schema(operation_id="audit_list", parameters=[TrailFilters], responses=EventAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The newest first."""
        _, person, _ = asker(request)
        check_read_trail(person)
        given = read(TrailFilters, request.query_params)
        rows = trail.listed(Filters(given.get("q", ""), given.get("subject_type", ""), given.get("kind", "")))
        return self.get_paginated_response(EventAnswer(self.paginate_queryset(rows), many=True).data)
