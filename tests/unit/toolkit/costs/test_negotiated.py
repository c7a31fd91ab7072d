"""Negotiated rates: which contract counts on which day, and the list price that stays beside it."""

import dataclasses
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.builders import DAY, machine
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.commitment_discounts import Discount
from weighbridge.costs.prices.negotiated import ContractRate, negotiated, read_rates
from weighbridge.costs.prices.price import Meter, PriceOrigin, PriceTier, Term

OFF = ContractRate(sku="aws/*/g5.*", source="agreement 12", valid_from=date(2026, 1, 1), discount=Decimal("0.22"))
FIXED = ContractRate(
    sku="aws/us-east-1/g5.xlarge", source="order 7", valid_from=DAY, valid_until=DAY, usd=Decimal("0.70")
)
SKU = "aws/us-east-1/g5.xlarge"


def document(**row):
    usual = {"sku": "aws/*", "discount": Decimal("0.22"), "from": "2026-01-01", "source": "agreement 12"}
    rows = [{name: value for name, value in {**usual, **row}.items() if value is not None}]
    return {"apiVersion": "weighbridge/v1", "kind": "NegotiatedRates", "organization": "example", "rates": rows}


def test_a_discount_comes_off_the_list_price_and_its_tiers():
    listed = machine("1.006", tiers=(PriceTier(Decimal(100), Decimal("0.5")),))
    found = OFF.of(listed, on=DAY)
    assert (found.usd, found.tiers) == (Decimal("0.78468"), (PriceTier(Decimal(100), Decimal("0.390")),))
    assert (found.origin, found.source, found.list_price, found.as_of) == (
        PriceOrigin.NEGOTIATED,
        "agreement 12",
        listed,
        DAY,
    )


def test_an_amount_in_force_holds_on_the_day_it_is_asked():
    later = date(2026, 12, 1)
    found = dataclasses.replace(FIXED, valid_until=None).of(
        machine("1.006", tiers=(PriceTier(Decimal(1), Decimal(1)),)), on=later
    )
    assert (found.usd, found.tiers, found.as_of) == (Decimal("0.70"), (), later)


@pytest.mark.parametrize(
    ("rate", "change", "day", "does_fit"),
    [
        (OFF, {}, date(2026, 1, 1), True),
        (OFF, {}, date(2025, 12, 31), False),
        (OFF, {"sku": "aws/us-east-1/g6.xlarge"}, DAY, False),
        (OFF, {"term": Term.SPOT}, DAY, False),
        (OFF, {"meter": Meter.INPUT}, DAY, True),
        (FIXED, {}, DAY, True),
        (FIXED, {}, date(2026, 9, 2), False),
        (dataclasses.replace(OFF, meter=Meter.OUTPUT), {"meter": Meter.INPUT}, DAY, False),
        (dataclasses.replace(OFF, term=Term.SPOT), {"term": Term.SPOT}, DAY, True),
    ],
)
def test_a_contract_covers_what_and_when_it_says(rate, change, day, does_fit):
    assert rate.fits(machine(**change), on=day) is does_fit


def test_the_first_rate_that_fits_counts():
    assert negotiated((FIXED, OFF), machine(), on=DAY).usd == Decimal("0.70")
    assert negotiated((OFF, FIXED), machine(), on=DAY).usd == Decimal("0.78468")
    assert negotiated((), machine(), on=DAY) == machine()


def test_the_book_gives_the_contract_and_keeps_the_list_price_beside_it():
    book = PriceBook((machine(),), DAY, rates=(OFF,))
    assert book.find(SKU).usd == Decimal("0.78468")
    assert book.find(SKU).list_price == machine()
    assert book.opinions(SKU) == (machine(),)
    assert book.snapshot_id != PriceBook((machine(),), DAY).snapshot_id


def test_a_contract_can_name_a_commitment_that_nobody_lists():
    shares = {"share": Decimal("0.3"), "low": Decimal("0.2"), "high": Decimal("0.4")}
    discount = Discount(provider="aws", term=Term.COMMIT_1Y_NO_UPFRONT, as_of=DAY, source="averages", **shares)
    rate = dataclasses.replace(OFF, term=Term.COMMIT_1Y_NO_UPFRONT, discount=None, usd=Decimal("0.5"))
    found = PriceBook((machine(),), DAY, (discount,), rates=(rate,)).find(SKU, term=Term.COMMIT_1Y_NO_UPFRONT)
    assert (found.usd, found.low_usd, found.origin) == (Decimal("0.5"), None, PriceOrigin.NEGOTIATED)
    assert found.list_price is not None
    assert found.list_price.origin is PriceOrigin.DERIVED


@given(
    st.decimals(min_value=Decimal("0.0001"), max_value=1000, places=6),
    st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("0.9999"), places=4),
)
def test_a_discount_is_exact(usd, discount):
    found = dataclasses.replace(OFF, discount=discount).of(machine(str(usd)), on=DAY)
    assert found.usd + usd * discount == usd


def test_rates_are_read():
    assert read_rates(document()) == (dataclasses.replace(OFF, sku="aws/*"),)
    (fixed,) = read_rates(document(discount=None, usd=Decimal("0.12"), until="2026-12-31", term="spot"))
    assert (fixed.usd, fixed.valid_until, fixed.term, fixed.meter) == (
        Decimal("0.12"),
        date(2026, 12, 31),
        Term.SPOT,
        Meter.WHOLE,
    )
    (tokens,) = read_rates(document(discount=None, usd=Decimal("0.12"), meter="input"))
    assert tokens.meter is Meter.INPUT


@pytest.mark.parametrize(
    ("row", "field", "text"),
    [
        ({"discount": 1}, "discount", "above 0 and below 1"),
        ({"discount": 0}, "discount", "above 0 and below 1"),
        ({"usd": 1}, "usd", "not both"),
        ({"discount": None}, "usd", "is required, but not both"),
        ({"discount": None, "usd": -1}, "usd", "0 or more"),
        ({"until": "2025-01-01"}, "until", "must not be before"),
        ({"from": "x"}, "from", "must be a date"),
        ({"term": "weekly"}, "term", "must be one of on_demand"),
        ({"sku": None}, "sku", "is missing"),
        ({"why": "x"}, "why", "is unknown"),
    ],
)
def test_rates_are_refused_with_the_path_of_the_fault(row, field, text):
    with pytest.raises(Invalid) as refused:
        read_rates(document(**row))
    assert refused.value.field == f"rates[0].{field}"
    assert text in refused.value.reason
