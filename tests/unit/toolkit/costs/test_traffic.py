"""Traffic out: tiers from the price book, each pinned by itself, and what a year's gigabytes cost at them."""

import dataclasses
from decimal import Decimal

import pytest

from tests.unit.toolkit.costs.specs import BOOK, TODAY, price, small
from weighbridge.core.errors import Invalid
from weighbridge.costs.calculators import calculate
from weighbridge.costs.changes import changes, sentences
from weighbridge.costs.parts.ownership import Ownership, upkeep_of_first_year
from weighbridge.costs.parts.traffic import TrafficTier, tiered_usd
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.price import PriceKind, PriceUnit, TierRule
from weighbridge.costs.prices.price import PriceTier as Step
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec

OUT = price(
    "aws/us-east-1/out",
    "0",
    unit=PriceUnit.GB,
    kind=PriceKind.EGRESS,
    tiers=(Step(Decimal(100), Decimal("0.09")), Step(Decimal(10_000), Decimal("0.085"))),
)
WHOLE = price(
    "aws/us-east-1/whole", "1", unit=PriceUnit.GB, tiers=(Step(Decimal(5), Decimal(2)),), tier_rule=TierRule.ALL_UNITS
)
TIERS = (
    TrafficTier(usd_per_gb=0.0, up_to_gb=100),
    TrafficTier(usd_per_gb=0.09, up_to_gb=10_000),
    TrafficTier(usd_per_gb=0.085),
)


def book(*more):
    return PriceBook((*BOOK.prices, *more), TODAY)


def spec(tiers, part="ownership", **fields):
    found = small()
    found["options"][1].setdefault(part, {}).update({"egress_tiers": tiers, **fields})
    return found


def test_tiers_come_from_the_book_and_each_is_pinned():
    read = read_spec(spec({"sku": OUT.sku}, egress_gb_per_month=500), book(OUT))
    own = read.options[1].ownership
    assert own.egress_tiers == TIERS
    pins = [pin.as_document() for pin in read.pins if pin.sku == OUT.sku]
    assert [(pin["path"], pin["usd"], pin.get("above")) for pin in pins] == [
        ("options[1].ownership.egress_tiers[0]", "0", None),
        ("options[1].ownership.egress_tiers[1]", "0.09", "100"),
        ("options[1].ownership.egress_tiers[2]", "0.085", "10000"),
    ]
    assert {pin["unit"] for pin in pins} == {"gb"}
    assert upkeep_of_first_year(own).usd["egress"] == pytest.approx(12 * 400 * 0.09)


def test_a_factor_scales_every_tier():
    read = read_spec(spec({"sku": OUT.sku, "factor": 0.5}, part="lock_in", egress_gb=200), book(OUT))
    assert [tier.usd_per_gb for tier in read.options[1].lock_in.egress_tiers] == [0, 0.045, 0.0425]
    assert {pin.factor for pin in read.pins if pin.sku == OUT.sku} == {0.5}


def test_a_list_of_tiers_needs_no_book():
    listed = [{"up_to_gb": 100, "usd_per_gb": 0}, {"up_to_gb": 10_000, "usd_per_gb": 0.09}, {"usd_per_gb": 0.085}]
    assert read_spec(spec(listed, egress_gb_per_month=1), BOOK).options[1].ownership.egress_tiers == TIERS


def test_a_stated_amount_and_gigabytes_add_up():
    own = Ownership(development_usd=0, serving_usd=0, egress_usd=1_000, egress_gb_per_month=20_000, egress_tiers=TIERS)
    (line,) = [line for line in upkeep_of_first_year(own).lines if line.name == "egress"]
    assert line.usd == pytest.approx(1_000 + 12 * (9_900 * 0.09 + 10_000 * 0.085))
    assert line.terms == {"egress_usd": 1_000, "egress_gb_per_month": 20_000}
    assert tiered_usd(20_000, TIERS) == pytest.approx(1_741)
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(own, egress_tiers=())
    assert refused.value.field == "egress_tiers"


@pytest.mark.parametrize(
    ("tiers", "field", "words"),
    [
        ({"sku": "aws/us-east-1/m5.large"}, "egress_tiers.sku", "is not a traffic price"),
        ({"sku": WHOLE.sku}, "egress_tiers.sku", "is not a traffic price"),
        ({"sku": "aws/us-east-1/none"}, "egress_tiers.sku", "none"),
        ({"usd": 1}, "egress_tiers.sku", "is missing: give traffic in the price book"),
        ({"sku": OUT.sku, "divided_by": 2}, "egress_tiers.divided_by", "is unknown"),
        ({"sku": OUT.sku, "factor": -1}, "egress_tiers", "no price may be below zero"),
        ("cheap", "egress_tiers", "list"),
    ],
)
def test_what_is_no_traffic_is_refused(tiers, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        read_spec(spec(tiers, egress_gb_per_month=1), book(OUT, WHOLE))
    assert refused.value.field == f"options[1].ownership.{field}"


def test_a_tier_that_moved_is_told():
    dearer = dataclasses.replace(
        OUT, tiers=(Step(Decimal(100), Decimal("0.10")), Step(Decimal(10_000), Decimal("0.085")))
    )
    before, after = (
        project(read_spec(spec({"sku": OUT.sku}, egress_gb_per_month=500), book(each))) for each in (OUT, dearer)
    )
    said = sentences(changes(as_document(before), as_document(after)))
    assert any(
        line.startswith("price of aws/us-east-1/out above 100 gb: 0.09 ") and "(+11.1%)" in line for line in said
    )


def test_the_calculator_of_ownership_takes_a_sku_too():
    asked = {
        "development_usd": 0,
        "serving_usd": 0,
        "years": 1,
        "discount_rate": 0,
        "egress_gb_per_month": 500,
        "egress_tiers": {"sku": OUT.sku},
    }
    assert calculate("tco", asked, book(OUT), draws=100)["total"]["p50"] == "432.00"
