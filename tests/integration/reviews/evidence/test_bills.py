"""Bills reach the agenda and the packet of their quarter: the worst against its projection, and both side by side."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.template.loader import render_to_string

from governance.bills.actions import rates
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.domain.variance.split import Split
from governance.bills.enums import BillOrigin
from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from reviews.evidence import actions as traffic
from reviews.evidence.domain.comparison import month_end, past_months_of
from reviews.evidence.domain.month_variance import NO_PROJECTION, NO_REQUESTS
from reviews.evidence.domain.traffic_file import MonthTraffic
from reviews.evidence.queries import comparison
from reviews.quarterly.actions import cycles, quarterly_packets
from reviews.quarterly.domain.packet import read_quarterly_packet
from reviews.quarterly.domain.printed.leadership import leadership_of
from reviews.quarterly.domain.printed.sections import Section
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries import quarterly_metrics, quarterly_page
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import breaches
from tests.factories.bills import csv_bytes
from tests.factories.people import Cast
from tests.integration.governance.bills.conftest import read, send
from tests.integration.reviews.evidence.test_traffic import projected
from tests.integration.reviews.workflow.test_costs import billed, estimated, months, rules
from tests.pages import html_of

__all__ = ["estimated", "months", "projected", "read", "rules", "send"]
pytestmark = pytest.mark.django_db


def test_a_bill_unlike_its_projection(
    decided: ReviewRequest, months, estimated, rules, read, cast: Cast, now: datetime
) -> None:
    read(csv_bytes([billed(months[0], "260")]))
    breaches.detect_breaches(now=now)
    quarter = Quarter.of(months[0])
    cycle = ReviewCycle.objects.create(
        quarter=str(quarter), planned_at=now, collecting_at=now, cut_off_at=now.replace(year=now.year + 1)
    )
    cycles.advance(now=now)
    cycles.refresh(cycle=cycle, by=cast.approver, now=now)
    found = {(item.kind, item.reason) for item in cycle.items.filter(kind="forecast_error")}
    assert ("forecast_error", "Projected 100.00 USD, billed 260.00 USD: 160 % off.") in found
    assert len(found) == 2  # the rule, and the finding of the breach
    ReviewCycle.objects.update(state="frozen")
    packet = read_quarterly_packet(quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now).document)
    (variance,) = packet.variances
    assert (variance.projected_usd, variance.billed_usd, variance.difference_usd) == (
        Decimal(100),
        Decimal(260),
        Decimal(160),
    )
    (page,) = packet.models
    assert (page.metrics[0].name, page.metrics[0].projected, page.metrics[0].billed) == (
        "this quarter",
        "100.00 USD",
        "260.00 USD",
    )
    assert page.variance == variance
    assert (variance.parts, variance.unexplained_usd) == ((), 160)
    assert variance.missing_inputs == tuple(f"{words} ({months[0]:%B %Y})" for words in (NO_PROJECTION, NO_REQUESTS))


@pytest.mark.parametrize("usd", [None, 260])
def test_a_bill_in_a_currency_without_a_rate_is_compared_with_nothing(
    as_, api, decided: ReviewRequest, months, estimated, rules, read, cast: Cast, now: datetime, usd: int | None
) -> None:
    """3,000 EUR, alone or beside dollars above the limit: no amount, difference, breach, error or record; a rate ends
    this.
    """
    of_dollars = [] if usd is None else [billed(months[0], usd)]
    of_euros = billed(months[0], 3000, "model") | {"BillingCurrency": "EUR"}
    read(csv_bytes([*of_dollars, of_euros]))
    missing, quarter = f"an exchange rate for EUR ({months[0]:%B %Y})", Quarter.of(months[0])
    (first, *_) = comparison.months_of_request(decided, now=now)
    assert (first.billed, first.difference, first.status) == (None, None, "no_rate")
    assert comparison.outlook_of([first]) == comparison.outlook_of([replace(first, missing_inputs=())])
    assert past_months_of([first]) == ()
    assert breaches.detect_breaches(now=now) == []
    page = html_of(as_(cast.finance).get(f"/requests/{decided.ref}/bills/"))
    assert "missing: an exchange rate for EUR" in page
    assert "No exchange rate" in page
    answer = api(cast.finance).get(f"/api/v1/requests/{decided.ref}/bills/").json()
    shown = answer["months"][0]
    assert (shown["billed"], shown["difference"], shown["status"]) == (None, None, "no_rate")
    assert shown["missing_inputs"] == ["an exchange rate for EUR"]
    assert answer["not_converted"] == [f"{months[0]:%Y-%m}: 3000 EUR"]
    standings = quarterly_metrics.model_standings([decided.model_version.asset], now=now)
    drawn = {decided.ref: Decimal(260)}
    assert quarterly_metrics.variances(standings, quarter=quarter, spent=drawn) == {}, "the ledger has only a part"
    cycle = ReviewCycle.objects.create(
        quarter=str(quarter), planned_at=now, collecting_at=now, cut_off_at=now.replace(year=now.year + 1)
    )
    cycles.advance(now=now)
    cycles.refresh(cycle=cycle, by=cast.approver, now=now)
    assert not cycle.items.filter(kind="forecast_error").exists()
    ReviewCycle.objects.update(state="frozen")
    row = quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now)
    packet = read_quarterly_packet(row.document)
    assert (packet.variances, packet.models[0].variance) == ((), None)
    assert packet.not_compared == (f"search/visual-search: {missing}",)
    sentence = f"Bills without an exchange rate are not compared. Missing data: search/visual-search: {missing}."
    topics = {topic.title: topic.sentences for topic in leadership_of(packet)}
    assert topics["Biggest movers"] == (sentence,)
    assert sentence in html_of(as_(cast.finance).get(f"/cycles/{quarter}/packets/{row.number}/"))
    (line,) = [line for line in quarterly_page.appendix(row).rows if line[1] == "variance"]
    assert line[2:] == ("", "USD", None, None, None, f"not compared; missing data: search/visual-search: {missing}")
    rate = CurrencyRate("EUR", month_end(months[0]) - timedelta(days=1), Decimal("1.1"), "ECB")
    rates.set_rate(rate=rate, by=cast.finance, now=now)
    (first, *_) = comparison.months_of_request(decided, now=now)
    assert (first.billed, first.status) == (3300 + (usd or 0), "breach")
    after = read_quarterly_packet(quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now).document)
    assert ([each.billed_usd for each in after.variances], after.not_compared) == ([3300 + (usd or 0)], ())


def test_requests_supplied_tell_the_quarter_apart_as_on_the_page_of_costs(
    decided: ReviewRequest, months, estimated, rules, read, projected, cast: Cast, now: datetime
) -> None:
    """As on the page: 1,500 requests for 1,000, two GPU hours for one, 80 dollars an hour for 100."""
    read(csv_bytes([billed(months[0], 160)]))
    traffic.supply_traffic(
        request=decided, months=(MonthTraffic(months[0], 1500),), channel="form", by=cast.author, now=now
    )
    (month, *_) = comparison.months_of_request(decided, now=now)
    cycle = ReviewCycle.objects.create(
        quarter=str(Quarter.of(months[0])),
        planned_at=now,
        collecting_at=now,
        cut_off_at=now + timedelta(days=1),
        state="frozen",
    )
    row = quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now)
    packet = read_quarterly_packet(row.document)
    (variance,) = packet.variances
    assert (variance.volume_usd, variance.efficiency_usd, variance.price_usd) == (50, 50, -40)
    assert month.parts == Split(variance.volume_usd, variance.efficiency_usd, variance.price_usd)
    assert (variance.unexplained_usd, variance.missing_inputs, packet.models[0].variance) == (0, (), variance)
    (line,) = [line for line in quarterly_page.appendix(row).rows if line[1] == "variance"]
    assert line[-1] == "volume 50.00; efficiency 50.00; price -40.00"


def test_metric_values_on_generated_bills_are_marked_on_pages_in_the_file_and_in_the_packet(
    as_, api, decided: ReviewRequest, months, estimated, rules, read, cast: Cast, now: datetime
) -> None:
    read(csv_bytes([billed(months[0], 160)]))

    def marked() -> list[bool]:
        pages = (f"/requests/{decided.ref}/bills/", f"/spend/?month={months[0]}", f"/budgets/?quarter={quarter}")
        return ["generated</span>" in html_of(as_(cast.finance).get(each)) for each in pages]

    quarter = Quarter.of(months[0])
    budgets.allocate(
        holder=decided.team,
        quarter=str(quarter),
        unit=BudgetUnit.USD,
        amount=Decimal(5000),
        key="k",
        by=cast.finance,
        now=now,
    )
    cycle = ReviewCycle.objects.create(
        quarter=str(quarter), planned_at=now, collecting_at=now, cut_off_at=now + timedelta(days=1), state="frozen"
    )
    before = read_quarterly_packet(quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now).document)
    assert (marked(), before.is_generated) == ([False] * 3, False)
    read(csv_bytes([billed(months[0], 170)]), origin=BillOrigin.GENERATED)
    assert marked() == [True] * 3
    told = api(cast.finance).get(f"/api/v1/requests/{decided.ref}/bills/").json()["months"]
    assert [each["is_generated"] for each in told[:2]] == [True, False]
    spent = api(cast.finance).get("/api/v1/spend/").json()
    assert [each["is_generated"] for each in (spent if isinstance(spent, list) else spent["results"])] == [True]
    row = quarterly_packets.issue(cycle=cycle, by=cast.approver, now=now)
    after = read_quarterly_packet(row.document)
    assert ([each.is_generated for each in after.variances], after.is_generated) == ([True], True)
    assert "Search USD" in [each.account for each in after.spend if each.is_generated]
    assert after.models[0].metrics[0].billed == "170.00 USD (generated)"
    said = {
        part.template: render_to_string(quarterly_page.TEMPLATE, dict(quarterly_page.context_of(Section((part,), ""))))
        for section in quarterly_page.sections(row)
        for part in section.parts
    }
    assert {name for name, page in said.items() if "generated" in page.partition("<body")[2]} == {
        "spend",
        "variance",
        "model",
    }
    frame = quarterly_page.frame_of(after, digest="", printed=())
    front = render_to_string(quarterly_page.FRONT, dict(frame.front(2)))
    assert "Bills in this packet are generated for a demo or a test" in front
    traced = {
        (line[1], line[-1].endswith("; generated"))
        for line in quarterly_page.appendix(row).rows
        if line[1] in {"spend", "variance"}
    }
    assert traced == {("spend", True), ("variance", True)}
    lines = as_(cast.finance).get("/spend.csv").content.decode("utf-8-sig").splitlines()
    assert lines[1].endswith(',"generated"')
    page = html_of(as_(cast.approver).get(f"/cycles/{quarter}/packets/2/"))
    assert "Generated bills" in page
