"""A price: what it refuses, and how it is written down."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.builders import DAY, MACHINE, machine
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.price import (
    Conversion,
    Hardware,
    Price,
    PriceTier,
    PriceUnit,
    Retirement,
    amount_text,
)

AMOUNTS = st.decimals(min_value=0, max_value=10_000, places=8)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"usd": 1.006}, "usd"),
        ({"usd": Decimal("-0.01")}, "usd"),
        ({"usd": Decimal("NaN")}, "usd"),
        ({"usd": Decimal("1e20")}, "usd"),
        ({"sku": "g5.xlarge"}, "sku"),
        ({"sku": "gcp/us-east-1/g5.xlarge"}, "sku"),
        ({"sku": "aws/us-east-1/g5 xlarge"}, "sku"),
        ({"source": " "}, "source"),
        ({"tiers": (PriceTier(Decimal(0), Decimal(1)),)}, "tiers"),
        ({"tiers": (PriceTier(Decimal(9), Decimal(1)), PriceTier(Decimal(8), Decimal(1)))}, "tiers"),
        ({"tiers": (PriceTier(Decimal(9), Decimal(1)), PriceTier(Decimal(9), Decimal(2)))}, "tiers"),
        ({"tiers": (PriceTier(Decimal(9), Decimal(-1)),)}, "tiers"),
    ],
)
def test_what_is_no_price_is_refused_with_its_field(change, field):
    with pytest.raises(Invalid) as refused:
        machine(**{"usd": "1"} | change) if "usd" not in change else Price(**{**vars(MACHINE), **change})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("usd", "change", "per_gpu_h"),
    [
        ("55.04", {"hardware": Hardware(gpu="H100", gpus=8)}, Decimal("6.88")),
        ("0.475", {"hardware": Hardware(gpu="L4", gpus=0)}, None),
        ("0.192", {"hardware": None}, None),
        ("2.5", {"hardware": None, "unit": PriceUnit.GPU_H}, Decimal("2.5")),
        ("0.15", {"unit": PriceUnit.MILLION_TOKENS}, None),
    ],
)
def test_dollars_of_a_gpu_hour_are_told_of_whole_gpus_alone(usd, change, per_gpu_h):
    assert machine(usd, **change).usd_per_gpu_h == per_gpu_h


@given(AMOUNTS)
def test_an_amount_has_one_spelling_and_reads_back_as_itself(amount):
    text = amount_text(amount)
    assert Decimal(text) == amount
    assert amount_text(amount.normalize()) == text
    assert "E" not in text


def test_a_document_leaves_out_what_is_usual():
    assert machine("1.0060").as_document() == {
        "sku": "aws/us-east-1/g5.xlarge",
        "provider": "aws",
        "region": "us-east-1",
        "usd": "1.006",
        "unit": "instance_h",
        "as_of": "2026-09-01",
        "source": "a list",
        "hardware": {"gpu": "A10G", "gpus": 1, "gpu_gib": "24"},
    }


def test_a_document_holds_tiers_conversion_list_price_and_retirement():
    price = machine(
        "1",
        tiers=(PriceTier(Decimal(100), Decimal("0.9")),),
        conversion=Conversion("EUR", Decimal("0.9"), Decimal("1.11"), DAY, "a bank"),
        list_price=machine("2"),
        retirement=Retirement(date(2027, 1, 1), "a list", "next"),
    )
    document = price.as_document()
    assert document["tiers"] == [{"above": "100", "usd": "0.9"}]
    assert document["conversion"] == {
        "currency": "EUR",
        "listed": "0.9",
        "usd_per_unit": "1.11",
        "as_of": "2026-09-01",
        "source": "a bank",
    }
    assert document["list_price"]["usd"] == "2"
    assert document["retirement"] == {"on": "2027-01-01", "source": "a list", "successor": "next"}


def test_the_age_of_a_price():
    assert machine().age_days(date(2026, 9, 30)) == 29
