"""`/metrics`: figures for Prometheus, for operators and their tokens."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from governance.operations.domain.exposition import MEDIA_TYPE, Family, exposed
from governance.people.api.caller import asker
from governance.people.rules import check_operate

Collector = Callable[[datetime], Sequence[Family]]


class Metrics(APIView):
    """Not the business of strangers: the figures tell how much is asked for, and how much of it fails."""

    collectors: Sequence[Collector] = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """All families as text; a token of scope read is enough."""
        check_operate(asker(request)[1])
        now = timezone.now()
        return HttpResponse(
            exposed([each for collect in self.collectors for each in collect(now)]), content_type=MEDIA_TYPE
        )
