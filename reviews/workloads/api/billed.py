"""`workloads/billed/`: billed GPUs that nobody asked for."""

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.budgets.domain.quarters import Quarter
from governance.exports.web import export
from governance.people.api.caller import asker
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, AnyAccept, Input, answer_of, read
from reviews.workloads.queries.billed import BilledGpus, billed, table
from weighbridge.core.errors import Invalid

BilledGpusAnswer = answer_of(
    BilledGpus,
    without=["owner_id"],
    helps={
        "team": "The team to which the lines are allocated; empty where no rule allocates them.",
        "apart": "Amounts without an exchange rate.",
        "request": "An open request that asks for the model; empty if nobody asked.",
    },
)


class BilledFilters(Input):
    """Of which quarter."""

    quarter = serializers.CharField(required=False, max_length=6, help_text="Like 2026Q4; default: the current one.")


class UnrequestedGpus(APIView):
    """Billed GPUs that nobody asked for."""

    @extend_schema(operation_id="billed_gpus_list", parameters=[BilledFilters], responses=BilledGpusAnswer(many=True))
    def get(self, request: Request) -> Response:
        """Resources of a quarter whose GPU hours no approval explains, the most expensive first."""
        return Response(BilledGpusAnswer(_rows(request), many=True).data)


class BilledExport(APIView):
    """The same as a file."""

    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="billed_gpus_export", parameters=[TABLE_KIND, BilledFilters], responses=TABLE_ANSWERS)
    def get(self, request: Request, kind: str) -> HttpResponseBase:
        """All resources of the quarter."""
        return export(table(_rows(request)), kind=kind)


def _rows(request: Request) -> list[BilledGpus]:
    _, person, now = asker(request)
    text = read(BilledFilters, request.query_params).get("quarter", "")
    try:
        quarter = Quarter.parse(text) if text else Quarter.of(now)
    except Invalid as refusal:
        refusal.field = "quarter"
        raise
    return billed(person=person, quarter=quarter)
