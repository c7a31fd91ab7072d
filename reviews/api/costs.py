"""`reviews/{ref}/costs/`: projected, measured and billed, and how earlier projections did."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.reading import Answer, number
from reviews.api.inputs import found
from reviews.queries import comparison


class SpanAnswer(Answer):
    """A monthly cost in US dollars: P10, the middle, P90."""

    low = number(allow_null=True)
    middle = number()
    high = number(allow_null=True)


class ComparedMonthAnswer(Answer):
    """A month of an authorisation."""

    month = serializers.DateField()
    projected = SpanAnswer(allow_null=True)
    measured = SpanAnswer(allow_null=True)
    billed = number(allow_null=True)
    difference = number(allow_null=True)
    gpu_hours = number(allow_null=True)
    standing = serializers.CharField(help_text="not_over, unbilled, unplanned, within, above or breach.")


class OutlookAnswer(Answer):
    """Where the authorisation's first year ends, in US dollars."""

    expected = number()
    low = number(allow_null=True)
    high = number(allow_null=True)
    bias = number(help_text="Billed for each projected dollar, drawn towards 1.")


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
    authorisation = serializers.CharField(help_text="Empty before there is one.")
    projected = SpanAnswer(allow_null=True)
    measured = SpanAnswer(allow_null=True)
    months = ComparedMonthAnswer(many=True)
    not_converted = serializers.ListField(child=serializers.CharField(), source="apart")
    outlook = OutlookAnswer(allow_null=True)
    records = RecordAnswer(many=True)


class Costs(APIView):
    """Plans beside bills."""

    @extend_schema(operation_id="reviews_costs", responses=CostsAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """The months of its authorisation, the year's end, and how earlier projections did."""
        row, _, _, now = found(request, ref)
        return Response(CostsAnswer(comparison.of_request(request=row, now=now)).data)
