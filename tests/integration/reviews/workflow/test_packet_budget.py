"""A packet says what a request takes from its team's budget, before and after the decision."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from governance.budgets.actions import budgets as budget_actions
from governance.budgets.enums import BudgetUnit
from reviews.workflow.actions import requests as request_actions
from tests.integration.reviews.packets.budget_rows import gpu_row, later_rows, usd_row
from tests.integration.reviews.packets.packet_journey import Journey, packet
from weighbridge.core.metrics.basis import Basis

pytestmark = pytest.mark.django_db


@pytest.fixture
def journey(tmp_path: Path, settings: Any) -> Journey:
    return Journey(tmp_path, settings)


def test_the_budget_reads_the_same_before_and_after_the_decision(journey: Journey) -> None:
    request = journey.in_evidence()
    expected = (usd_row(), gpu_row(), *later_rows())
    assert sum(row.this for row in expected if row.unit == "USD") == 21340
    assert packet(journey, request).budget == expected, "nothing is booked yet"
    request = journey.asked(request)
    assert packet(journey, request).budget == expected, "its own reservation counts as free"
    for by in (journey.anne, journey.bert, journey.lea):
        request = journey.voted(request, by)
    assert packet(journey, request).budget == expected, "its own commitment is what it takes"


def test_the_budget_counts_what_others_reserved(journey: Journey) -> None:
    request = journey.in_review()
    budget_actions.reserve(
        team=journey.team,
        quarter="2026Q3",
        amounts={BudgetUnit.USD: Decimal(4100)},
        ref="MRR-2026-0099",
        key="other",
        by=journey.rita,
        now=journey.now,
    )
    assert packet(journey, request).budget == (
        usd_row(before=Decimal(55900), after=Decimal("49465.48"), reserved_by_others=Decimal(4100)),
        gpu_row(),
        *later_rows(),
    )


def test_a_later_packet_still_shows_the_quarter_of_the_decision(journey: Journey) -> None:
    request = journey.approved()
    journey.now = datetime(2026, 11, 1, tzinfo=UTC)
    assert packet(journey, request).budget == (usd_row(), gpu_row(), *later_rows())


def test_a_team_without_an_account_sees_what_is_missing(journey: Journey) -> None:
    request = journey.filed()
    journey.state(request, "total_cost_1y_usd", "700", Basis.DECLARED)
    said = packet(journey, request).budget
    assert said[0] == usd_row(before=Decimal(0), this=Decimal("166.84"), after=Decimal("-166.84"))
    assert sum(row.this for row in said) == 700


def test_a_withdrawn_request_spends_nothing(journey: Journey) -> None:
    request = request_actions.withdraw(
        request=journey.in_review(), reason="Another model.", by=journey.rita, now=journey.now
    )
    assert packet(journey, request).budget == ()
