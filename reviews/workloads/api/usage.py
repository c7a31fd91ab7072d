"""`usage/`: what language models were used for in a month, and what gateways report of it."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import Input, answer_of, choice, read, read_for, takes
from reviews.requests.enums import ENVIRONMENT_NAMES
from reviews.workloads.actions import usage as actions
from reviews.workloads.queries import usage as queries
from reviews.workloads.queries.usage import StoredUsage, UsageView
from reviews.workloads.rules import check_report_usage
from weighbridge.client.usage.report import MOST_LINES, UsageReport, read_usage

UsageAnswer = answer_of(
    UsageView,
    helps={
        "name": "The authorized version; for usage that no authorization is about, the name or digest in the report.",
        "usd": "null: a part of the usage has no price.",
        "percent": "The largest share of a limit per month; null without a limit.",
        "is_denied": "The gate denies the model until the month ends.",
    },
)
StoredUsageAnswer = answer_of(StoredUsage, helps={"unmatched": "Models of the report that no authorization is about."})
LINE_HELP = (
    f"At most {MOST_LINES:,} objects: day, digest or model (like openai/gpt-4o-mini-2024-07-18), requests, "
    "input_tokens, output_tokens, and optionally cached_tokens and usd."
)


@takes(UsageReport, gateway={"max_length": 80})
class UsageInput(Input):
    """What a gateway counted in one environment. It replaces its earlier lines of the same days."""

    environment = choice(ENVIRONMENT_NAMES)
    lines = serializers.ListField(child=serializers.DictField(), max_length=MOST_LINES, help_text=LINE_HELP)


class UsageFilters(Input):
    """Which month."""

    month = serializers.DateField(required=False, help_text="A day of the month; this month by default.")


class ModelUsage(APIView):
    """What language models were used for."""

    @extend_schema(operation_id="usage_list", parameters=[UsageFilters], responses=UsageAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The usage of a month by model, against the limits of its authorization; the largest share first."""
        _, person, now = asker(request)
        day = read(UsageFilters, request.query_params).get("month") or now.date()
        return Response(UsageAnswer(queries.views(month=queries.month_of(day), person=person), many=True).data)


class UsageReports(APIView):
    """The reports of gateways."""

    @extend_schema(operation_id="usage_reports_create", request=UsageInput, responses={201: StoredUsageAnswer})
    def post(self, request: Request) -> Response:
        """Report what a gateway counted. A token of the scope report may do this."""
        user, person, now = asker(request)
        read_for(request, UsageInput, lambda: check_report_usage(person))
        report = read_usage(request.data)
        row = actions.store_usage(report=report, by=user, now=now)
        return Response(StoredUsageAnswer(queries.stored(row, days=report.days)).data, status=201)
