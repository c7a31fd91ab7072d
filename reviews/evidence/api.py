"""`policies/NAME/NUMBER/backtest/`: what a policy version would have said of past requests."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.rulebook.domain.evaluation import PolicyOutcome
from governance.site.api.shapes import Answer, Input, number, read
from reviews.evidence.queries import backtest
from reviews.evidence.queries.backtest import QUARTERS_MAX, Backtest, BacktestLine
from reviews.evidence.rules import check_backtest


class BacktestFilters(Input):
    """How far back, and beside which version."""

    quarters = serializers.IntegerField(required=False, min_value=1, max_value=QUARTERS_MAX, default=4)
    against = serializers.IntegerField(
        required=False, min_value=1, help_text="Number of the version to compare with; without it, the one in force."
    )


class ShareAnswer(Answer):
    """How many requests get an outcome, and what they would cost."""

    outcome = serializers.CharField()
    before = serializers.IntegerField(help_text="By the version compared with.")
    after = serializers.IntegerField()
    usd_before = number()
    usd_after = number()
    gpu_h_after = number()


class BacktestLineAnswer(Answer):
    """One request."""

    ref = serializers.CharField()
    title = serializers.CharField()
    team = serializers.CharField()
    judged_at = serializers.DateTimeField()
    recorded = serializers.CharField(help_text="What was said of it then.")
    before = serializers.CharField(source="compared.before.outcome.value")
    after = serializers.CharField(source="compared.after.outcome.value")
    usd = number(source="compared.case.usd")
    gpu_h = number(source="compared.case.gpu_h")
    new_rules = serializers.ListField(child=serializers.CharField(), source="compared.new_rules")
    gone_rules = serializers.ListField(child=serializers.CharField(), source="compared.gone_rules")


class BacktestAnswer(Answer):
    """A version on the requests of some quarters, beside another."""

    version = serializers.CharField()
    against = serializers.CharField()
    quarters = serializers.ListField(child=serializers.CharField())
    request_count = serializers.IntegerField()
    shares = ShareAnswer(many=True)
    changed = BacktestLineAnswer(many=True, help_text="Requests whose outcome differs, the stricter and dearer first.")


class PolicyBacktest(APIView):
    """A back-test."""

    @extend_schema(operation_id="policies_backtest", parameters=[BacktestFilters], responses=BacktestAnswer)
    def get(self, request: Request, name: str, number: int) -> Response:
        """Replay the version on the requests of the last quarters, from what was known when each was judged last."""
        _, person, now = asker(request)
        check_backtest(person)
        asked = read(BacktestFilters, request.query_params)
        said = backtest.run(
            version=backtest.version_of(name=name, number=number),
            against=backtest.baseline_of(name=name, number=asked.get("against")),
            quarters=asked["quarters"],
            now=now,
        )
        return Response(BacktestAnswer(_said(said)).data)


def _said(said: Backtest) -> dict[str, Any]:
    lines: tuple[BacktestLine, ...] = said.changed
    return {
        "version": str(said.version),
        "against": str(said.against),
        "quarters": said.quarters,
        "request_count": len(said.lines),
        "shares": [_share(said, outcome) for outcome in PolicyOutcome],
        "changed": lines,
    }


def _share(said: Backtest, outcome: PolicyOutcome) -> dict[str, Any]:
    before, after = said.before[outcome], said.after[outcome]
    return {
        "outcome": outcome.value,
        "before": before.count,
        "after": after.count,
        "usd_before": before.usd,
        "usd_after": after.usd,
        "gpu_h_after": after.gpu_h,
    }
