"""`requests/{ref}/bills/`: projected, measured and billed, and how earlier projections did."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.bills.domain.quantities.token_rows import TokenRow
from governance.bills.domain.variance.forecast import YearEndForecast
from governance.bills.domain.variance.token_split import TokenSplit
from governance.site.api.shapes import Answer, Input, answer_of, number, read_for, takes
from reviews.evidence.actions import supply_traffic
from reviews.evidence.domain.comparison import ComparedMonth
from reviews.evidence.domain.token_variance import TokenMonthComparison
from reviews.evidence.domain.traffic_file import DIGITS_MAX, MonthTraffic, month_of
from reviews.evidence.queries import comparison
from reviews.evidence.queries.comparison import CostComparison
from reviews.evidence.queries.comparison_tokens import TokenComparison
from reviews.scorecard.rules import check_edit_scorecard
from reviews.workflow.api.inputs import found

ComparedMonthAnswer = answer_of(
    ComparedMonth,
    without=["is_over", "tolerance"],
    properties=["difference", "status"],
    after={"difference": "billed", "server_hours": "gpu_hours"},
    helps={
        "server_hours": "Hours of servers that were paid for: what the parts are told from.",
        "billed": "Null without a bill, and if a part of it has no exchange rate.",
        "missing_inputs": "What it would take to tell the parts, or the billed amount.",
        "is_generated": "Whether the bill was generated, and is none of any provider.",
        "status": "not_over, unbilled, no_rate, unplanned, within, above or breach.",
    },
)


OutlookAnswer = answer_of(
    YearEndForecast,
    after={"bias": "naive"},
    helps={
        "naive": "As the months of the year before; null where bills do not hold a year.",
        "bias": "Billed for each projected dollar, drawn toward 1.",
    },
)


TokenRowAnswer = answer_of(
    TokenRow,
    "TokenRowAnswer",
    properties=["is_matched", "usd_per_million"],
    without=["is_named", "apart"],
    after={"usd_per_million": "effective"},
    helps={
        "snapshot": "Empty where the bill does not name it.",
        "direction": "input or output; empty if unmatched.",
        "cache_action": "read, write, uncached or other; empty where the bill does not name it.",
        "subject": "The digest of what the provider offers; allocation rules can match it.",
        "remainder": "Rounding or discount: the effective cost less unit price times quantity.",
        "meters": "The meters of tokens whose model or direction is unknown.",
    },
    not_converted=serializers.DictField(child=number(), source="apart", help_text="Effective cost without a rate."),
)


TokenSplitAnswer = answer_of(
    TokenSplit,
    properties=["total"],
    after={"total": "other"},
    helps={
        "tokens": "Tokens for each request.",
        "cache": "The shares of the input that a cache holds.",
        "rounding_or_discount": "The billed cost of tokens less unit price times quantity.",
        "other": "What else is billed, unmatched tokens among it, less what else is planned.",
        "in_order": "The parts of one order, to compare.",
        "order": "That order.",
    },
)


TokenMonthAnswer = answer_of(
    TokenMonthComparison,
    helps={
        "missing_inputs": "What it would take to tell the parts.",
        "has_estimated_shares": "Whether the requests of each model are taken in proportion to its tokens.",
    },
)


TokensAnswer = answer_of(TokenComparison, rows=TokenRowAnswer(many=True))


class RecordAnswer(Answer):
    """How past projections of a team, or of whoever estimated this request, did."""

    estimator = serializers.CharField()
    months = serializers.IntegerField(source="calibration.cases")
    bias = number(source="calibration.bias")
    wape = number(source="calibration.wape")
    coverage_p90 = number(source="calibration.coverage")
    widening = number(source="calibration.widening", allow_null=True)
    widened_p90 = number(source="widened_high", allow_null=True)


CostsAnswer = answer_of(
    CostComparison,
    "CostsAnswer",
    without=["apart"],
    after={"not_converted": "months"},
    helps={"authorization": "Empty before there is one."},
    not_converted=serializers.ListField(child=serializers.CharField(), source="apart"),
    records=RecordAnswer(many=True),
)


@takes(
    MonthTraffic,
    without=["row"],
    requests={"min_value": 0, "max_value": 10**DIGITS_MAX - 1},
    source={"max_length": 200, "allow_blank": True},
)
class CountedInput(Input):
    """The requests of a month."""

    month = serializers.RegexField(r"^\d{4}-\d{2}$", help_text="Written 2026-09.")


class TrafficInput(Input):
    """Requests by month: all of them are kept, or none."""

    traffic = CountedInput(many=True)


class RequestCostsView(APIView):
    """Plans beside bills."""

    @extend_schema(operation_id="requests_bills", responses=CostsAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """The months of its authorization, the year's end, and how earlier projections did."""
        row, _, _, now = found(request, ref)
        return Response(CostsAnswer(comparison.compare_costs(request=row, now=now)).data)

    @extend_schema(operation_id="requests_supply_traffic", request=TrafficInput, responses={201: CostsAnswer})
    def post(self, request: Request, ref: str) -> Response:
        """Supply how many requests were answered by month; the latest of a month counts. Send an Idempotency-Key."""
        row, user, person, now = found(request, ref)
        team = row.team.slug
        given = read_for(request, TrafficInput, lambda: check_edit_scorecard(person, team=team))
        months = [
            MonthTraffic(month_of(each["month"]), each["requests"], each.get("source", ""), number)
            for number, each in enumerate(given["traffic"], start=1)
        ]
        supply_traffic(request=row, months=months, channel="api", by=user, now=now)
        return Response(CostsAnswer(comparison.compare_costs(request=row, now=now)).data, status=201)
