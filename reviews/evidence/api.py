"""`policies/NAME/NUMBER/backtest/`: what a policy version would have said of past requests."""

from datetime import datetime

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import Answer, Input, number, read
from reviews.evidence.actions import start_backtest
from reviews.evidence.queries.backtests import backtest, stored
from reviews.evidence.queries.backtests.backtest import DEFAULT_QUARTERS, QUARTERS_MAX, BacktestQuestion
from reviews.evidence.rules import check_backtest
from weighbridge.core.errors import WrongState


class BacktestFilters(Input):
    """How far back, and beside which version."""

    quarters = serializers.IntegerField(required=False, min_value=1, max_value=QUARTERS_MAX, default=DEFAULT_QUARTERS)
    against = serializers.IntegerField(
        required=False, min_value=1, help_text="Number of the version to compare with; without it, the one in force."
    )


class ShareAnswer(Answer):
    """How many requests get an outcome, and what they would cost."""

    outcome = serializers.CharField()
    before = serializers.IntegerField(source="before.count", help_text="By the version compared with.")
    after = serializers.IntegerField(source="after.count")
    usd_before = number(source="before.usd")
    usd_after = number(source="after.usd")
    gpu_h_after = number(source="after.gpu_h")


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
    added_rules = serializers.ListField(child=serializers.CharField(), source="compared.added_rules")
    removed_rules = serializers.ListField(child=serializers.CharField(), source="compared.removed_rules")


class BacktestAnswer(Answer):
    """A version on the requests of some quarters, beside another."""

    version = serializers.CharField()
    against = serializers.CharField()
    quarters = serializers.ListField(child=serializers.CharField())
    request_count = serializers.IntegerField()
    shares = ShareAnswer(many=True, source="outcomes")
    changed = BacktestLineAnswer(many=True, help_text="Requests whose outcome differs, the stricter and dearer first.")


class LongBacktestAnswer(Answer):
    """A back-test that a worker computes."""

    state = serializers.CharField(source="message.state")
    read = serializers.IntegerField(help_text="Requests that have been evaluated.")
    total = serializers.IntegerField(help_text="Requests of these quarters; 0 before they are counted.")


class PolicyBacktest(APIView):
    """A back-test."""

    @extend_schema(operation_id="policies_backtest", parameters=[BacktestFilters], responses=BacktestAnswer)
    def get(self, request: Request, name: str, number: int) -> Response:
        """Replay the version on the requests of the last quarters, from what was known when each was judged last. A
        worker does so for very many requests: without its result, the answer is 409, and says how far it is.
        """
        _, person, now = asker(request)
        check_backtest(person)
        asked = _question(request.query_params, name, number, now)
        result = stored.result_of(asked, now=now)
        if result is None:
            raise WrongState(stored.find(asked, now=now).sentence)
        return Response(BacktestAnswer(result).data)

    @extend_schema(operation_id="policies_start_backtest", request=BacktestFilters, responses={202: LongBacktestAnswer})
    def post(self, request: Request, name: str, number: int) -> Response:
        """Let a worker compute the back-test of today; asked for again, it stays the one."""
        user, person, now = asker(request)
        check_backtest(person)
        asked = _question(request.data, name, number, now)
        message = start_backtest(asked=asked, by=user, now=now)
        return Response(LongBacktestAnswer(stored.LongBacktest(message)).data, status=202)


def _question(given: object, name: str, number: int, now: datetime) -> BacktestQuestion:
    return backtest.question(name=name, number=number, now=now, **{"against": None, **read(BacktestFilters, given)})
