"""The book: which of several prices counts, what is refused, what disagrees, and what is old."""

import dataclasses
from datetime import date
from decimal import Decimal

import pytest

from tests.unit.toolkit.costs.builders import DAY, machine
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.commitment_discounts import Discount
from weighbridge.costs.prices.price import Meter, PriceKind, PriceOrigin, PriceUnit, Retirement, Term

SKU = "aws/us-east-1/g5.xlarge"
DISCOUNT = Discount(
    provider="aws",
    term=Term.COMMIT_1Y_NO_UPFRONT,
    share=Decimal("0.32"),
    low=Decimal("0.28"),
    high=Decimal("0.38"),
    as_of=date(2026, 5, 9),
    source="averages",
)


def book(*prices, **changes):
    return PriceBook(**{"prices": prices or (machine(),), "as_of": DAY, "discounts": (DISCOUNT,), **changes})


def test_the_newest_price_counts_and_of_equally_new_ones_the_first():
    old, new = machine("2", as_of=date(2026, 8, 1), source="old"), machine("3", source="new")
    also_new = machine("4", source="also new")
    found = book(old, new, also_new)
    assert found.find(SKU) == new
    assert found.opinions(SKU) == (new, also_new, old)
    assert book(also_new, new).find(SKU) == also_new
    assert found.opinions("aws/us-east-1/none") == ()


def test_prices_can_be_put_behind_those_of_a_book():
    assert book().with_prices([machine("3")]).opinions(SKU) == (machine(), machine("3"))
    assert book().with_prices([machine("3")]).with_sku(SKU) == (machine(), machine("3"))


def test_a_commitment_that_nobody_lists_is_derived_with_its_range():
    found = book().find(SKU, term=Term.COMMIT_1Y_NO_UPFRONT)
    assert (found.usd, found.low_usd, found.high_usd) == (Decimal("0.68408"), Decimal("0.62372"), Decimal("0.72432"))
    assert found.origin is PriceOrigin.DERIVED
    assert found.list_price == machine()
    assert found.as_of == date(2026, 5, 9)
    assert found.source == "a list; discount of 0.32 (between 0.28 and 0.38): averages"


def test_a_listed_commitment_is_not_derived():
    listed = machine("0.7", term=Term.COMMIT_1Y_NO_UPFRONT)
    assert book(machine(), listed).find(SKU, term=Term.COMMIT_1Y_NO_UPFRONT) == listed


@pytest.mark.parametrize(
    ("sku", "wanted", "field", "code", "text"),
    [
        ("aws/us-east-1/g5.xlrge", {}, "sku", "unknown_sku", "Nearest: aws/us-east-1/g5.xlarge."),
        ("zzz", {}, "sku", "unknown_sku", "SKUs look like aws/us-east-1/g5.xlarge."),
        (SKU, {"term": Term.SPOT}, "term", "unknown_term", "it has on_demand, commit_1y_no_upfront."),
        (SKU, {"meter": Meter.INPUT}, "meter", "unknown_meter", "it has prices for whole."),
        (SKU, {"meter": Meter.INPUT, "term": Term.BATCH}, "meter", "unknown_meter", "it has prices for whole."),
    ],
)
def test_what_the_book_does_not_know_is_refused_with_what_it_knows(sku, wanted, field, code, text):
    with pytest.raises(Invalid) as refused:
        book().find(sku, **wanted)
    assert (refused.value.field, refused.value.code) == (field, code)
    assert text in refused.value.reason


def test_an_empty_book_knows_nothing():
    with pytest.raises(Invalid, match="has no 'aws/x'"):
        PriceBook((), DAY).find("aws/x")


def test_endpoints_have_no_discount_of_machines():
    with pytest.raises(Invalid, match="it has on_demand\\."):
        book(machine(kind=PriceKind.ENDPOINT)).find(SKU, term=Term.COMMIT_1Y_NO_UPFRONT)


@pytest.mark.parametrize(("day", "is_refused"), [(date(2026, 9, 30), False), (date(2026, 10, 1), True)])
def test_a_price_is_refused_when_it_is_older_than_asked(day, is_refused):
    aged = book(as_of=day)
    assert aged.find(SKU).usd == Decimal("1.006")
    if not is_refused:
        assert aged.find(SKU, stale_days=29).usd == Decimal("1.006")
        return
    with pytest.raises(
        Invalid, match="is from 2026-09-01, 30 days before 2026-10-01; at most 29 are accepted"
    ) as refused:
        aged.find(SKU, stale_days=29)
    assert (refused.value.field, refused.value.code) == ("as_of", "stale_price")


def test_sources_that_differ_by_more_than_the_tolerance_are_shown_widest_first():
    other = "aws/us-east-1/g6.xlarge"
    found = book(
        machine("1.00", source="a"),
        machine("1.25", source="b"),
        machine("1.00", sku=other, source="a"),
        machine("3.00", sku=other, source="b"),
        machine("1.000", sku="aws/us-east-1/same", source="a"),
        machine("1.01", sku="aws/us-east-1/same", source="b"),
    ).disagreements()
    assert [(each.key[0], each.spread, [price.usd for price in each.prices]) for each in found] == [
        (other, Decimal(2), [Decimal(1), Decimal(3)]),
        (SKU, Decimal("0.25"), [Decimal(1), Decimal("1.25")]),
    ]


def test_equal_prices_agree_and_free_or_other_units_disagree_without_a_share():
    assert book(machine(), machine(source="b")).disagreements(tolerance=Decimal(0)) == ()
    (free,) = book(machine("0"), machine("1", source="b")).disagreements()
    (unit,) = book(machine("1"), machine("1", unit=PriceUnit.GPU_H, source="b")).disagreements()
    assert (free.spread, unit.spread) == (None, None)


def test_the_retirement_of_a_model_goes_with_its_price():
    retirement = Retirement(date(2027, 1, 1), "a list", "next")
    assert book(retirements={SKU: retirement}).find(SKU).retirement == retirement
    assert book().find(SKU).retirement is None


def test_of_two_days_of_retirement_the_earlier_counts():
    early, late = Retirement(date(2027, 1, 1), "a"), Retirement(date(2027, 2, 1), "b")
    for first, second in ((early, late), (late, early)):
        found = book(retirements={SKU: first}).with_prices([], {SKU: second, "aws/other": late})
        assert found.retirements == {SKU: early, "aws/other": late}


def test_the_snapshot_id_is_of_what_is_said_not_of_its_order():
    one, other = machine(), machine("2", sku="aws/us-east-1/g6.xlarge")
    assert book(one, other).snapshot_id == book(other, one).snapshot_id
    assert book(one).snapshot_id != book(machine("1.007")).snapshot_id
    changed = dataclasses.replace(DISCOUNT, share=Decimal("0.33"))
    assert book(discounts=(changed,)).snapshot_id != book().snapshot_id
    spelled = dataclasses.replace(DISCOUNT, share=Decimal("0.320"))
    assert book(discounts=(spelled,)).snapshot_id == book().snapshot_id


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"term": Term.SPOT}, "term"),
        ({"share": Decimal("0.2")}, "share"),
        ({"high": Decimal(1)}, "share"),
        ({"low": Decimal("-0.1")}, "share"),
    ],
)
def test_what_is_no_discount_is_refused(change, field):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(DISCOUNT, **change)
    assert refused.value.field == field
