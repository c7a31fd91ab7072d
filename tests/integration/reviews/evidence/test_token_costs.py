"""The tokens of language models: from the bill over the allocation rules to the page, the file and programs."""

import csv
import io
import json
from decimal import Decimal

import pytest

from benchmarking.projections.models import CostProjection
from governance.bills.actions import allocation
from governance.bills.models import SpendLine
from reviews.evidence import actions as traffic
from reviews.evidence.domain.month_variance import NO_REQUESTS
from reviews.evidence.domain.traffic_file import MonthTraffic
from reviews.evidence.models import MetricRecord, RequestProjection
from reviews.evidence.queries import comparison
from tests.factories.bills import csv_bytes
from tests.factories.changes import publish
from tests.integration.governance.bills.conftest import read, send
from tests.integration.reviews.workflow.test_costs import billed, estimated, months
from tests.pages import html_of
from weighbridge.core.metrics.basis import Basis
from weighbridge.subjects import managed

__all__ = ["estimated", "months", "read", "send"]
pytestmark = pytest.mark.django_db

SUBJECT = {"provider": "openai", "model": "gpt-5-mini", "snapshot": "2025-08-07", "region": "us"}


def line(name, tokens, price):
    terms = {"calls": 1_200_000.0, name: tokens, f"{name}_usd": price, "factor": 1.0}
    return {"name": name, "usd": "0", "terms": terms}


@pytest.fixture
def planned(decided, cast, now):
    """100,000 requests a month of 1,200 input tokens, half of them cached, and 250 output tokens: 66.50 USD."""
    lines = [
        line("input_tokens", 600.0, 0.25),
        line("cache_read_tokens", 600.0, 0.025),
        line("output_tokens", 250.0, 2),
    ]
    path = "options[0].serving.prices.input_usd"
    document = {
        "seed": 1,
        "snapshot": "s",
        "draws": 1,
        "load": {"requests_per_year": 1_200_000.0},
        "prices": [{"path": path, "sku": "openai/gpt-5-mini", "usd": "0.25", "as_of": "2026-11-01"}],
        "options": [{"id": "api", "parts": {"serving": {"quantities": {"calls": 1_200_000.0}, "lines": lines}}}],
    }
    MetricRecord.objects.create(
        request=decided,
        name="inference_cost_1y_usd",
        value=798,
        unit="USD",
        basis=Basis.ESTIMATED,
        source="projection",
        stated_by=cast.author,
        observed_at=now,
    )
    projection = CostProjection.objects.create(
        token="t" * 20, title="T", spec={}, document=document, digest="sha256:" + "a" * 64, kept_at=now
    )
    return RequestProjection.objects.create(
        request=decided, number=1, projection=projection, option="api", stated_by=cast.author, stated_at=now
    )


@pytest.fixture
def rules(decided, cast, now):
    """The offer by its digest, and the tokens of a meter that nobody knows, for the request."""
    document = {"kind": "managed", **SUBJECT, "parameters": {"temperature": 0}}
    digest = managed.offer_digest(managed.parse(document))
    source = (
        "apiVersion: weighbridge/v1\nkind: AllocationRules\nname: default\nrules:\n"
        f"  - {{id: offer, match: {{subjects: ['{digest}']}}, account: search, request: {decided.ref}}}\n"
        f"  - {{id: meter, match: {{subjects: [], meters: [mystery]}}, account: search, request: {decided.ref}}}\n"
    )
    return publish(version=allocation.draft(source=source, by=cast.finance, now=now), cast=cast, now=now)


def tokens(month, direction, action, count, usd, price, **changes):
    details = {"ModelId": "openai/gpt-5-mini-2025-08-07", "TokenDirection": direction, "TokenCacheAction": action}
    named = {
        "ProviderName": "OpenAI",
        "RegionId": "us",
        "BillingAccountId": "org-1",
        "BilledCost": str(usd),
        "ConsumedQuantity": str(count),
        "ConsumedUnit": "Tokens",
        "PricingQuantity": str(Decimal(count) / 1_000_000),
        "PricingUnit": "Million Tokens",
        "ContractedUnitPrice": str(price),
        "SkuMeter": "m",
        "SkuPriceDetails": json.dumps(details),
    }
    return billed(month, usd) | named | changes


def bill_of(month):
    unknown = {"SkuPriceDetails": "", "SkuMeter": "mystery", "ContractedUnitPrice": ""}
    return [
        tokens(month, "Input", "Uncached", 126_000_000, "31.50", "0.25"),
        tokens(month, "Input", "Read", 54_000_000, "1.35", "0.025"),
        tokens(month, "Output", "Uncached", 36_000_000, "64.79", "1.8"),
        tokens(month, "", "", 500, "0.51", "", **unknown),
    ]


def test_the_worked_case_from_the_bill_to_the_page_the_file_and_programs(
    as_, api, cast, decided, months, planned, rules, read, now
):
    """66.50 planned; 97.65 for tokens less one cent of rounding, and 0.51 for tokens of an unknown meter."""
    bill = read(csv_bytes(bill_of(months[0])))
    assert "Tokens of these meters have no known model or direction" in " ".join(bill.report["notes"])
    path = f"/requests/{decided.ref}/bills/"
    assert f"missing: {NO_REQUESTS}".replace("'", "&#x27;") in html_of(as_(cast.author).get(path))
    traffic.supply_traffic(
        request=decided, months=(MonthTraffic(months[0], 120_000),), channel="form", by=cast.author, now=now
    )
    found = comparison.compare_costs(request=decided, now=now)
    (month,) = [each for each in found.tokens.months if each.split]
    split = month.split
    assert (split.requests, split.tokens, split.cache, split.price) == (
        Decimal("14.78"),
        Decimal("15.74"),
        Decimal("6.70"),
        Decimal("-6.07"),
    )
    assert (split.rounding_or_discount, split.other, split.model) == (Decimal("-0.01"), Decimal("0.51"), 0)
    assert split.total == found.months[0].difference == Decimal("31.65")
    assert [(row.direction, row.cache_action, row.tokens, row.is_matched) for row in found.tokens.rows] == [
        ("output", "uncached", 36_000_000, True),
        ("input", "uncached", 126_000_000, True),
        ("input", "read", 54_000_000, True),
        ("", "", 500, False),
    ]
    page = html_of(as_(cast.author).get(path))
    for words in ("mystery", "$14.78", "$15.74", "unmatched", "36,000,000", "Shapley", "13.30"):
        assert words in page
    told = api(cast.author).get(f"/api/v1/requests/{decided.ref}/bills/").json()["tokens"]
    assert told["rows"][0]["subject"].startswith("sha256:")
    (split,) = [each["split"] for each in told["months"] if each["split"]]
    assert (split["total"], split["cache"], split["in_order"]["cache"]) == ("31.65", "6.7", "8.1")
    file = as_(cast.author).get(f"/requests/{decided.ref}/token-costs.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(file)))
    assert [row["Token direction"] for row in rows] == ["output", "input", "input", "unmatched"]
    assert (rows[0]["USD per million tokens"], rows[3]["Unmatched meters"]) == ("1.800000", "mystery")


def test_the_same_month_again_replaces_its_tokens_and_money_stays_equal(months, rules, read):
    read(csv_bytes(bill_of(months[0])))
    read(csv_bytes([{**row, "x_note": "again"} for row in bill_of(months[0])]))
    lines = SpendLine.objects.filter(slice__is_current=True)
    assert SpendLine.objects.count() == 4
    assert sum(each.effective for each in lines) == Decimal("98.15")
    assert sum(each.tokens for each in lines) == 216_000_500
    assert {each.rule.rule_id for each in lines} == {"offer", "meter"}


def test_without_tokens_the_page_says_so_and_strangers_see_no_file(as_, cast, decided, months, estimated):
    assert "No tokens in the bills" in html_of(as_(cast.author).get(f"/requests/{decided.ref}/bills/"))
    assert as_(cast.outsider).get(f"/requests/{decided.ref}/token-costs.csv").status_code == 404


def test_the_page_of_a_bill_shows_its_tokens_and_what_is_unmatched(as_, cast, months, read):
    bill = read(csv_bytes(bill_of(months[0])))
    page = html_of(as_(cast.finance).get(f"/bills/{bill.pk}/"))
    for words in ("Tokens of language models", "openai/gpt-5-mini-2025-08-07", "mystery", "126,000,000", "cache: read"):
        assert words in page
