"""`/metrics`: figures for Prometheus, for operators and their tokens."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from rest_framework.request import Request
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.people.rules import check_operate

Families = Callable[[datetime], Iterable[Metric]]


class Scrape(Collector):
    """All families as they stand at one moment, read from the database when they are asked for."""

    def __init__(self, collectors: Sequence[Families], now: datetime) -> None:
        self._collectors, self._now = collectors, now

    def collect(self) -> Iterator[Metric]:
        """The families of every collector, in order."""
        for families in self._collectors:
            yield from families(self._now)


class MetricsPermission(APIView):
    """Not the business of strangers: the figures tell how much is asked for, and how much of it fails."""

    collectors: Sequence[Families] = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """All families as text; a token of scope read is enough."""
        check_operate(asker(request)[1])
        text = generate_latest(Scrape(self.collectors, timezone.now()))
        return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)
