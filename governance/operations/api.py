"""`audit/` for administrators and auditors, `keys/` for everyone, and `/metrics` for operators and their tokens."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.audit.queries import trail
from governance.audit.queries.keys import public_key
from governance.audit.queries.trail import TrailSelection
from governance.exports.web import export
from governance.operations.serializers import EventAnswer, KeyAnswer, TrailFilters
from governance.people.api.caller import asker
from governance.people.rules import check_operate, check_read_trail
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, AnyAccept, read


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
    def get(self, request: Request, kind: str) -> HttpResponseBase:
        """Every event the filters leave, the newest first."""
        check_read_trail(asker(request)[1])
        return export(trail.table(_filters(request)), kind=kind)


def _filters(request: Request) -> TrailSelection:
    given = read(TrailFilters, request.query_params)
    return TrailSelection(given.get("q", ""), given.get("subject_type", ""), given.get("kind", ""))


class PublicKey(APIView):
    """The key of this installation."""

    @extend_schema(operation_id="keys_retrieve", responses=KeyAnswer)
    def get(self, request: Request) -> Response:
        """The public key (PEM), for `weighbridge gate --statement FILE --public-key FILE`."""
        return Response(KeyAnswer({"algorithm": "Ed25519", "public_key_pem": public_key()}).data)


class Families(Protocol):
    """A query of metric families."""

    def __call__(self, *, now: datetime) -> Iterable[Metric]: ...


class Scrape(Collector):
    """All families as they stand at one moment, read from the database when they are asked for."""

    def __init__(self, collectors: Sequence[Families], now: datetime) -> None:
        self._collectors, self._now = collectors, now

    def collect(self) -> Iterator[Metric]:
        """The families of every collector, in order."""
        for families in self._collectors:
            yield from families(now=self._now)


class MetricsPermission(APIView):
    """Not the business of strangers: the figures tell how much is asked for, and how much of it fails."""

    collectors: Sequence[Families] = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """All families as text; a token of scope read is enough."""
        check_operate(asker(request)[1])
        text = generate_latest(Scrape(self.collectors, timezone.now()))
        return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)
