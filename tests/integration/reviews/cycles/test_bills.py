"""Bills reach the agenda and the packet of their quarter: the worst against its projection, and both side by side."""

from datetime import datetime
from decimal import Decimal

import pytest

from governance.domain.quarters import Quarter
from reviews.actions import breaches, cycles, quarterly_packets
from reviews.models import ReviewCycle, ReviewRequest
from reviews.queries.quarterly_packet import read_packet
from tests.factories.bills import csv_bytes
from tests.factories.people import Cast
from tests.integration.governance.bills.conftest import read, send
from tests.integration.reviews.test_costs import billed, estimated, months, rules

__all__ = ["estimated", "months", "read", "rules", "send"]
pytestmark = pytest.mark.django_db


def test_a_bill_unlike_its_projection(
    decided: ReviewRequest, months, estimated, rules, read, cast: Cast, now: datetime
) -> None:
    read(csv_bytes([billed(months[0], "260")]))
    breaches.look(now=now)
    quarter = Quarter.of(months[0])
    cycle = ReviewCycle.objects.create(
        quarter=str(quarter), planned_at=now, collecting_at=now, cut_off_at=now.replace(year=now.year + 1)
    )
    cycles.advance(now=now)
    cycles.gather(cycle=cycle, by=cast.approver, now=now)
    found = {(item.kind, item.why) for item in cycle.items.filter(kind="forecast_error")}
    assert ("forecast_error", "Projected 100.00 USD, billed 260.00 USD: 160 % off.") in found
    assert len(found) == 2  # the rule, and the finding of the breach
    ReviewCycle.objects.update(state="frozen")
    packet = read_packet(quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now).document)
    (variance,) = packet.variances
    assert (variance.projected_usd, variance.billed_usd, variance.difference_usd) == (
        Decimal(100), Decimal(260), Decimal(160),
    )  # fmt: skip
    (page,) = packet.models
    assert (page.figures[0].name, page.figures[0].projected, page.figures[0].billed) == (
        "this quarter", "100.00 USD", "260.00 USD",
    )  # fmt: skip
