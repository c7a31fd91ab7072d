"""A price sheet: its rows, its currency, and every way it is refused."""

from datetime import date
from decimal import Decimal

import pytest

from tests.unit.toolkit.costs.builders import sheet
from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.costs.prices.currency import FxRate, FxTable, one_currency, read_fx
from weighbridge.costs.prices.files.exact_yaml import read_exact
from weighbridge.costs.prices.files.sheet import read_sheet
from weighbridge.costs.prices.price import Conversion, Hardware, Meter, PriceTier, PriceUnit, Term, TierRule

RATE = FxRate("EUR", Decimal("1.0842"), date(2026, 8, 31), "a bank")
FX = FxTable((FxRate("EUR", Decimal("1.05"), date(2026, 8, 1), "a bank"), RATE))


def with_row(**row):
    return sheet(prices=[{"name": "rack-a", "on_demand": Decimal("1.25"), **row}])


def test_a_row_takes_what_the_sheet_says_once():
    found = read_sheet(sheet())
    (price,) = found.prices
    assert (found.name, found.source, found.as_of) == ("lab", "quotation 4711", date(2026, 9, 1))
    assert (price.sku, price.usd, price.unit, price.term) == (
        "lab/basement/rack-a",
        Decimal("1.25"),
        PriceUnit.INSTANCE_H,
        Term.ON_DEMAND,
    )
    assert (price.as_of, price.source, price.hardware) == (date(2026, 9, 1), "quotation 4711", None)


def test_a_row_may_say_it_differently_and_have_several_terms():
    row = {"spot": Decimal("0.5"), "as_of": "2026-10-01", "source": "a call", "region": "attic", "gpu": "L4", "gpus": 2}
    more = {"gpu_gib": 24, "vcpus": 8, "memory_gib": 64, "note": "loud"}
    on_demand, spot = read_sheet(with_row(**row, **more)).prices
    assert (on_demand.sku, spot.sku) == ("lab/attic/rack-a",) * 2
    assert (on_demand.usd, spot.usd, spot.term) == (Decimal("1.25"), Decimal("0.5"), Term.SPOT)
    assert (spot.as_of, spot.source, spot.note) == (date(2026, 10, 1), "a call", "loud")
    assert spot.hardware == Hardware(gpu="L4", gpus=2, gpu_gib=Decimal(24), vcpus=8, memory_gib=Decimal(64))


def test_a_model_by_tokens_without_a_region():
    document = sheet(
        provider="lab",
        region=None,
        unit="million_tokens",
        sort="model",
        prices=[
            {
                "name": "parrot",
                "on_demand": 1,
                "meter": "input",
                "tiers": [{"above": 200_000, "amount": 2}],
                "tier_rule": "all_units",
            },
            {"name": "parrot", "on_demand": 3, "meter": "output"},
        ],
    )
    given, answered = read_sheet(document).prices
    assert (given.sku, given.meter, given.tiers) == (
        "lab/parrot",
        Meter.INPUT,
        (PriceTier(Decimal(200_000), Decimal(2)),),
    )
    assert (given.tier_rule, answered.meter) == (TierRule.ALL_UNITS, Meter.OUTPUT)


def test_another_currency_is_converted_with_the_newest_rate_of_its_day():
    (price,) = read_sheet(sheet(currency="EUR"), fx=FX).prices
    assert price.usd == Decimal("1.25") * Decimal("1.0842")
    assert price.conversion == Conversion("EUR", Decimal("1.25"), RATE.usd_per_unit, RATE.as_of, "a bank")


@pytest.mark.parametrize(
    ("document", "fx", "field", "text"),
    [
        (sheet(kind="Sheet"), None, "kind", "must be PriceSheet"),
        (sheet(as_of="1 May"), None, "as_of", "a date like 2026-09-01"),
        (sheet(unit="hour"), None, "unit", "instance_h, gpu_h"),
        (sheet(color="red"), None, "color", "is unknown"),
        (sheet(currency="EUR"), None, "currency", "add a dated exchange rate to USD"),
        (sheet(currency="CHF"), FX, "currency", "no rate from CHF to USD on 2026-09-01"),
        (sheet(currency="EUR", as_of="2026-07-31"), FX, "currency", "no rate from EUR to USD on 2026-07-31"),
        (sheet(currency="EUR", as_of="2026-10-02"), FX, "currency", "31 days before"),
        (sheet(prices=[{"name": "a"}]), None, "prices[0].on_demand", "needs an amount for one of on_demand, spot"),
        (with_row(on_demand=Decimal(-1)), None, "prices[0].on_demand", "must be 0 or more"),
        (with_row(on_demand="much"), None, "prices[0].on_demand", "must be a number"),
        (with_row(spot=1, tiers=[{"above": 1, "amount": 1}]), None, "prices[0].tiers", "one amount, in USD"),
        (
            sheet(currency="EUR", prices=[{"name": "a", "on_demand": 1, "tiers": [{"above": 1, "amount": 1}]}]),
            FX,
            "prices[0].tiers",
            "one amount, in USD",
        ),
        (with_row(vcpus=0), None, "prices[0].vcpus", "1 or more"),
        (with_row(name="a b"), None, "sku", "is not a SKU of lab"),
        (
            sheet(prices=[{"name": "a", "on_demand": 1}, {"name": "a", "on_demand": 1}]),
            None,
            "prices",
            "two prices for",
        ),
    ],
)
def test_a_sheet_is_refused_with_the_path_of_the_fault(document, fx, field, text):
    with pytest.raises(Invalid) as refused:
        read_sheet(document, fx=fx)
    assert refused.value.field == field
    assert text in refused.value.reason


def test_rates_are_read_from_their_own_document():
    row = {"currency": "EUR", "usd_per_unit": Decimal("1.0842"), "as_of": "2026-08-31", "source": "a bank"}
    document = {"apiVersion": "weighbridge/v1", "kind": "FxTable", "rates": [row]}
    assert read_fx(document) == FxTable((RATE,))
    for change, field in (
        ({"currency": "euro"}, "currency"),
        ({"usd_per_unit": 0}, "usd_per_unit"),
        ({"as_of": "May"}, "as_of"),
    ):
        with pytest.raises(Invalid) as refused:
            read_fx({**document, "rates": [{**row, **change}]})
        assert refused.value.field == f"rates[0].{field}"


def test_one_computation_has_one_currency():
    assert one_currency(["USD", "USD"]) == "USD"
    with pytest.raises(Invalid, match="not EUR, USD; convert"):
        one_currency(["USD", "EUR"])
    with pytest.raises(Invalid, match="not none"):
        one_currency([])


def test_yaml_keeps_numbers_as_written_and_dates_as_text():
    found = read_exact("{a: 1.10, b: 2026-09-01, c: [x, 2], d: 0.1}", name="s.yaml")
    assert found == {"a": Decimal("1.10"), "b": "2026-09-01", "c": ["x", 2], "d": Decimal("0.1")}
    assert str(found["a"]) == "1.10"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", "'a' occurs twice"),
        ("1: 2", "1 is not text"),
        ("a: .inf", ".inf is not a number"),
        ("a: &x 1\nb: *x", "uses references"),
        ("a: [", "is not valid YAML"),
        ("1" * 5_000, "is not valid YAML"),
        ("a: !!python/object:os.system 1", "is not valid YAML"),
    ],
)
def test_yaml_that_hides_something_is_refused(text, reason):
    with pytest.raises(Invalid) as refused:
        read_exact(text, name="s.yaml")
    assert refused.value.field == "file"
    assert reason in refused.value.reason


def test_yaml_beyond_four_megabytes_is_refused():
    with pytest.raises(TooLarge, match="larger than the 4,000,000 bytes"):
        read_exact("a" * 4_000_001, name="s.yaml")
