"""What the packet and the agenda of a quarter ask of the database does not grow with models, nor with months."""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.bills.models import AllocationRule
from governance.budgets.domain.quarters import Quarter
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries.cycle_sources import agenda_sources
from reviews.quarterly.queries.quarterly_packet import packet_of
from reviews.requests.models import ReviewRequest
from tests.factories.portfolio import multiply
from tests.integration.reviews.workflow.test_costs import months, rules

__all__ = ["months", "rules"]
pytestmark = pytest.mark.django_db


def test_twice_the_models_and_months_ask_no_more(decided: ReviewRequest, months, rules, now: datetime) -> None:
    cycle = ReviewCycle.objects.create(
        quarter=str(Quarter.of(months[0])), planned_at=now, collecting_at=now, cut_off_at=now.replace(year=now.year + 1)
    )
    rule = AllocationRule.objects.get(version=rules, rule_id="named")

    def asked() -> tuple[int, int]:
        with CaptureQueriesContext(
            connection,
        ) as packet:
            told = packet_of(cycle, now=now)
        with CaptureQueriesContext(connection) as agenda:
            forecast_errors = agenda_sources(cycle, now=now).forecast_errors
        assert len(told.models) == len(told.variances) + 1 == len(forecast_errors) + 1
        assert all(row.parts for row in told.variances)
        return len(packet), len(agenda)

    multiply(decided, numbers=range(100, 120), months=months[:1], rule=rule, now=now)
    before = asked()
    multiply(decided, numbers=range(120, 140), months=months[:2], rule=rule, now=now)
    assert asked() == before
    assert max(before) < 50
