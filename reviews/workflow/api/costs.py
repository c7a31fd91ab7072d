"""`reviews/{ref}/costs/`: projected, measured and billed, and how earlier projections did."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.site.api.shapes import Answer, Input, number, read
from reviews.evidence.actions import supply
from reviews.evidence.domain.traffic_file import DIGITS_MAX, Counted, month_of
from reviews.evidence.queries import comparison
from reviews.workflow.api.inputs import found


class SpanAnswer(Answer):
    """A monthly cost in US dollars: P10, the middle, P90."""

    low = number(allow_null=True)
    middle = number()
    high = number(allow_null=True)


class PartsAnswer(Answer):
    """What the difference of a month is made of, in US dollars; the three add up to it."""

    volume = number()
    efficiency = number()
    price = number()


class ComparedMonthAnswer(Answer):
    """A month of an authorization."""

    month = serializers.DateField()
    projected = SpanAnswer(allow_null=True)
    measured = SpanAnswer(allow_null=True)
    billed = number(allow_null=True)
    difference = number(allow_null=True)
    gpu_hours = number(allow_null=True)
    server_hours = number(
        allow_null=True, help_text="Hours of servers that were paid for: what the parts are told from."
    )
    requests = serializers.IntegerField(allow_null=True)
    parts = PartsAnswer(allow_null=True)
    lacking = serializers.ListField(child=serializers.CharField(), help_text="What it would take to tell the parts.")
    is_generated = serializers.BooleanField(help_text="Whether the bill was generated, and is none of any provider.")
    standing = serializers.CharField(help_text="not_over, unbilled, unplanned, within, above or breach.")


class OutlookAnswer(Answer):
    """Where the authorization's first year ends, in US dollars."""

    expected = number()
    low = number(allow_null=True)
    high = number(allow_null=True)
    naive = number(allow_null=True, help_text="As the months of the year before; null where bills do not hold a year.")
    bias = number(help_text="Billed for each projected dollar, drawn toward 1.")


class RecordAnswer(Answer):
    """How past projections of a team, or of whoever estimated this request, did."""

    whose = serializers.CharField()
    months = serializers.IntegerField(source="calibration.cases")
    bias = number(source="calibration.bias")
    wape = number(source="calibration.wape")
    coverage_p90 = number(source="calibration.coverage")
    widening = number(source="calibration.widening", allow_null=True)
    widened_p90 = number(source="widened_high", allow_null=True)


class CostsAnswer(Answer):
    """A request's costs side by side."""

    ref = serializers.CharField()
    authorization = serializers.CharField(help_text="Empty before there is one.")
    projected = SpanAnswer(allow_null=True)
    measured = SpanAnswer(allow_null=True)
    months = ComparedMonthAnswer(many=True)
    not_converted = serializers.ListField(child=serializers.CharField(), source="apart")
    outlook = OutlookAnswer(allow_null=True)
    records = RecordAnswer(many=True)


class CountedInput(Input):
    """The requests of a month."""

    month = serializers.RegexField(r"^\d{4}-\d{2}$", help_text="Written 2026-09.")
    requests = serializers.IntegerField(min_value=0, max_value=10**DIGITS_MAX - 1)
    source = serializers.CharField(max_length=200, required=False, allow_blank=True)  # type: ignore[assignment]  # a field of that name


class TrafficInput(Input):
    """Requests by month: all of them are kept, or none."""

    traffic = CountedInput(many=True)


class RequestCostsView(APIView):
    """Plans beside bills."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="requests_costs", responses=CostsAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """The months of its authorization, the year's end, and how earlier projections did."""
        row, _, _, now = found(request, ref)
        return Response(CostsAnswer(comparison.of_request(request=row, now=now)).data)

    @extend_schema(operation_id="requests_supply_traffic", request=TrafficInput, responses={201: CostsAnswer})
    def post(self, request: Request, ref: str) -> Response:
        """Supply how many requests were answered by month; the latest of a month counts. Send an Idempotency-Key."""
        row, user, _, now = found(request, ref)
        months = [
            Counted(month_of(each["month"]), each["requests"], each.get("source", ""), number)
            for number, each in enumerate(read(TrafficInput, request.data)["traffic"], start=1)
        ]
        supply(request=row, months=months, channel="api", by=user, now=now)
        return Response(CostsAnswer(comparison.of_request(request=row, now=now)).data, status=201)
