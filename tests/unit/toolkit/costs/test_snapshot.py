"""Snapshots: read back as written, refused when changed; replay says what moved and what is gone."""

import dataclasses
import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.builders import DAY, machine
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.files.snapshot import read_snapshot, replay, snapshot
from weighbridge.costs.prices.price import Conversion, Meter, PriceOrigin, PriceTier, PriceUnit, Retirement, Term
from weighbridge.costs.prices.shipped import shipped_book

TODAY = date(2026, 11, 25)
P5 = machine("98.32", sku="aws/us-east-1/p5.48xlarge", as_of=date(2025, 3, 2), source="libcloud")
P5_NOW = machine("55.04", sku="aws/us-east-1/p5.48xlarge", as_of=date(2026, 7, 20), source="karpenter")


def test_a_snapshot_holds_each_price_once_in_the_order_of_its_skus():
    found = snapshot([P5, machine(), P5], as_of=DAY)
    assert found.prices == (machine(), P5)
    assert found.digest == snapshot([machine(), P5], as_of=DAY).digest
    assert found.digest != snapshot([machine()], as_of=DAY).digest


def test_one_thing_at_two_prices_is_no_snapshot():
    with pytest.raises(Invalid, match="used at two prices for on_demand, whole"):
        snapshot([machine("1"), machine("2")], as_of=DAY)


def test_everything_of_a_price_survives_json():
    price = machine(
        "0.5",
        tiers=(PriceTier(Decimal(100), Decimal("0.4")),),
        term=Term.COMMIT_1Y_NO_UPFRONT,
        origin=PriceOrigin.DERIVED,
        low_usd=Decimal("0.4"),
        high_usd=Decimal("0.6"),
        list_price=machine(),
        conversion=Conversion("EUR", Decimal("0.45"), Decimal("1.1"), DAY, "a bank"),
        retirement=Retirement(date(2027, 1, 1), "a list"),
        note="a note",
    )
    then = snapshot([price, machine(meter=Meter.INPUT, unit=PriceUnit.MILLION_TOKENS, hardware=None)], as_of=DAY)
    assert read_snapshot(json.loads(json.dumps(then.as_document()))) == then


@given(st.lists(st.sampled_from(shipped_book().prices), max_size=8, unique_by=lambda price: price.key))
def test_shipped_prices_survive_json(prices):
    then = snapshot(prices, as_of=DAY)
    assert read_snapshot(json.loads(json.dumps(then.as_document()))) == then


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"digest": "sha256:0"}, "digest"),
        ({"as_of": "2026-09-02"}, "digest"),
        ({"as_of": "May"}, "as_of"),
        ({"schema": "weighbridge.prices/2"}, "schema"),
        ({"prices": [{"sku": "aws/x"}]}, "prices[0].provider"),
        ({"more": 1}, "more"),
    ],
)
def test_a_changed_snapshot_is_refused(change, field):
    document = snapshot([machine()], as_of=DAY).as_document()
    with pytest.raises(Invalid) as refused:
        read_snapshot({**document, **change})
    assert refused.value.field == field


def test_replay_says_what_moved_with_sources_and_days():
    # The fall of 44 % that an approval of early 2025 could not know of.
    found = replay(snapshot([P5, machine()], as_of=date(2025, 3, 10)), PriceBook((P5_NOW, machine()), TODAY))
    (moved,) = found.moved
    assert moved.as_document() == {
        "sku": "aws/us-east-1/p5.48xlarge",
        "term": "on_demand",
        "meter": "whole",
        "unit": "instance_h",
        "has_moved": True,
        "before": {"usd": "98.32", "as_of": "2025-03-02", "source": "libcloud", "origin": "list"},
        "now": {"usd": "55.04", "as_of": "2026-07-20", "source": "karpenter", "origin": "list"},
        "change_usd": "-43.28",
        "change_share": "-0.4402",
    }
    assert [each.has_moved for each in found.prices] == [False, True]
    assert (found.then, found.today, found.gone) == (date(2025, 3, 10), TODAY, ())


def test_replay_says_what_is_gone_and_why():
    then = snapshot([P5, machine(), machine("1", term=Term.SPOT)], as_of=DAY)
    found = replay(then, PriceBook((machine(unit=PriceUnit.GPU_H),), TODAY)).as_document()
    assert [(each["sku"], each["term"], each["reason"]) for each in found["gone"]] == [
        ("aws/us-east-1/g5.xlarge", "on_demand", "Its unit was instance_h and is now gpu_h."),
        (
            "aws/us-east-1/g5.xlarge",
            "spot",
            "aws/us-east-1/g5.xlarge has no price for the term spot; it has on_demand.",
        ),
        (
            "aws/us-east-1/p5.48xlarge",
            "on_demand",
            "The price book has no 'aws/us-east-1/p5.48xlarge'. Nearest: aws/us-east-1/g5.xlarge.",
        ),
    ]
    assert found["prices"] == []
    assert found["gone"][0]["before"]["usd"] == "1.006"


def test_a_price_that_was_free_has_no_share_and_a_tier_that_moved_is_seen():
    tiered = machine("1", tiers=(PriceTier(Decimal(9), Decimal(2)),))
    then = snapshot([machine("0"), dataclasses.replace(tiered, sku="aws/us-east-1/x")], as_of=DAY)
    now = PriceBook((machine("1"), machine("1", sku="aws/us-east-1/x")), TODAY)
    free, other = replay(then, now).moved[0], replay(then, now).moved[1]
    assert (free.change_share, free.as_document()["change_share"]) == (None, None)
    assert (other.change_usd, other.has_moved) == (Decimal(0), True)


@given(
    st.decimals(min_value=Decimal("0.01"), max_value=100, places=4), st.decimals(min_value=0, max_value=100, places=4)
)
def test_then_plus_the_change_is_now(before, now):
    found = replay(snapshot([machine(str(before))], as_of=DAY), PriceBook((machine(str(now)),), TODAY)).prices[0]
    assert before + found.change_usd == now
    assert found.has_moved is (before != now)


def test_nothing_moves_when_a_book_is_replayed_against_itself():
    book = shipped_book()
    used = [
        book.find("aws/us-east-1/g5.xlarge", term=Term.COMMIT_1Y_NO_UPFRONT),
        book.find("gcp/us-east1/gcs-standard"),
    ]
    found = replay(snapshot(used, as_of=book.as_of), book)
    assert (found.moved, found.gone, len(found.prices)) == ((), (), 2)
