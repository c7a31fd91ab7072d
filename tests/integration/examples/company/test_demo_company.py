"""The demo's generated company, walked whole in a reduced size: it lives once, and what is found is the truth."""

import json
from decimal import Decimal

import pytest
from django.utils import timezone

from examples.company import users as demo
from examples.company.portfolio import story
from examples.company.portfolio.company_model import COMPANY
from examples.company.terminal import Terminal
from governance.bills import tasks as bills_tasks
from governance.budgets.queries.budgets import accounts
from reviews.quarterly.domain.packet import read_quarterly_packet
from reviews.quarterly.models import CyclePacket, ReviewCycle

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SMALL = COMPANY.only("home-feed", "basket-offers", "reply-drafts", "card-fraud", "parcel-eta", "address-match")


@pytest.fixture
def told(policy, tmp_path, monkeypatch):
    """The company has lived; the demo's own people were there before it."""
    monkeypatch.setattr(bills_tasks, "PROGRESS_EVERY_S", 0.01)
    demo.create_users(now=timezone.now())
    return story.run(Terminal(), folder=tmp_path, company=SMALL)


def test_the_company_lives_through_two_quarters_once(told, tmp_path):
    assert told.read_bytes().startswith(b"%PDF")
    assert [cycle.state for cycle in ReviewCycle.objects.order_by("quarter")] == ["closed", "closed"]
    packet = read_quarterly_packet(CyclePacket.objects.latest("pk").document)
    assert packet.variances
    assert all(row.is_generated for row in packet.variances)
    assert {row.unit for row in packet.spend if row.is_generated} == {"USD", "gpu_h"}
    teams = {
        row.team: row
        for row in accounts(teams=["support", "recommendations"], quarter=str(packet.quarter))
        if row.unit == "USD"
    }
    assert teams["support"].balance.spent > teams["support"].balance.allocated, "reply drafts ran over"
    assert teams["support"].balance.unbound == 0, "every dollar drew on an approval"
    assert {row.model.partition("/")[2] for row in packet.variances} == {model.slug for model in SMALL.models}
    by_model = {row.model.partition("/")[2]: row for row in packet.variances}
    assert all(row.missing_inputs == () for row in packet.variances)
    for slug, part in (("home-feed", "volume_usd"), ("reply-drafts", "efficiency_usd"), ("card-fraud", "price_usd")):
        assert (
            getattr(by_model[slug], part)
            > Decimal("0.9") * (by_model[slug].billed_usd - by_model[slug].projected_usd)
            > 0
        )
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert all(row["is_equal"] for row in truth["totals"])
    assert {row["model"]: row["twist"] for row in truth["splits"]}["card-fraud"] == "a higher price"
